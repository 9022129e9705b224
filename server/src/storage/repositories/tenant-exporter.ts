/**
 * Everything the databases hold of a tenant, in pages in the order of their keys. Columns are
 * named one by one: what is not named here never leaves.
 */
import type {
  ExportRow,
  ExportValue,
  TenantExporter,
} from '../../tenancy/ports/tenant-exporter.ts';
import { CACHE_STATUSES, DIALECTS, OPERATIONS, OUTCOMES, USAGE_SOURCES } from '../codes.ts';
import type { Engine } from '../engine.ts';
import type { DataPlaces } from '../places/data-places.ts';
import { OWN_TABLES } from '../places/own-tables.ts';

interface Source {
  readonly kind: string;
  /** Marks: the tenant, then the members of the key behind which the page begins. */
  readonly sql: string;
  /** The members of a row's key, and those before every row. */
  readonly key: readonly string[];
  readonly first: readonly (string | number)[];
  /** The key is of no use to anybody else. */
  readonly hidesKey?: boolean;
}

const AT_ONCE = 100;
/** Whole prompts and answers. */
const BODIES_AT_ONCE = 20;

const TENANT = '(select id from names where text = ?)';
const BUDGET = 'budget_limit_nanousd, budget_period, budget_soft';

/** Numbers that stand for words are told as words, behind the columns of the row. */
const REQUESTS = `
  select r.id, r.created_at_ms, k.text as key_id, coalesce(r.correlation_id, r.id)
    as correlation_id, ${wordsOf('dialect', DIALECTS)}, ${wordsOf('operation', OPERATIONS)},
    m.text as model, p.text as provider, pm.text as provider_model, r.stream, r.status,
    ${wordsOf('outcome', OUTCOMES)}, e.text as error_code, ${wordsOf('cache', CACHE_STATUSES)},
    r.attempts, r.input_tokens, r.cached_input_tokens, r.cache_write_tokens, r.output_tokens,
    r.reasoning_tokens, ${wordsOf('usage_source', USAGE_SOURCES)}, r.cost_nanousd,
    pr.text as price_id, r.duration_us, r.first_token_us, r.config_generation, a.text as arm
  from requests r join names k on k.id = r.key_id
    join names m on m.id = r.model_id left join names p on p.id = r.provider_id
    left join names pm on pm.id = r.provider_model_id left join names e on e.id = r.error_id
    left join names pr on pr.id = r.price_id left join names a on a.id = r.arm_id
  where r.tenant_id = ${TENANT} and (r.created_at_ms, r.id) > (?, ?)
  order by r.created_at_ms, r.id limit ${AT_ONCE}`;

/** Sums of forgotten exchanges. */
const DAYS = `
  select d.day as at_day, d.key_id as at_key, d.model_id as at_model, d.provider_id as at_provider,
    d.outcome as at_outcome, d.day * 86400000 as day_ms, k.text as key_id, m.text as model,
    p.text as provider, ${wordsOf('outcome', OUTCOMES, 'd')}, d.requests, d.cache_hits,
    d.input_tokens, d.cached_input_tokens, d.output_tokens, d.cost_nanousd, d.unpriced
  from usage_days d join names k on k.id = d.key_id
    join names m on m.id = d.model_id left join names p on p.id = d.provider_id
  where d.tenant_id = ${TENANT}
    and (d.day, d.key_id, d.model_id, d.provider_id, d.outcome) > (?, ?, ?, ?, ?)
  order by d.day, d.key_id, d.model_id, d.provider_id, d.outcome limit ${AT_ONCE}`;

const SESSIONS = `
  select f.id, f.user_id, f.created_at_ms, f.rotated_at_ms, f.expires_at_ms, f.ended_at_ms,
    f.end_reason
  from refresh_families f join users u on u.id = f.user_id
  where u.tenant = ? and f.id > ? order by f.id limit ${AT_ONCE}`;

