/**
 * What whoever runs the machine may do with people and the audit log: in the shapes of the
 * control plane, under the same rules, with the rights of a superadmin, and written down.
 */
import {
  type AuditEntryBody,
  type InvitationCreated,
  invitationCreateSchema,
  type User,
  userCreateSchema,
  userUpdateSchema,
} from '@esclusa/contracts';
import { budgetFromWire, limitsFromWire } from '../http/shapes/index.ts';
import {
  auditToWire,
  invitationToWire,
  secretFromWire,
  userToWire,
} from '../http/shapes/people.ts';
import { generatePassword, operator, verifyChain } from '../identity/index.ts';
import type { Random } from '../kernel/random.ts';
import type { Repositories } from '../storage/index.ts';
import { checked } from './checked.ts';
import type { Identity } from './identity.ts';

export type { AuditEntryBody, InvitationCreated, User } from '@esclusa/contracts';
export type AuditVerdict = Awaited<ReturnType<typeof verifyChain>>;

/** Bodies are checked: `invalid_request` names the member at fault. */
export interface PeopleWorkspace {
  /** A password that was left out is made up, and in the answer this once. */
  createUser(
    body: Readonly<Record<string, unknown>>,
  ): Promise<User & { readonly password?: string }>;
  /** Newest first. */
  listUsers(
    page: { readonly limit: number; readonly beforeId: string | null },
    tenant: string | undefined,
  ): Promise<readonly User[]>;
  /** By identifier, address or name. Throws `not_found`, `conflict`. */
  getUser(who: string): Promise<User>;
  updateUser(who: string, body: Readonly<Record<string, unknown>>): Promise<User>;
  removeUser(who: string): Promise<User>;
  invite(body: unknown): Promise<InvitationCreated>;
  /** Newest first. */
  listAudit(
    page: { readonly limit: number; readonly before: number | null },
    tenant: string | undefined,
  ): Promise<readonly AuditEntryBody[]>;
  verifyAudit(
    anchor: { readonly sequence: number; readonly hash: string } | null,
  ): Promise<AuditVerdict>;
}

const MS_PER_HOUR = 3_600_000;

export function createPeopleWorkspace(
  { users, invite, audit, sealAudit }: Identity,
  repositories: Repositories,
  random: Random,
): PeopleWorkspace {
  async function idOf(who: string): Promise<string> {
    if (who.startsWith('usr_')) return who;
    const by = who.includes('@') ? { email: who.toLowerCase() } : { username: who };
    return (await repositories.users.find(by))?.id ?? who;
  }
  const note = (action: string, { id, tenant }: { readonly id: string; readonly tenant: string }) =>
    audit.record({ ...byOperator, tenant, action, subject: id });

  return {
    async createUser(body) {
      const hasNone = body.password === undefined && body.password_hash === undefined;
      const madeUp = hasNone ? generatePassword(random) : null;
      const wanted = checked(userCreateSchema, { ...body, ...(madeUp && { password: madeUp }) });
      const { email, username, roles, tenant } = wanted;
      const secret = secretFromWire(wanted);
      const record = await users.create(operator, { email, username, secret, roles, tenant });
      await note('users.create', record);
      return { ...userToWire(record), ...(madeUp !== null && { password: madeUp }) };
    },
    async listUsers({ limit, beforeId }, tenant) {
      return (await users.list(operator, { tenant, limit, beforeId })).map(userToWire);
    },
    async getUser(who) {
      return userToWire(await users.get(operator, await idOf(who)));
    },
    async updateUser(who, body) {
      const {
        roles,
        password,
        is_active: isActive,
        limits,
        budget,
      } = checked(userUpdateSchema, body);
      const record = await users.update(operator, await idOf(who), {
        ...{ roles, password, isActive },
        limits: limits === undefined ? undefined : limitsFromWire(limits),
        budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
      });
      await note('users.update', record);
      return userToWire(record);
    },
    async removeUser(who) {
      const record = await users.remove(operator, await idOf(who));
      await note('users.remove', record);
      return userToWire(record);
    },
    async invite(body) {
      const {
        email = null,
        roles,
        tenant,
        expires_in_hours,
      } = checked(invitationCreateSchema, body);
      const lifeMs = expires_in_hours * MS_PER_HOUR;
      const { record, token } = await invite(operator, { email, roles, tenant, lifeMs });
      await note('users.invite', record);
      return invitationToWire(record, token);
    },
    async listAudit({ limit, before }, tenant) {
      const rows = await repositories.audit.list({ tenant: tenant ?? null, limit, before });
      return rows.map(auditToWire);
    },
    verifyAudit: (anchor) => verifyChain(repositories.audit, sealAudit, anchor),
  };
}

/** An event of the command line, but for what was done to whom. */
export const byOperator = {
  actor: operator.keyId,
  outcome: 'success',
  address: null,
  requestId: null,
  details: {},
} as const;
