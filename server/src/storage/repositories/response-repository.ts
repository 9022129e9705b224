/**
 * Kept responses in the database. Rows are added, read by their id or as a chain, deleted, and
 * erased for good: after the last row that is due, what was deleted is gone from the files, too.
 */
import type { KeptResponse, ResponseStore } from '../../gateway/ports/response-store.ts';
import type { DataPlaces } from '../places/data-places.ts';
import { requireHome } from '../places/homes.ts';
import type { ResponsesTable } from '../schema.ts';
import { createEraser } from './erase-before.ts';

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

export function createResponseRepository(places: DataPlaces): ResponseStore {
  const eraser = createEraser('responses', 'id');
  return {
    async insert(response) {
      const { tenant } = response;
      await places.within(tenant, (engine) =>
        engine.transact(tenant, async (transaction) => {
          await requireHome(engine, transaction, tenant);
          await transaction
            .insertInto('responses')
            .values(rowOf(response))
            .onConflict((conflict) => conflict.column('id').doNothing())
            .execute();
        }),
      );
    },

    get(tenant, id) {
      return places.within(tenant, async (engine) => {
        const rows = await engine.read<ResponsesTable>(
          tenant,
          'select * from responses where tenant = ? and id = ?',
          [tenant, id],
        );
        return rows[0] === undefined ? null : responseOf(rows[0]);
      });
    },

    chain(tenant, id, { maxResponses, maxBytes }) {
      const parameters = [tenant, id, tenant, maxResponses, maxBytes];
      return places.within(tenant, async (engine) =>
        (await engine.read<ResponsesTable>(tenant, CHAIN, parameters)).map(responseOf),
      );
    },

    async delete(tenant, id) {
      eraser.needsScrub();
      const deleted = await places.within(tenant, (engine) =>
        engine.transact(tenant, async (transaction) => {
          await requireHome(engine, transaction, tenant);
          return transaction
            .deleteFrom('responses')
            .where('tenant', '=', tenant)
            .where('id', '=', id)
            .returning('id')
            .executeTakeFirst();
        }),
      );
      return deleted !== undefined;
    },

    eraseBefore: (createdBeforeMs, limit) => eraser.erase(places, createdBeforeMs, limit),
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
