/**
 * The state of a gateway as the control plane is shown it, and a ledger in memory.
 */
import {
  type Authenticator,
  type BodyStore,
  type Credential,
  type Explanation,
  GatewayError,
  type KeptBodies,
  type LedgerEntry,
  type LedgerFilter,
  type LedgerQueries,
  principalOf,
} from '../../../src/gateway/index.ts';

import type { Log, LogFields } from '../../../src/kernel/log.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

const BREAKER = {
  name: 'openai/gpt-4o-mini',
  state: 'open' as const,
  is_open: true,
  cause: 'failures' as const,
  failure_count: 5,
  success_count: 0,
  total_calls: 9,
  total_failures: 5,
  total_successes: 4,
  failure_rate: 0.5556,
  open_seconds_total: 48,
  opened_at: '2026-11-20T08:59:00.000Z',
  retry_after_ms: 12_000,
  resting_ms: null,
  workers: [{ worker: 'host-1', state: 'open' as const, failure_count: 5, retry_after_ms: 12_000 }],
};

const RELOAD = {
  outcome: 'applied' as const,
  generation: 2,
  at: '2026-11-20T08:00:00.000Z',
  changes: [{ path: 'models.fast.strategy', before: 'fallback', after: 'weighted' }],
  need_restart: [],
  problems: [],
};

const FIGURES = { hits: 3, misses: 1, hit_rate_percent: 75, hit_rate: 0.75, avg_latency_ms: 0.1 };

export function gatewayState(purged: string[], resets: string[]) {
  return {
    jobs: { list: async () => [], retry: async () => null, remove: async () => null },
    routes: () => ({
      list: () =>
        ['fast', 'smart'].map((name) => ({
          name,
          createdSeconds: 1_763_600_000,
          ownedBy: 'esclusa',
          operations: ['chat' as const],
        })),
    }),
    providers: () => [{ name: 'openai', kind: 'openai', base_url: null, models: ['fast'] }],
    terms: () => ({ weight: 1, limits: {}, budget: null, models: new Map() }),
    budgets: {
      figures: async () => ({
        spentNanousd: 500,
        reservedNanousd: 20,
        renewsAtMs: Date.UTC(2026, 10, 21),
      }),
    },
    explain: (): Explanation => ({
      ...{ refusal: null, generation: 2, route: null, stickyValue: null, cache: null },
      ...{ inputTokens: 3, outputTokens: 512, reserveNanousd: 7, targets: [], rejected: [] },
    }),
    breakers: {
      list: async () => [BREAKER],
      reset: async (name: string | null) => {
        resets.push(name ?? '*');
        return [BREAKER];
      },
    },
    config: {
      state: () => ({ generation: 2, file: null, config: { cache: {} }, last_reload: RELOAD }),
      reload: async () => RELOAD,
    },
    cache: cacheState(purged),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    health: healthState(),
  };
}

function cacheState(purged: string[]) {
  return {
    purge: async (tenant: string) => {
      purged.push(tenant);
      return 7;
    },
    remove: async (tenant: string, selection: object) => {
      purged.push(`${tenant} ${JSON.stringify(selection)}`);
      return 1;
    },
    resetStats: async (tenant: string | null) => {
      purged.push(`figures of ${tenant}`);
    },
    stats: async (tenant: string | null) => ({
      ...{ enabled: true, backend: 'memory', tenant, scope: 'process' as const },
      ...{ entries: 2, bytes: 400, stale: 0, joins: 0, bypasses: 0, total_requests: 4 },
      ...{ errors: 0, circuit_breaker: { state: 'closed' as const, failures: 0 } },
      ...FIGURES,
      operations: { get: FIGURES },
      tiers: {
        memory: { hits: 3, misses: 1, sets: 1, evictions: 0, entries: 2, bytes: 400 },
        redis: null,
      },
    }),
    health: () => ({
      status: 'healthy' as const,
      healthy: true,
      enabled: true,
      critical: false,
      backend: 'memory',
      latency_ms: null,
      circuit_breaker_state: 'closed' as const,
      connection_pool: null,
    }),
  };
}

