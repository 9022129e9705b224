/**
 * Everything the databases hold of a tenant, in pages in the order of their keys. Columns are
 * named one by one: what is not named here never leaves.
 */
import type {
  ExportRow,
  ExportValue,
  TenantExporter,
} from '../../tenancy/ports/tenant-exporter.ts';
import type { Engine } from '../engine.ts';
import type { DataPlaces } from '../places/data-places.ts';
import { OWN_TABLES } from '../places/own-tables.ts';

interface Source {
  readonly kind: string;
  /** With two marks: the tenant, and the key behind which the page begins. */
  readonly sql: string;
  readonly key: string;
  /** Before every key. */
  readonly first: string | number;
}

const AT_ONCE = 100;
/** Whole prompts and answers. */
const BODIES_AT_ONCE = 20;

const REQUESTS = `
  select r.id, r.created_at_ms, k.text as key_id, r.correlation_id, m.text as model,
    p.text as provider, pm.text as provider_model, r.status, r.input_tokens,
    r.cached_input_tokens, r.output_tokens, r.reasoning_tokens, r.cost_nanousd, r.duration_us
  from requests r join names t on t.id = r.tenant_id join names k on k.id = r.key_id
    join names m on m.id = r.model_id left join names p on p.id = r.provider_id
    left join names pm on pm.id = r.provider_model_id
  where t.text = ? and r.id > ? order by r.id limit ${AT_ONCE}`;

const SHARED: readonly Source[] = [
  byId('tenant', 'tenants', 'slug', 'id, slug, name, created_at_ms, suspended_at_ms, limits'),
  { ...byId('host', 'tenant_hosts', 'tenant', 'host'), ...{ key: 'host' } },
  byId(
    'api_key',
    'api_keys',
    'tenant',
    'id, name, role, models, limits, created_at_ms, revoked_at_ms',
  ),
  byId(
    ...(['user', 'users', 'tenant'] as const),
    'id, email, username, subject, roles, is_active, created_at_ms, last_login_at_ms',
  ),
  byId('invitation', 'invitations', 'tenant', 'id, email, roles, created_at_ms, used_at_ms'),
  { kind: 'request', sql: REQUESTS, key: 'id', first: '' },
  {
    kind: 'audit',
    sql:
      'select sequence, at_ms, actor, action, subject, outcome, address, request_id, details ' +
      `from audit_log where tenant = ? and sequence > ? order by sequence limit ${AT_ONCE}`,
    ...{ key: 'sequence', first: 0 },
  },
];

export function createTenantExporter(engine: Engine, places: DataPlaces): TenantExporter {
  return {
    async *rows(slug) {
      for (const source of SHARED) yield* pages(source, slug, (run) => run(engine));
      for (const { name, key, columns } of OWN_TABLES) {
        const sql =
          `select ${columns.join(', ')} from ${name} where tenant = ? and ${key} > ? ` +
          `order by ${key} limit ${BODIES_AT_ONCE}`;
        const source = { kind: name === 'bodies' ? 'body' : 'response', sql, key, first: '' };
        yield* pages(source, slug, (run) => places.within(slug, run));
      }
    },
  };
}

function byId(kind: string, table: string, tenant: string, columns: string): Source {
  const key = table === 'tenant_hosts' ? 'host' : 'id';
  const sql =
    `select ${columns} from ${table} where ${tenant} = ? and ${key} > ? ` +
    `order by ${key} limit ${AT_ONCE}`;
  return { kind, sql, key, first: '' };
}

type OnEngine = <T>(run: (engine: Engine) => Promise<T>) => Promise<T>;
type Row = Readonly<Record<string, ExportValue>>;

/** A page that is empty is the last. */
async function* pages(source: Source, slug: string, on: OnEngine): AsyncGenerator<ExportRow> {
  const { kind, sql, key, first } = source;
  for (let after = first; ; ) {
    const parameters = [slug, after];
    const rows = await on((engine) => engine.read<Row>(slug, sql, parameters));
    for (const row of rows) yield { kind, row };
    const last = rows.at(-1)?.[key];
    if (typeof last !== 'string' && typeof last !== 'number') return;
    after = last;
  }
}
