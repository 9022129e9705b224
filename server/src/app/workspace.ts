/**
 * What whoever runs the machine may do to the data: keys, tenants and the ledger, in the very
 * shapes of the control plane and under the same checks, with the rights of a superadmin.
 */
import {
  type Key,
  type KeyCreated,
  keyCreateSchema,
  keyUpdateSchema,
  type RequestRow,
  type UsageReportRow,
} from '@esclusa/contracts';
import type { LedgerFilter, LedgerQueries, Principal, UsageDimension } from '../gateway/index.ts';
import { principalOfKey } from '../http/index.ts';
import {
  budgetFromWire,
  keyToWire,
  limitsFromWire,
  requestToWire,
  usageToWire,
} from '../http/shapes/index.ts';
import { operator } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { Repositories } from '../storage/index.ts';
import { checked } from './checked.ts';
import type { Identity } from './identity.ts';
import type { TenantData } from './tenant-data.ts';
import { type BudgetWorkspace, createBudgetWorkspace } from './workspace-budgets.ts';
import { createFlagWorkspace, type FlagWorkspace } from './workspace-flags.ts';
import { createJobWorkspace, type JobWorkspace } from './workspace-jobs.ts';
import { byOperator, createPeopleWorkspace, type PeopleWorkspace } from './workspace-people.ts';
import { createTenantWorkspace, type TenantWorkspace } from './workspace-tenants.ts';

export type { Key, KeyCreated, RequestRow, UsageReportRow } from '@esclusa/contracts';
export type { Flag } from './workspace-flags.ts';

export interface Page {
  readonly limit: number;
  readonly beforeId: string | null;
}

/** Bodies are checked: `invalid_request` names the member at fault. */
export interface Workspace
  extends BudgetWorkspace,
    FlagWorkspace,
    JobWorkspace,
    PeopleWorkspace,
    TenantWorkspace {
  createKey(body: unknown): Promise<KeyCreated>;
  /** Newest first. */
  listKeys(page: Page, tenant: string | undefined): Promise<readonly Key[]>;
  /** Throws `not_found`, as what follows does. */
  getKey(id: string): Promise<Key>;
  updateKey(id: string, body: unknown): Promise<Key>;
  revokeKey(id: string): Promise<Key>;
  /** Who calls with this key; throws `not_found`, `conflict` for a revoked one. */
  principalOf(keyId: string, tenant: string | undefined): Promise<Principal>;
  /** Newest first. */
  listRequests(filter: LedgerFilter, page: Page): Promise<readonly RequestRow[]>;
  getRequest(id: string): Promise<RequestRow | null>;
  /** Dearest first. */
  usage(
    filter: LedgerFilter,
    by: readonly UsageDimension[],
    limit: number,
  ): Promise<readonly UsageReportRow[]>;
}

export interface WorkspaceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly data: TenantData;
  /** Whether the configuration forces a flag off. */
  readonly isForcedOff: (name: string) => boolean;
}

export function createWorkspace(
  identity: Identity,
  repositories: Repositories,
  { clock, random, data, isForcedOff }: WorkspaceDeps,
): Workspace {
  const { keys, audit } = identity;
  const ledger: LedgerQueries = repositories.ledgerQueries;
  const note = (action: string, tenant: string, subject: string) =>
    audit.record({ ...byOperator, action, tenant, subject });
  return {
    ...createPeopleWorkspace(identity, repositories, random),
    ...createFlagWorkspace(identity, repositories, { clock, isForcedOff }),
    ...createJobWorkspace(identity, repositories, clock),
    ...createTenantWorkspace(identity, data, clock),
    ...createBudgetWorkspace(identity, ledger, clock),
    async createKey(body) {
      const { limits, budget, expires_at, cache, ...rest } = checked(keyCreateSchema, body);
      const { record, secret } = await keys.create(operator, {
        ...rest,
        cacheUse: cache,
        limits: limits === undefined ? undefined : limitsFromWire(limits),
        budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
        expiresAtMs: typeof expires_at === 'string' ? Date.parse(expires_at) : expires_at,
      });
      await note('keys.create', record.tenant, record.id);
      return { ...keyToWire(record, clock.wallMs()), key: secret };
    },
    async listKeys({ limit, beforeId }, tenant) {
      const rows = await keys.list(operator, { tenant, limit, beforeId });
      return rows.map((row) => keyToWire(row, clock.wallMs()));
    },
    async getKey(id) {
      return keyToWire(await keys.get(operator, id), clock.wallMs());
    },
    async updateKey(id, body) {
      const { limits, budget } = checked(keyUpdateSchema, body);
      const record = await keys.update(operator, id, {
        limits: limits === undefined ? undefined : limitsFromWire(limits),
        budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
      });
      await note('keys.update', record.tenant, record.id);
      return keyToWire(record, clock.wallMs());
    },
    async revokeKey(id) {
      const record = await keys.revoke(operator, id);
      await note('keys.revoke', record.tenant, record.id);
      return keyToWire(record, clock.wallMs());
    },
    principalOf: (keyId, tenant) => principalOfKey(keys, operator, keyId, tenant),
    async listRequests(filter, page) {
      return (await ledger.list(filter, page)).map(requestToWire);
    },
    async getRequest(id) {
      const entry = await ledger.get(id, null);
      return entry === null ? null : requestToWire(entry);
    },
    async usage(filter, by, limit) {
      return (await ledger.usage(filter, by, limit)).map((row) => usageToWire(row, by));
    },
  };
}
