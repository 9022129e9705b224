/**
 * Background jobs as operators see them, on either engine: listed, and those that were given up
 * tried again or taken away. Those that are alive are left to their runners.
 */
import type { Transaction } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { JobBook, JobPayload, JobRecord } from '../../operations/ports/jobs.ts';
import { ConstraintError, type Engine } from '../engine.ts';
import type { JobsTable, Schema } from '../schema.ts';

/** Of a job that nobody runs. */
export const FREE = { owner: null, lease_until_ms: null };

export function createJobBook(engine: Engine): JobBook {
  return {
    async list({ state, limit, beforeId }) {
      const db = await engine.reader(null);
      let query = db.selectFrom('jobs').selectAll().orderBy('id', 'desc').limit(limit);
      if (state !== null) query = query.where('state', '=', state);
      if (beforeId !== null) query = query.where('id', '<', beforeId);
      return (await query.execute()).map(recordOf);
    },
    ...deadJobs(engine),
  };
}

function deadJobs(engine: Engine): Pick<JobBook, 'retry' | 'remove'> {
  async function ofDead(
    id: string,
    work: (transaction: Transaction<Schema>) => Promise<JobsTable | undefined>,
  ): Promise<JobRecord | null> {
    return engine.transact(null, async (transaction) => {
      const row = await work(transaction);
      if (row !== undefined) return recordOf(row);
      const known = transaction.selectFrom('jobs').select('id').where('id', '=', id);
      if ((await known.executeTakeFirst()) === undefined) return null;
      throw notDead('It is not given up: what waits or runs is left to its runner.');
    });
  }
  return {
    async retry(id, nowMs) {
      const waiting = { ...FREE, state: 'waiting' as const, attempts: 0, run_at_ms: nowMs };
      try {
        return await ofDead(id, (transaction) =>
          transaction
            .updateTable('jobs')
            .set({ ...waiting, ended_at_ms: null })
            .where('id', '=', id)
            .where('state', '=', 'dead')
            .returningAll()
            .executeTakeFirst(),
        );
      } catch (error) {
        if (!(error instanceof ConstraintError)) throw error;
        throw notDead('Another job does the same by now.');
      }
    },
    remove: (id) =>
      ofDead(id, (transaction) =>
        transaction
          .deleteFrom('jobs')
          .where('id', '=', id)
          .where('state', '=', 'dead')
          .returningAll()
          .executeTakeFirst(),
      ),
  };
}

function notDead(message: string): GatewayError {
  return new GatewayError('conflict', { message, field: 'id' });
}

export function recordOf(row: JobsTable): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    key: row.unique_key,
    payload: JSON.parse(row.payload) as JobPayload,
    runAtMs: row.run_at_ms,
    attemptsMax: row.attempts_max,
    state: row.state,
    attempts: row.attempts,
    createdAtMs: row.created_at_ms,
    owner: row.owner,
    leaseUntilMs: row.lease_until_ms,
    lastError: row.last_error,
    endedAtMs: row.ended_at_ms,
  };
}
