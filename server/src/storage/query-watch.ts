/**
 * Tells of every statement how long it took or how it failed, by what it does and the table it
 * names first. Both engines report here; the ledger's batches, which a thread of its own
 * writes, come as one insert each.
 *
 * Begin, commit and the like are not told: the statements between them are.
 */
import type { LogEvent } from 'kysely';
import { GatewayError } from '../gateway/model/errors.ts';
import type { Clock } from '../kernel/clock.ts';

export interface QueryMeters {
  done(operation: string, table: string, durationMs: number): void;
  failed(operation: string, table: string, errorType: string): void;
}

export interface QueryWatch {
  /** `error` undefined: it was answered. */
  ended(sql: string, durationMs: number, error?: unknown): void;
  batchWritten(durationMs: number): void;
  batchFailed(): void;
}

interface Kind {
  readonly operation: string;
  readonly table: string;
}

const KINDS_MAX = 1000;
const LEDGER_TABLE = 'requests';
const NO_TABLE = 'none';
const VERB = /\b(select|insert|update|delete)\b/i;
const TABLE = /\b(?:from|into|update)\s+(?:"?\w+"?\.)?"?([a-z_][a-z0-9_]{0,62})"?/i;
const BOUNDARY = /^\s*(?:begin|commit|rollback|savepoint|release|set)\b/i;
/** Of the driver or the server: `23505`, `ECONNRESET`. */
const SYSTEM_CODE = /^[A-Z0-9_]{3,32}$/;

export function createQueryWatch(meters: QueryMeters): QueryWatch {
  /** Statements of ours are few; those with lists of parameters are many. */
  const kinds = new Map<string, Kind | null>();
  function kindOf(sql: string): Kind | null {
    const known = kinds.get(sql);
    if (known !== undefined) return known;
    if (kinds.size >= KINDS_MAX) kinds.clear();
    const kind = readKind(sql);
    kinds.set(sql, kind);
    return kind;
  }
  return {
    ended(sql, durationMs, error) {
      const kind = kindOf(sql);
      if (kind === null) return;
      const { operation, table } = kind;
      if (error === undefined) meters.done(operation, table, durationMs);
      else meters.failed(operation, table, errorTypeOf(error));
    },
    batchWritten: (durationMs) => meters.done('insert', LEDGER_TABLE, durationMs),
    batchFailed: () => meters.failed('insert', LEDGER_TABLE, 'storage_unavailable'),
  };
}

/** What Kysely says of a statement that ended. */
export function endOf(event: LogEvent): [sql: string, durationMs: number, error?: unknown] {
  const { sql } = event.query;
  return event.level === 'query'
    ? [sql, event.queryDurationMillis]
    : [sql, event.queryDurationMillis, event.error];
}

/** A statement that does not go through Kysely. */
export async function watched<T>(
  { queries, clock }: { readonly queries: QueryWatch; readonly clock: Clock },
  sql: string,
  run: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  try {
    const result = await run();
    queries.ended(sql, clock.monotonicMs() - startedMs);
    return result;
  } catch (error) {
    queries.ended(sql, clock.monotonicMs() - startedMs, error);
    throw error;
  }
}

/** null: it only bounds a transaction. */
function readKind(sql: string): Kind | null {
  if (BOUNDARY.test(sql)) return null;
  const operation = VERB.exec(sql)?.[1]?.toLowerCase() ?? 'other';
  return { operation, table: TABLE.exec(sql)?.[1]?.toLowerCase() ?? NO_TABLE };
}

function errorTypeOf(error: unknown): string {
  const cause = error instanceof GatewayError ? (error.cause ?? error) : error;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (typeof code === 'string' && SYSTEM_CODE.test(code)) return code;
  return error instanceof GatewayError ? error.code : 'other';
}