export const NO_CHECKS = {
  ...{ total_duration_ms: 0, total_checks: 0, passed: 0, warnings: 0, critical_failures: 0 },
  results: [],
};

function healthState() {
  return {
    database: async () => databaseHealth,
    startup: () => ({ ...NO_CHECKS, status: 'healthy' as const }),
    ready: () => ({ status: 'ready' as const, degraded: [], unavailable: [] }),
    report: async () => ({
      status: 'healthy' as const,
      database: 'connected' as const,
      cache: 'memory',
      checks: {
        database: {
          healthy: true,
          enabled: true,
          critical: true,
          latency_ms: 1,
          message: 'file',
        },
      },
    }),
  };
}

export function memoryLedger(rows: readonly LedgerEntry[], filters: LedgerFilter[]): LedgerQueries {
  return {
    async get(id, tenant) {
      return rows.find((row) => row.id === id && (tenant ?? row.tenant) === row.tenant) ?? null;
    },
    async list(filter, { limit, beforeId }) {
      filters.push(filter);
      return rows
        .filter((row) => (filter.tenant ?? row.tenant) === row.tenant)
        .filter((row) => (filter.keyId ?? row.keyId) === row.keyId)
        .filter((row) => beforeId === null || row.id < beforeId)
        .toSorted((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    async usage(filter, by) {
      filters.push(filter);
      return [
        {
          group: by.map((dimension) => (dimension === 'provider' ? null : `a ${dimension}`)),
          requests: 3,
          failed: 1,
          cacheHits: 1,
          inputTokens: 30,
          cachedInputTokens: 10,
          outputTokens: 9,
          costNanousd: 1_500_000_001,
          unpriced: 0,
        },
      ];
    },
  };
}

export function memoryBodies(rows: readonly KeptBodies[]): Pick<BodyStore, 'get'> {
  return {
    async get(requestId, tenant) {
      return rows.find((row) => row.requestId === requestId && row.tenant === tenant) ?? null;
    },
  };
}

export function recordingLog(lines: LogLine[]): Log {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Nobody can sign in here; the sessions of people are tested over the whole program. */
export function peopleState(authenticator: Authenticator) {
  const refused = async (): Promise<never> => {
    throw new GatewayError('sign_in_refused');
  };
  const missing = async (): Promise<never> => {
    throw new GatewayError('not_found');
  };
  return {
    originOf: () => ({ address: () => '192.0.2.1', tenant: () => null }),
    signIn: {
      login: refused,
      refresh: refused,
      changePassword: refused,
      holderOf: async (credential: Credential) => principalOf(authenticator, credential),
      logout: async () => undefined,
      logoutAll: async () => undefined,
      sessions: async () => [],
      me: async () => null,
    },
    register: async () => undefined,
    users: {
      create: missing,
      get: missing,
      list: async () => [],
      update: missing,
      remove: missing,
      sessions: missing,
      signOut: missing,
    },
    invite: missing,
    places: { test: missing, move: missing },
    removal: { export: missing, erase: missing },
    singleSignOn: null,
    isSecure: false,
    audit: { record: async () => true },
    auditEntries: { list: async () => [] },
    tokens: { publicKeys: async () => ({ keys: [] }) },
  };
}

const stats = { pool_size: 20, max_overflow: 10, checked_out: 0, idle: 0, overflow: 0 };
const databaseHealth = {
  ...{ status: 'healthy' as const, backend: 'postgres' as const, version: '15.1', role: 'app' },
  checks: {
    connection: { healthy: true, test_query: 'ok' as const, latency_ms: 1 },
    pool: {
      healthy: true,
      stats: { ...stats, total_available: 30, waiting: 0, timeout: 30 },
      utilization: 0,
    },
    tables: { healthy: true, count: 12 },
    migrations: { healthy: true, applied: 4 },
    row_security: { healthy: true },
  },
};
