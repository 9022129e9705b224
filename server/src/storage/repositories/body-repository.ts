/**
 * Prompts and answers in the database. Rows are added, read by their id, and erased for good:
 * after the last row that is due, what was deleted is gone from the files, too.
 */
import type { KeptBodies, KeptBody } from '../../gateway/ports/body-store.ts';
import type { Engine } from '../engine.ts';
import type { BodiesTable } from '../schema.ts';

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface BodyRepository {
  /** All of them or none; those whose id is there already change nothing. */
  insert(bodies: readonly KeptBodies[]): Promise<void>;
  get(requestId: string, tenant: string): Promise<KeptBodies | null>;
  eraseBefore(createdBeforeMs: number, limit: number): Promise<number>;
}

export function createBodyRepository(engine: Engine): BodyRepository {
  let needsScrub = true; // a process before this one may have ended in between
  return {
    async insert(bodies) {
      await engine.transact(null, (transaction) =>
        transaction
          .insertInto('bodies')
          .values(bodies.map(rowOf))
          .onConflict((conflict) => conflict.column('request_id').doNothing())
          .execute(),
      );
    },

    async get(requestId, tenant) {
      const db = await engine.reader(tenant);
      const row = await db
        .selectFrom('bodies')
        .selectAll()
        .where('request_id', '=', requestId)
        .where('tenant', '=', tenant)
        .executeTakeFirst();
      return row === undefined ? null : bodiesOf(row);
    },

    async eraseBefore(createdBeforeMs, limit) {
      // Mostly nothing is due, and then nothing is loaded or locked.
      const due = await engine.read<{ request_id: string }>(
        null,
        'select request_id from bodies where created_at_ms < ? order by created_at_ms limit ?',
        [createdBeforeMs, limit],
      );
      if (due.length > 0) {
        const ids = due.map(({ request_id }) => request_id);
        needsScrub = true;
        await engine.transact(null, (transaction) =>
          transaction.deleteFrom('bodies').where('request_id', 'in', ids).execute(),
        );
      }
      if (needsScrub && due.length < limit) {
        await engine.scrub();
        needsScrub = false;
      }
      return due.length;
    },
  };
}

function rowOf({ requestId, tenant, createdAtMs, request, response }: KeptBodies): BodiesTable {
  return {
    request_id: requestId,
    tenant,
    created_at_ms: createdAtMs,
    request: request?.bytes ?? null,
    request_truncated: request?.truncated === true ? 1 : 0,
    response: response?.bytes ?? null,
    response_truncated: response?.truncated === true ? 1 : 0,
  };
}

function bodiesOf(row: BodiesTable): KeptBodies {
  return {
    requestId: row.request_id,
    tenant: row.tenant,
    createdAtMs: row.created_at_ms,
    request: bodyOf(row.request, row.request_truncated),
    response: bodyOf(row.response, row.response_truncated),
  };
}

function bodyOf(bytes: Uint8Array | null, truncated: number): KeptBody | null {
  return bytes === null ? null : { bytes, truncated: truncated === 1 };
}
