/**
 * Erasing old rows for good, in every database that has some: so many at a time, and after the
 * last that is due nothing of them is left in any file.
 *
 * Rows of a tenant that is being moved wait until it has arrived.
 */
import { sql, type Transaction } from 'kysely';
import type { Engine } from '../engine.ts';
import type { DataPlaces } from '../places/data-places.ts';
import { openHomes } from '../places/homes.ts';
import type { Schema } from '../schema.ts';

export interface Eraser {
  /**
   * Every tenant's, oldest first; answers how many. Throws `storage_unavailable` where one
   * database does not answer, as soon as all others have less than `limit` left.
   */
  erase(places: DataPlaces, createdBeforeMs: number, limit: number): Promise<number>;
  /** Something else deleted rows. */
  needsScrub(): void;
}

interface Due {
  readonly id: string;
  readonly tenant: string;
}

type Table = 'bodies' | 'responses';

/** Rows of the table have `tenant` and `created_at_ms` beside their key. */
export function createEraser(table: Table, key: 'request_id' | 'id'): Eraser {
  // A process before this one may have ended between deleting and scrubbing.
  let scrubbed = new WeakSet<Engine>();
  const question =
    `select ${key} as id, tenant from ${table} where created_at_ms < ? ` +
    'order by created_at_ms limit ?';

  async function eraseIn(engine: Engine, beforeMs: number, limit: number): Promise<number> {
    // Mostly nothing is due, and then nothing is loaded or locked.
    const due = await engine.read<Due>(null, question, [beforeMs, limit]);
    let erased = 0;
    if (due.length > 0) {
      scrubbed.delete(engine);
      erased = await engine.transact(null, async (transaction) => {
        const tenants = due.map(({ tenant }) => tenant);
        const open = await openHomes(engine, transaction, tenants);
        const ids = due.filter(({ tenant }) => open.has(tenant)).map(({ id }) => id);
        await deleteRows(transaction, table, key, ids);
        return ids.length;
      });
    }
    if (due.length < limit && !scrubbed.has(engine)) {
      await engine.scrub();
      scrubbed.add(engine);
    }
    return erased;
  }

  return {
    async erase(places, createdBeforeMs, limit) {
      let erased = 0;
      try {
        await places.everywhere(async (engine) => {
          erased += await eraseIn(engine, createdBeforeMs, limit - erased);
          return erased < limit;
        });
      } catch (error) {
        // A database that is away keeps no other's rows: there may be more of those.
        if (erased < limit) throw error;
      }
      return erased;
    },
    needsScrub() {
      scrubbed = new WeakSet();
    },
  };
}

async function deleteRows(
  db: Transaction<Schema>,
  table: Table,
  key: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`delete from ${sql.table(table)} where ${sql.ref(key)} in (${sql.join(ids)})`.execute(
    db,
  );
}