const SHARED: readonly Source[] = [
  byId(
    ...(['tenant', 'tenants', 'slug'] as const),
    `id, slug, name, created_at_ms, suspended_at_ms, limits, ${BUDGET}, models`,
  ),
  byId('host', 'tenant_hosts', 'tenant', 'host'),
  byId(
    ...(['api_key', 'api_keys', 'tenant'] as const),
    `id, name, role, scopes, addresses, cache_use, models, limits, ${BUDGET}, created_at_ms, ` +
      'expires_at_ms, revoked_at_ms',
  ),
  byId(
    ...(['user', 'users', 'tenant'] as const),
    'id, email, username, subject, roles, is_active, is_verified, models, limits, ' +
      `${BUDGET}, created_at_ms, last_login_at_ms, removed_at_ms`,
  ),
  { kind: 'session', sql: SESSIONS, key: ['id'], first: [''] },
  byId(
    ...(['invitation', 'invitations', 'tenant'] as const),
    'id, email, roles, created_at_ms, expires_at_ms, used_at_ms',
  ),
  { kind: 'request', sql: REQUESTS, key: ['created_at_ms', 'id'], first: [-1, ''] },
  {
    ...{ kind: 'usage_day', sql: DAYS, first: [-1, -1, -1, -1, -1], hidesKey: true },
    key: ['at_day', 'at_key', 'at_model', 'at_provider', 'at_outcome'],
  },
  {
    kind: 'audit',
    sql:
      'select sequence, at_ms, actor, action, subject, outcome, address, request_id, details ' +
      `from audit_log where tenant = ? and sequence > ? order by sequence limit ${AT_ONCE}`,
    ...{ key: ['sequence'], first: [0] },
  },
];

/** `settle` resolves when what was acknowledged is in the database, or cannot be in time. */
export function createTenantExporter(
  engine: Engine,
  places: DataPlaces,
  settle: () => Promise<void>,
): TenantExporter {
  return {
    async *rows(slug) {
      await settle();
      for (const source of SHARED) yield* pages(source, slug, (run) => run(engine));
      for (const { name, key, columns } of OWN_TABLES) {
        const sql =
          `select ${columns.join(', ')} from ${name} where tenant = ? and ${key} > ? ` +
          `order by ${key} limit ${BODIES_AT_ONCE}`;
        const kind = name === 'bodies' ? 'body' : 'response';
        const source = { kind, sql, key: [key], first: [''] };
        yield* pages(source, slug, (run) => places.within(slug, run));
      }
    },
  };
}

/** Words are ours alone: letters and underscores. */
function wordsOf(column: string, words: readonly string[], table = 'r'): string {
  const cases = words.map((word, code) => `when ${code} then '${word}'`);
  return `case ${table}.${column} ${cases.join(' ')} end as ${column}`;
}

function byId(kind: string, table: string, tenant: string, columns: string): Source {
  const key = table === 'tenant_hosts' ? 'host' : 'id';
  const sql =
    `select ${columns} from ${table} where ${tenant} = ? and ${key} > ? ` +
    `order by ${key} limit ${AT_ONCE}`;
  return { kind, sql, key: [key], first: [''] };
}

type OnEngine = <T>(run: (engine: Engine) => Promise<T>) => Promise<T>;
type Row = Readonly<Record<string, ExportValue>>;

/** A page that is empty is the last. */
async function* pages(source: Source, slug: string, on: OnEngine): AsyncGenerator<ExportRow> {
  const { kind, sql, key, first, hidesKey = false } = source;
  const hidden = new Set(hidesKey ? key : []);
  for (let after: readonly ExportValue[] = first; ; ) {
    const parameters = [slug, ...after];
    const rows = await on((engine) => engine.read<Row>(slug, sql, parameters));
    for (const row of rows) {
      const shown = Object.entries(row).filter(([name]) => !hidden.has(name));
      yield { kind, row: Object.fromEntries(shown) };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = key.map((name) => last[name] ?? null);
  }
}
