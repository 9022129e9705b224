/**
 * Users as administrators handle them: made, invited, read, changed, closed, removed.
 *
 * Invariants: nobody gives a role or a grant beyond their own; a user of another tenant and a
 * missing one are the same `not_found`; the last administrator stays; who is closed, removed or
 * given a new password has no session any more before the caller hears of it.
 */
import { GatewayError, type Principal, type Role } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import { checkGrant, type Grant, settleGrant } from '../grants.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { checkImportedHash } from '../passwords/imported.ts';
import { checkPassword } from '../passwords/policy.ts';
import type { FamilyRecord } from '../ports/family-repository.ts';
import type {
  MustRemain,
  UserPatch,
  UserRecord,
  UserRepository,
} from '../ports/user-repository.ts';
import { beyondOf, confineTenant } from '../roles.ts';
import type { UserSnapshot } from '../user-snapshot.ts';
import { claiming } from './claiming.ts';
import { checkEmail, checkUsername, localPart } from './names.ts';
import type { Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';

export type PersonRole = Exclude<Role, 'service'>;

export interface NewUser extends Omit<Grant, 'expiresAtMs'> {
  readonly email: string;
  readonly username: string;
  /** A password, or a bcrypt hash of one that came from elsewhere. */
  readonly secret: { readonly password: string } | { readonly importedHash: string };
  readonly roles: readonly PersonRole[];
  readonly tenant?: string | undefined;
}

/** What is undefined stays as it is. */
export interface UserChange extends Omit<Grant, 'expiresAtMs'> {
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly roles?: readonly PersonRole[] | undefined;
  readonly isActive?: boolean | undefined;
  readonly isVerified?: boolean | undefined;
}

export interface UserUseCases {
  /** Somebody who can sign in at once. Throws `conflict`, `password_too_weak`. */
  create(actor: Principal, wanted: NewUser): Promise<UserRecord>;
  get(actor: Principal, id: string): Promise<UserRecord>;
  /** Newest first. */
  list(
    actor: Principal,
    page: {
      readonly tenant?: string | undefined;
      readonly limit: number;
      readonly beforeId: string | null;
    },
  ): Promise<readonly UserRecord[]>;
  /** Throws `conflict` where the last administrator would go. */
  update(actor: Principal, id: string, change: UserChange): Promise<UserRecord>;
  /** The sessions that a user has, newest first. */
  sessions(actor: Principal, id: string): Promise<readonly FamilyRecord[]>;
  /** Ends all of them. */
  signOut(actor: Principal, id: string): Promise<UserRecord>;
  /** As `update`. */
  remove(actor: Principal, id: string): Promise<UserRecord>;
}

export interface UserUseCasesOptions {
  readonly users: UserRepository;
  readonly sessions: Pick<Sessions, 'endAllOf' | 'living'>;
  readonly snapshot: Pick<UserSnapshot, 'refresh'>;
  readonly hasher: PasswordHasher;
  readonly throttle: Pick<Throttle, 'find'>;
  readonly tenantExists: (slug: string) => Promise<boolean>;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** Every method may throw `permission_denied`, `not_found` and `storage_unavailable`. */
export function createUserUseCases(options: UserUseCasesOptions): UserUseCases {
  return {
    create: (actor, wanted) => create(options, actor, wanted),
    get: (actor, id) => read(options, actor, 'users.read', id),
    async list(actor, page) {
      const tenant = confineTenant(actor, 'users.read', page.tenant);
      return options.users.list({ tenant, limit: page.limit, beforeId: page.beforeId });
    },
    update: (actor, id, change) => update(options, actor, id, change),
    async sessions(actor, id) {
      await read(options, actor, 'users.read', id);
      return options.sessions.living(id);
    },
    async signOut(actor, id) {
      const user = await read(options, actor, 'users.write', id);
      requireAbove(actor, user);
      await options.sessions.endAllOf(id, 'administrator');
      return user;
    },
    remove: (actor, id) => remove(options, actor, id),
  };
}

/** Throws `permission_denied` (field `roles`) where a role may what the actor may not. */
export function requireRoles(actor: Principal, roles: readonly Role[]): void {
  for (const role of roles) {
    const beyond = beyondOf(actor, role);
    if (beyond === null) continue;
    throw new GatewayError('permission_denied', {
      message:
        `The role \`${role}\` has the permission \`${beyond}\` further than you have it; ` +
        'nobody grants more than they hold.',
      field: 'roles',
    });
  }
}

/** Throws `invalid_request` (field `tenant`). */
export async function requireTenant(
  { tenantExists }: Pick<UserUseCasesOptions, 'tenantExists'>,
  slug: string,
): Promise<void> {
  if (await tenantExists(slug)) return;
  throw new GatewayError('invalid_request', {
    message: `There is no tenant \`${slug}\`. Create it first.`,
    field: 'tenant',
  });
}

async function create(
  options: UserUseCasesOptions,
  actor: Principal,
  wanted: NewUser,
): Promise<UserRecord> {
  const tenant = confineTenant(actor, 'users.write', wanted.tenant) ?? actor.tenant;
  requireRoles(actor, wanted.roles);
  const { models, limits, budget } = settleGrant({ ...actor, expiresAtMs: null }, wanted);
  const email = checkEmail(wanted.email);
  const username = checkUsername(wanted.username);
  const secret = checkSecret(wanted.secret, [email, localPart(email), username]);
  await requireTenant(options, tenant);
  const user: UserRecord = {
    ...{ id: options.ids.next('usr'), tenant, email, username, subject: null },
    passwordHash: await secret(options.hasher),
    roles: [...new Set(wanted.roles)],
    isActive: true,
    isVerified: true,
    ...{ models, limits, budget },
    createdAtMs: options.clock.wallMs(),
    lastLoginAtMs: null,
  };
  await claiming(options.throttle, actor, () => options.users.insert(user));
  await options.snapshot.refresh();
  return user;
}

/** Judged at once, hashed when all else is right. */
function checkSecret(
  secret: NewUser['secret'],
  about: readonly string[],
): (hasher: PasswordHasher) => Promise<string> {
  if ('importedHash' in secret) {
    const imported = checkImportedHash(secret.importedHash);
    return async () => imported;
  }
  checkPassword(secret.password, about);
  return (hasher) => hasher.hash(secret.password);
}

async function update(
  options: UserUseCasesOptions,
  actor: Principal,
  id: string,
  change: UserChange,
): Promise<UserRecord> {
  const { users, sessions, snapshot } = options;
  const before = await read(options, actor, 'users.write', id);
  requireAbove(actor, before);
  checkGrant(actor, { models: change.models, limits: change.limits, budget: change.budget });
  requireHeld(actor, before, change);
  const patch = await patchOf(options, before, change);
  const write = () => users.update(id, before.tenant, patch, mustRemain(actor, before, patch));
  const isNamed = patch.email !== undefined || patch.username !== undefined;
  const after = isNamed ? await claiming(options.throttle, actor, write) : await write();
  if (after === null) throw userNotFound();
  if (patch.isActive === false) await sessions.endAllOf(id, 'deactivated');
  else if (patch.passwordHash !== undefined) await sessions.endAllOf(id, 'password');
  await snapshot.refresh();
  return after;
}

/**
 * Who sets how somebody signs in can sign in as them, and who gives roles could give them to
 * themselves: both hold what that person may, as who makes a person does.
 */
function requireHeld(actor: Principal, before: UserRecord, change: UserChange): void {
  const isOpened = change.isActive === true || change.isVerified === true;
  const isHandedOver = isOpened || change.password !== undefined || change.email !== undefined;
  if (change.roles !== undefined || isHandedOver) requireRoles(actor, change.roles ?? before.roles);
  if (!isHandedOver || actor.keyId === before.id) return;
  const { models = before.models, limits = before.limits, budget = before.budget } = change;
  checkGrant(actor, { models, limits, budget });
}

async function patchOf(
  { hasher }: UserUseCasesOptions,
  before: UserRecord,
  change: UserChange,
): Promise<UserPatch> {
  const { password, roles, isActive, isVerified, models, limits, budget } = change;
  const email = change.email === undefined ? before.email : checkEmail(change.email);
  const username = change.username === undefined ? before.username : checkUsername(change.username);
  if (password !== undefined) checkPassword(password, [email, localPart(email), username]);
  return {
    ...(change.email !== undefined && { email }),
    ...(change.username !== undefined && { username }),
    ...(password !== undefined && { passwordHash: await hasher.hash(password) }),
    ...(roles !== undefined && { roles: [...new Set(roles)] }),
    ...(isActive !== undefined && { isActive }),
    ...(isVerified !== undefined && { isVerified }),
    ...(models !== undefined && { models }),
    ...(limits !== undefined && { limits }),
    ...(budget !== undefined && { budget }),
  };
}

async function remove(
  options: UserUseCasesOptions,
  actor: Principal,
  id: string,
): Promise<UserRecord> {
  const before = await read(options, actor, 'users.write', id);
  requireAbove(actor, before);
  const remaining = mustRemain(actor, before, { isActive: false });
  const isGone = await options.users.remove(id, before.tenant, remaining);
  if (!isGone) throw userNotFound();
  await options.snapshot.refresh();
  return before;
}

/** Who must be left once somebody loses a role, or cannot sign in any more. */
function mustRemain(actor: Principal, before: UserRecord, patch: UserPatch): MustRemain[] {
  const roles = patch.roles ?? before.roles;
  const isOut = patch.isActive === false || patch.isVerified === false;
  const loses = (role: Role): boolean =>
    before.roles.includes(role) && (isOut || !roles.includes(role));
  const isOwnTenant = !actor.roles.includes('superadmin') || actor.keyId === before.id;
  const remaining: MustRemain[] = [];
  if (loses('superadmin')) remaining.push({ tenant: null, roles: ['superadmin'] });
  if (loses('admin') && isOwnTenant) {
    remaining.push({ tenant: before.tenant, roles: ['admin', 'superadmin'] });
  }
  return remaining;
}

/** The record, where the actor may have it; a foreign one is not even read. */
async function read(
  { users }: UserUseCasesOptions,
  actor: Principal,
  permission: 'users.read' | 'users.write',
  id: string,
): Promise<UserRecord> {
  const tenant = confineTenant(actor, permission, undefined);
  const record = await users.get(id, tenant);
  if (record === null) throw userNotFound();
  return record;
}

function requireAbove(actor: Principal, user: UserRecord): void {
  if (!user.roles.includes('superadmin') || actor.roles.includes('superadmin')) return;
  throw new GatewayError('permission_denied', {
    message: 'Only a superadmin changes a superadmin.',
  });
}

function userNotFound(): GatewayError {
  return new GatewayError('not_found', { message: 'There is no user with this id.' });
}
