/**
 * Stand-ins for what identity needs: repositories in memory that keep the contract of the
 * ports, a clock moved by hand, randomness from a counter.
 */
import { GatewayError, type Principal, type Role } from '../../../src/gateway/index.ts';
import {
  createKeyUseCases,
  createSecretHasher,
  type KeyRecord,
  type KeyRepository,
  operator,
} from '../../../src/identity/index.ts';
import { createIdSource } from '../../../src/kernel/id.ts';
import type { Random } from '../../../src/kernel/random.ts';
import type { TenantRecord, TenantRepository } from '../../../src/tenancy/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { tenantRecord } from '../../support/tenant-record.ts';

export const NOW_MS = Date.UTC(2026, 10, 20, 9, 0, 0);

export function createCountingRandom(): Random {
  let count = 0;
  return {
    float: () => 0.5,
    bytes(length) {
      count += 1;
      return Uint8Array.from({ length }, (_, at) => (count * 31 + at * 7) % 256);
    },
  };
}

export interface MemoryKeys extends KeyRepository {
  /** While set, every method fails as an unreachable database does. */
  isDown: boolean;
  readonly rows: Map<string, KeyRecord>;
  /** Sets the version back and forgets keys, as restoring a backup does. */
  restore(rows: readonly KeyRecord[], version: number): void;
}

export function createMemoryKeys(): MemoryKeys {
  const rows = new Map<string, KeyRecord>();
  let changes: { version: number; id: string }[] = [];
  let version = 0;
  const touch = (record: KeyRecord): void => {
    rows.set(record.id, record);
    version += 1;
    changes.push({ version, id: record.id });
  };
  const keys: MemoryKeys = {
    isDown: false,
    rows,
    restore(records, restoredVersion) {
      rows.clear();
      changes = [];
      version = restoredVersion;
      for (const record of records) {
        rows.set(record.id, record);
        changes.push({ version: restoredVersion, id: record.id });
      }
    },
    async insert(record) {
      requireUp(keys);
      touch(record);
    },
    async get(id, tenant) {
      requireUp(keys);
      const row = rows.get(id);
      return row === undefined || (tenant !== null && row.tenant !== tenant) ? null : row;
    },
    async list({ tenant, limit, beforeId }) {
      requireUp(keys);
      return [...rows.values()]
        .filter((row) => tenant === null || row.tenant === tenant)
        .filter((row) => beforeId === null || row.id < beforeId)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    async update(id, tenant, patch) {
      const row = await keys.get(id, tenant);
      if (row === null) return null;
      const changed = { ...row, ...patch };
      touch(changed);
      return changed;
    },
    async changedSince(since) {
      requireUp(keys);
      const ids = new Set(changes.filter((change) => change.version > since).map(({ id }) => id));
      return { keys: [...ids].map((id) => rows.get(id) as KeyRecord), version };
    },
  };
  return keys;
}

export function createMemoryTenants(slugs: readonly string[]): TenantRepository {
  const rows = new Map<string, TenantRecord>(
    slugs.map((slug) => [slug, tenantRecord(slug, { createdAtMs: NOW_MS })]),
  );
  let version = 0;
  const versions = new Map<string, number>();
  const wrote = (slug: string): void => {
    version += 1;
    versions.set(slug, version);
  };
  const memory: TenantRepository = {
    async insert(record) {
      if (rows.has(record.slug)) throw new GatewayError('conflict', { field: 'slug' });
      rows.set(record.slug, record);
      wrote(record.slug);
    },
    get: async (slug) => rows.get(slug) ?? null,
    update: (slug, patch) => memory.modify(slug, () => patch),
    async modify(slug, change) {
      const before = rows.get(slug);
      const patch = before === undefined ? null : change(before);
      if (before === undefined || patch === null) return null;
      const after = { ...before, ...patch };
      rows.set(slug, after);
      wrote(slug);
      return after;
    },
    changedSince: async (since) => ({
      tenants: [...rows.values()].filter((row) => (versions.get(row.slug) ?? 1) > since),
      version,
    }),
    list: async ({ limit, afterSlug }) =>
      [...rows.values()]
        .filter((row) => afterSlug === null || row.slug > afterSlug)
        .sort((a, b) => (a.slug < b.slug ? -1 : 1))
        .slice(0, limit),
  };
  return memory;
}

export const hashSecret = createSecretHasher(Buffer.alloc(32, 1));

export function principal({
  role = 'service',
  ...changes
}: Partial<Principal> & { readonly role?: Role }): Principal {
  return { ...operator, keyId: 'key_caller', roles: [role], ...changes };
}

/** The use cases over memory, with the tenants `default`, `acme` and `globex`. */
export function createKeyFixture() {
  const clock = createManualClock(NOW_MS);
  const random = createCountingRandom();
  const repository = createMemoryKeys();
  const slugs = ['default', 'acme', 'globex'];
  const fixture = { refreshes: 0 };
  const keys = createKeyUseCases({
    repository,
    tenantExists: async (slug) => slugs.includes(slug),
    refreshSnapshot: async () => {
      fixture.refreshes += 1;
    },
    hashSecret,
    random,
    ids: createIdSource(clock, random),
    clock,
  });
  return { keys, repository, clock, fixture };
}

function requireUp(keys: { readonly isDown: boolean }): void {
  if (keys.isDown) throw new GatewayError('storage_unavailable');
}
