/**
 * The queue of background jobs as a table, on either engine. A job is taken by a guarded
 * update: of two that want it one changes the row, and the other finds that it does not match
 * any more, so that neither needs locks of a kind only one engine has.
 */
import { type ExpressionBuilder, sql, type Transaction } from 'kysely';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type {
  JobClaim,
  JobEnd,
  JobFigures,
  JobQueue,
  JobRecord,
  JobState,
  JobStays,
  NewJob,
} from '../../operations/ports/jobs.ts';
import type { Engine } from '../engine.ts';
import type { JobsTable, Schema } from '../schema.ts';
import { createJobBook, FREE, recordOf } from './job-book.ts';

/** Longer ones say no more to whoever reads them. */
const ERROR_CHARS_MAX = 2000;
const OWNER_DIED = 'the process that ran it ended';

interface Makers {
  readonly ids: IdSource;
  readonly clock: Clock;
}

export function createJobQueue(engine: Engine, { ids, clock }: Makers): JobQueue {
  return {
    enqueue(job) {
      const born = { id: ids.next('job'), createdAtMs: clock.wallMs() };
      return engine.transact(null, (transaction) => insertJob(transaction, born, job));
    },
    take: (claim) => take(engine, claim),
    extend: (owner, held, untilMs) => extend(engine, owner, held, untilMs),
    end: (job, end, nowMs) => endJob(engine, job, end, nowMs),
    figures: (nowMs) => figures(engine, nowMs),
    ...createJobBook(engine),
  };
}

/**
 * Adds a job within a transaction: it is there if and only if that is committed. False where a
 * job with its key is not over.
 */
export async function insertJob(
  transaction: Transaction<Schema>,
  { id, createdAtMs }: Pick<JobRecord, 'id' | 'createdAtMs'>,
  { kind, key, payload, runAtMs, attemptsMax }: NewJob,
): Promise<boolean> {
  const row: JobsTable = {
    ...{ id, kind, unique_key: key, payload: JSON.stringify(payload), state: 'waiting' },
    ...{ run_at_ms: runAtMs, attempts: 0, attempts_max: attemptsMax },
    ...{ owner: null, lease_until_ms: null, last_error: null, ended_at_ms: null },
    created_at_ms: createdAtMs,
  };
  const added = await transaction
    .insertInto('jobs')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return added.length > 0;
}

async function take(engine: Engine, claim: JobClaim): Promise<readonly JobRecord[]> {
  const { nowMs, kinds, limit } = claim;
  if (kinds.length === 0 || limit <= 0) return [];
  // Mostly nothing is due, and then nothing is loaded or locked.
  const due = await engine.read(null, dueSql(kinds), [...kinds, nowMs, ...kinds, nowMs]);
  if (due.length === 0) return [];
  return engine.transact(null, async (transaction) => {
    const candidates = await transaction
      .selectFrom('jobs')
      .select(['id', 'state', 'attempts', 'attempts_max'])
      .where('kind', 'in', kinds)
      .where((row) => isDue(row, nowMs))
      .orderBy('run_at_ms')
      .limit(limit)
      .execute();
    const taken: JobRecord[] = [];
    for (const { id, attempts, attempts_max } of candidates) {
      const isSpent = attempts >= attempts_max;
      const row = await transaction
        .updateTable('jobs')
        .set(isSpent ? died(nowMs) : begun(claim))
        .where('id', '=', id)
        .where((candidate) => isDue(candidate, nowMs))
        .returningAll()
        .executeTakeFirst();
      if (row !== undefined && !isSpent) taken.push(recordOf(row));
    }
    return taken;
  });
}

function dueSql(kinds: readonly string[]): string {
  const ofKinds = `from jobs where kind in (${kinds.map(() => '?').join(', ')})`;
  return (
    `select id ${ofKinds} and state = 'waiting' and run_at_ms <= ? ` +
    `union all select id ${ofKinds} and state = 'running' and lease_until_ms < ? limit 1`
  );
}

function isDue({ and, or, eb }: ExpressionBuilder<Schema, 'jobs'>, nowMs: number) {
  return or([
    and([eb('state', '=', 'waiting'), eb('run_at_ms', '<=', nowMs)]),
    and([eb('state', '=', 'running'), eb('lease_until_ms', '<', nowMs)]),
  ]);
}

function begun({ owner, nowMs, leaseMs }: JobClaim) {
  return {
    ...{ state: 'running' as const, owner, lease_until_ms: nowMs + leaseMs },
    attempts: sql<number>`attempts + 1`,
  };
}

function died(nowMs: number) {
  return { ...FREE, state: 'dead' as const, last_error: OWNER_DIED, ended_at_ms: nowMs };
}

async function extend(
  engine: Engine,
  owner: string,
  held: readonly string[],
  untilMs: number,
): Promise<readonly string[]> {
  if (held.length === 0) return [];
  const rows = await engine.transact(null, (transaction) =>
    transaction
      .updateTable('jobs')
      .set({ lease_until_ms: untilMs })
      .where('owner', '=', owner)
      .where('id', 'in', held)
      .returning('id')
      .execute(),
  );
  return rows.map(({ id }) => id);
}

async function endJob(
  engine: Engine,
  { id, owner }: Pick<JobRecord, 'id' | 'owner'>,
  end: JobEnd,
  nowMs: number,
): Promise<boolean> {
  return engine.transact(null, async (transaction) => {
    if (end.kind === 'done') {
      const gone = await transaction
        .deleteFrom('jobs')
        .where('id', '=', id)
        .where('owner', '=', owner)
        .returning('id')
        .execute();
      return gone.length > 0;
    }
    const changed = await transaction
      .updateTable('jobs')
      .set({ ...FREE, ...changesOf(end, nowMs) })
      .where('id', '=', id)
      .where('owner', '=', owner)
      .returning('id')
      .execute();
    return changed.length > 0;
  });
}

function changesOf(end: JobStays, nowMs: number) {
  const waiting = { state: 'waiting' as const };
  switch (end.kind) {
    case 'handed_back':
      return { ...waiting, attempts: sql<number>`attempts - 1` };
    case 'again': {
      const last_error = end.error === null ? null : shortened(end.error);
      return { ...waiting, run_at_ms: end.runAtMs, attempts: 0, last_error, ended_at_ms: nowMs };
    }
    case 'retry': {
      const last_error = shortened(end.error);
      return { ...waiting, run_at_ms: end.runAtMs, last_error, ended_at_ms: nowMs };
    }
    case 'dead':
      return { state: 'dead' as const, last_error: shortened(end.error), ended_at_ms: nowMs };
  }
}

function shortened(error: string): string {
  return error.slice(0, ERROR_CHARS_MAX);
}

interface Count {
  readonly state: JobState;
  readonly jobs: number;
  readonly eldest_ms: number;
}

async function figures(engine: Engine, nowMs: number): Promise<JobFigures> {
  const rows = await engine.read<Count>(
    null,
    'select state, count(*) as jobs, min(run_at_ms) as eldest_ms from jobs group by state',
    [],
  );
  const of = (state: JobState): number => rows.find((row) => row.state === state)?.jobs ?? 0;
  const eldestMs = rows.find(({ state }) => state === 'waiting')?.eldest_ms ?? nowMs;
  return {
    ...{ waiting: of('waiting'), running: of('running'), dead: of('dead') },
    oldestDueMs: Math.max(0, nowMs - eldestMs),
  };
}
