/**
 * Signing in, refreshing, signing out, and changing one's password: what a person does with
 * their own account.
 *
 * A wrong address, a wrong password and a closed account read the same and take the same time.
 * Each attempt, good or not, is an event of the audit log.
 */
import {
  type Authenticator,
  type Credential,
  GatewayError,
  type Principal,
  principalOf,
} from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { StandingOf } from '../authenticator.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { checkPassword } from '../passwords/policy.ts';
import type { FamilyRecord } from '../ports/family-repository.ts';
import type { UserRecord, UserRepository } from '../ports/user-repository.ts';
import { operator } from '../superadmin.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { UserSnapshot } from '../user-snapshot.ts';
import { type Caller, type HashText, sourceOf } from './caller.ts';
import { localPart, normaliseEmail } from './names.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';

export interface SignInWanted {
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly password: string;
}

export interface SignInUseCases {
  /** Throws `sign_in_refused`, `sign_in_throttled`, `tenant_suspended`, `overloaded`. */
  login(wanted: SignInWanted, caller: Caller): Promise<Session>;
  /** Throws `refresh_refused`, `tenant_suspended`. */
  refresh(token: string, caller: Caller): Promise<Session>;
  /**
   * Whose token this is, also where its session is over: enough to end it. Rejects with the
   * codes of authentication.
   */
  holderOf(credential: Credential): Promise<Principal>;
  /** Ends the family of the token it is called with. Throws `permission_denied` for a key. */
  logout(actor: Principal, caller: Caller): Promise<void>;
  /** Ends every family of the user, that of the token too. Throws `permission_denied` for a key. */
  logoutAll(actor: Principal, caller: Caller): Promise<void>;
  /** Newest first. Throws `permission_denied` for a key. */
  sessions(actor: Principal): Promise<readonly FamilyRecord[]>;
  /** Ends every family of the user. Throws `sign_in_refused`, `password_too_weak`. */
  changePassword(
    actor: Principal,
    wanted: { readonly current: string; readonly next: string },
    caller: Caller,
  ): Promise<void>;
  me(actor: Principal): Promise<UserRecord | null>;
}

