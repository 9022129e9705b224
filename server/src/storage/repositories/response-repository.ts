/**
 * Kept responses in the database. Rows are added, read by their id or as a chain, deleted, and
 * erased for good: after the last row that is due, what was deleted is gone from the files, too.
 */
import type { KeptResponse, ResponseStore } from '../../gateway/ports/response-store.ts';
import type { Engine } from '../engine.ts';
import type { ResponsesTable } from '../schema.ts';

/** Ends at what is not there, at the depth of the limit, and behind what passes its bytes. */
const CHAIN = `
  with recursive chain (id, previous_id, depth, bytes) as (
    select id, previous_id, 1, length(input) + length(response)
    from responses where tenant = ? and id = ?
    union all
    select r.id, r.previous_id, chain.depth + 1,
      chain.bytes + length(r.input) + length(r.response)
    from chain join responses r on r.id = chain.previous_id
    where r.tenant = ? and chain.depth < ? and chain.bytes <= ?
  )
  select responses.* from chain join responses on responses.id = chain.id order by chain.depth`;

export function createResponseRepository(engine: Engine): ResponseStore {
  let needsScrub = true; // a process before this one may have ended in between
  return {
    async insert(response) {
      await engine.transact(response.tenant, (transaction) =>
        transaction
          .insertInto('responses')
          .values(rowOf(response))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute(),
      );
    },

    async get(tenant, id) {
      const rows = await engine.read<ResponsesTable>(
        tenant,
        'select * from responses where tenant = ? and id = ?',
        [tenant, id],
      );
      return rows[0] === undefined ? null : responseOf(rows[0]);
    },

    async chain(tenant, id, { maxResponses, maxBytes }) {
      const parameters = [tenant, id, tenant, maxResponses, maxBytes];
      return (await engine.read<ResponsesTable>(tenant, CHAIN, parameters)).map(responseOf);
    },

    async delete(tenant, id) {
      needsScrub = true;
      const deleted = await engine.transact(tenant, (transaction) =>
        transaction
          .deleteFrom('responses')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .returning('id')
          .executeTakeFirst(),
      );
      return deleted !== undefined;
    },

    async eraseBefore(createdBeforeMs, limit) {
      // Mostly nothing is due, and then nothing is loaded or locked.
      const due = await engine.read<{ id: string }>(
        null,
        'select id from responses where created_at_ms < ? order by created_at_ms limit ?',
        [createdBeforeMs, limit],
      );
      if (due.length > 0) {
        const ids = due.map(({ id }) => id);
        needsScrub = true;
        await engine.transact(null, (transaction) =>
          transaction.deleteFrom('responses').where('id', 'in', ids).execute(),
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

function rowOf(response: KeptResponse): ResponsesTable {
  return {
    id: response.id,
    tenant: response.tenant,
    key_id: response.keyId,
    created_at_ms: response.createdAtMs,
    previous_id: response.previousId,
    input: response.input,
    response: response.response,
  };
}

function responseOf(row: ResponsesTable): KeptResponse {
  return {
    id: row.id,
    tenant: row.tenant,
    keyId: row.key_id,
    createdAtMs: row.created_at_ms,
    previousId: row.previous_id,
    input: row.input,
    response: row.response,
  };
}
