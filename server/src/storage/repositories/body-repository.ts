/**
 * Prompts and answers in the database. Rows are added, read by their id, and erased for good:
 * after the last row that is due, what was deleted is gone from the files, too.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { KeptBodies, KeptBody } from '../../gateway/ports/body-store.ts';
import { assert } from '../../kernel/assert.ts';
import type { DataPlaces } from '../places/data-places.ts';
import { requireHome } from '../places/homes.ts';
import type { BodiesTable } from '../schema.ts';
import { createEraser } from './erase-before.ts';

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface BodyRepository {
  /**
   * All of them or none, of one tenant; those whose id is there already change nothing. Throws
   * `tenant_moving` as well.
   */
  insert(bodies: readonly KeptBodies[]): Promise<void>;
  get(requestId: string, tenant: string): Promise<KeptBodies | null>;
  eraseBefore(createdBeforeMs: number, limit: number): Promise<number>;
}

/** Of an erased tenant nothing is kept, and its figures can still be read. */
function nothingOfErased(thrown: unknown): null {
  if (thrown instanceof GatewayError && thrown.code === 'tenant_suspended') return null;
  throw thrown;
}

export function createBodyRepository(places: DataPlaces): BodyRepository {
  const eraser = createEraser('bodies', 'request_id');
  return {
    async insert(bodies) {
      const [first] = bodies;
      if (first === undefined) return;
      const { tenant } = first;
      assert(
        bodies.every((each) => each.tenant === tenant),
        'bodies of one tenant at a time',
      );
      await places.within(tenant, (engine) =>
        engine.transact(tenant, async (transaction) => {
          await requireHome(engine, transaction, tenant);
          await transaction
            .insertInto('bodies')
            .values(bodies.map(rowOf))
            .onConflict((conflict) => conflict.column('request_id').doNothing())
            .execute();
        }),
      );
    },

    get(requestId, tenant) {
      const reading = places.within(tenant, async (engine) => {
        const rows = await engine.read<BodiesTable>(
          tenant,
          'select * from bodies where request_id = ? and tenant = ?',
          [requestId, tenant],
        );
        return rows[0] === undefined ? null : bodiesOf(rows[0]);
      });
      return reading.catch(nothingOfErased);
    },

    eraseBefore: (createdBeforeMs, limit) => eraser.erase(places, createdBeforeMs, limit),
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