export interface SignInOptions {
  readonly users: UserRepository;
  readonly snapshot: Pick<UserSnapshot, 'refresh' | 'dearestImported'>;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly hasher: PasswordHasher;
  readonly tokens: Pick<AccessTokens, 'read'>;
  readonly authenticator: Authenticator;
  readonly standingOf: StandingOf;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly hashText: HashText;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const REFRESHES_PER_MINUTE = 300;
const NOBODY_ID = 'usr_nobody';

/** Every method may throw `storage_unavailable`. */
export function createSignIn(options: SignInOptions): SignInUseCases {
  return {
    login: (wanted, caller) => login(options, wanted, caller),
    refresh: (token, caller) => refresh(options, token, caller),
    holderOf: (credential) => holderOf(options, credential),
    logout: (actor, caller) => logout(options, actor, caller),
    logoutAll: (actor, caller) => logoutAll(options, actor, caller),
    async sessions(actor) {
      requirePerson(actor);
      return options.sessions.living(actor.keyId);
    },
    changePassword: (actor, wanted, caller) => changePassword(options, actor, wanted, caller),
    me: async (actor) =>
      actor.kind === 'user' ? options.users.get(actor.keyId, actor.tenant) : null,
  };
}

async function login(
  options: SignInOptions,
  { email, username, password }: SignInWanted,
  caller: Caller,
): Promise<Session> {
  const { users, sessions, audit, hashText } = options;
  const name = email === undefined ? (username ?? '') : normaliseEmail(email);
  const found = await users.find(email === undefined ? { username: name } : { email: name });
  const user = isElsewhere(caller, found) ? null : found;
  const isKnownSource = await sessions.knowsSource(user?.id ?? NOBODY_ID, caller);
  const account = user?.id ?? hashText(`account\n${name.toLowerCase()}`);
  const attempt = { account, source: sourceOf(caller), isKnownSource };
  const isRight = await tryPassword(options, attempt, user, password);
  if (user === null || !isRight) {
    await audit.record(event(caller, user, `unknown:${account}`, 'auth.login', 'failure'));
    throw new GatewayError('sign_in_refused', {
      message: 'This address and password do not belong together.',
    });
  }
  if (options.standingOf(user.tenant) === 'suspended') {
    await audit.record(event(caller, user, user.id, 'auth.login', 'failure'));
    throw new GatewayError('tenant_suspended');
  }
  const session = await sessions.begin(user, caller);
  await improveHash(options, user, password);
  await users.touch(user.id, options.clock.wallMs());
  await audit.record(event(caller, user, user.id, 'auth.login', 'success'));
  return session;
}

/** At the host of a tenant only its own people sign in. */
function isElsewhere({ tenant }: Caller, user: UserRecord | null): boolean {
  return tenant !== null && user !== null && user.tenant !== tenant;
}

/** Counts the attempt, then compares; one that succeeds counts nothing. */
async function tryPassword(
  { throttle, hasher, snapshot }: SignInOptions,
  attempt: Parameters<Throttle['attempt']>[0],
  user: UserRecord | null,
  password: string,
): Promise<boolean> {
  const succeed = await throttle.attempt(attempt);
  const hash = user?.passwordHash ?? null;
  const isRight = await hasher.verify(hash, password, snapshot.dearestImported());
  const mayEnter = isRight && user?.isActive === true && user.isVerified;
  if (mayEnter) succeed();
  return mayEnter;
}

async function improveHash(
  { hasher, users }: SignInOptions,
  user: UserRecord,
  password: string,
): Promise<void> {
  if (user.passwordHash === null || !hasher.isOutdated(user.passwordHash)) return;
  await users.update(user.id, user.tenant, { passwordHash: await hasher.hash(password) });
}

async function refresh(options: SignInOptions, token: string, caller: Caller): Promise<Session> {
  const { throttle, sessions, audit } = options;
  await throttle.visit('refresh', sourceOf(caller), REFRESHES_PER_MINUTE);
  const { session } = await sessions.refresh(token, caller, async ({ userId, id }) => {
    const user = await options.users.get(userId, null);
    const reused = event(caller, user, userId, 'auth.refresh_reuse', 'failure');
    await audit.record({ ...reused, details: { family: id } });
  });
  return session;
}

async function holderOf(
  { tokens, authenticator }: SignInOptions,
  credential: Credential,
): Promise<Principal> {
  const claims = credential.kind === 'secret' ? await tokens.read(credential.value) : null;
  if (claims === null) return principalOf(authenticator, credential);
  const { userId: keyId, tenant, familyId } = claims;
  return { ...operator, kind: 'user', keyId, name: keyId, tenant, roles: [], familyId };
}

async function logout(options: SignInOptions, actor: Principal, caller: Caller): Promise<void> {
  requirePerson(actor);
  if (actor.familyId !== null) await options.sessions.end(actor.familyId, 'logout');
  const { tenant, keyId } = actor;
  await options.audit.record(event(caller, { tenant, id: keyId }, keyId, 'auth.logout', 'success'));
}

async function logoutAll(options: SignInOptions, actor: Principal, caller: Caller): Promise<void> {
  requirePerson(actor);
  await options.sessions.endAllOf(actor.keyId, 'logout');
  const user = actorOf(actor);
  await options.audit.record(event(caller, user, user.id, 'auth.logout_all', 'success'));
}

async function changePassword(
  options: SignInOptions,
  actor: Principal,
  { current, next }: { readonly current: string; readonly next: string },
  caller: Caller,
): Promise<void> {
  const { users, hasher, sessions, snapshot, audit } = options;
  requirePerson(actor);
  const user = await users.get(actor.keyId, actor.tenant);
  const attempt = { account: actor.keyId, source: sourceOf(caller), isKnownSource: true };
  const isRight = await tryPassword(options, attempt, user, current);
  if (user === null || !isRight) {
    await audit.record(event(caller, actorOf(actor), actor.keyId, 'auth.password', 'failure'));
    throw new GatewayError('sign_in_refused', {
      message: '`current_password` is not the password of this account.',
      field: 'current_password',
    });
  }
  checkPassword(next, [user.email, localPart(user.email), user.username], 'new_password');
  if (next === current) {
    throw new GatewayError('password_too_weak', {
      message: '`new_password` is the old one.',
      field: 'new_password',
    });
  }
  await users.update(user.id, user.tenant, { passwordHash: await hasher.hash(next) });
  await sessions.endAllOf(user.id, 'password');
  await snapshot.refresh();
  await audit.record(event(caller, user, user.id, 'auth.password', 'success'));
}

function requirePerson(actor: Principal): void {
  if (actor.kind === 'user') return;
  throw new GatewayError('permission_denied', {
    message: 'An API key has no session and no password: this is for people who signed in.',
  });
}

function actorOf({ tenant, keyId }: Principal): Pick<UserRecord, 'tenant' | 'id'> {
  return { tenant, id: keyId };
}

function event(
  caller: Caller,
  user: Pick<UserRecord, 'tenant' | 'id'> | null,
  subject: string,
  action: string,
  outcome: 'success' | 'failure',
) {
  return {
    tenant: user?.tenant ?? '',
    actor: outcome === 'success' ? (user?.id ?? 'anonymous') : 'anonymous',
    action,
    subject,
    outcome,
    address: caller.address,
    requestId: caller.requestId,
    details: {},
  };
}
