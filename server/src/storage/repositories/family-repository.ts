/**
 * Families of refresh tokens in the database. Only the end of one takes a version: that is all
 * other processes must hear of.
 */
import type { Transaction } from 'kysely';
import type {
  FamilyEnd,
  FamilyRecord,
  FamilyRepository,
} from '../../identity/ports/family-repository.ts';
import type { Engine } from '../engine.ts';
import type { RefreshFamiliesTable, Schema } from '../schema.ts';
import { nextVersion } from './change-version.ts';

/** A user's families are few; this bounds what one sign-in may have to end. */
const ENDED_AT_ONCE_MAX = 500;

export function createFamilyRepository(engine: Engine): FamilyRepository {
  return { ...readers(engine), ...writers(engine) };
}

type Readers = Pick<FamilyRepository, 'get' | 'livingOf' | 'knowsSource' | 'endedSince'>;

function readers(engine: Engine): Readers {
  return {
    async get(id) {
      const [row] = await engine.read<RefreshFamiliesTable>(
        null,
        'select * from refresh_families where id = ?',
        [id],
      );
      return row === undefined ? null : recordOf(row);
    },
    async livingOf(userId, nowMs) {
      const rows = await engine.read<RefreshFamiliesTable>(
        null,
        'select * from refresh_families where user_id = ? and ended_at_ms is null ' +
          'and expires_at_ms > ? order by id desc limit ?',
        [userId, nowMs, ENDED_AT_ONCE_MAX],
      );
      return rows.map(recordOf);
    },
    async knowsSource(userId, source) {
      const rows = await engine.read<{ id: string }>(
        null,
        'select id from refresh_families where user_id = ? and source = ? limit 1',
        [userId, source],
      );
      return rows.length > 0;
    },
    async endedSince(version, endedSinceMs) {
      const rows = await engine.read<RefreshFamiliesTable>(
        null,
        'select * from refresh_families where version > ? and ended_at_ms >= ? order by version',
        [version, endedSinceMs],
      );
      const ended = rows.map((row) => ({ id: row.id, endedAtMs: Number(row.ended_at_ms) }));
      return { ended, version: rows.at(-1)?.version ?? version };
    },
  };
}

function writers(engine: Engine): Omit<FamilyRepository, keyof Readers> {
  return {
    async insert(record, { keep, forgetBeforeMs }) {
      await engine.transact(null, async (transaction) => {
        await transaction
          .deleteFrom('refresh_families')
          .where('user_id', '=', record.userId)
          .where('expires_at_ms', '<', forgetBeforeMs)
          .execute();
        await transaction.insertInto('refresh_families').values(rowOf(record)).execute();
        const beyond = await transaction
          .selectFrom('refresh_families')
          .select('id')
          .where('user_id', '=', record.userId)
          .where('ended_at_ms', 'is', null)
          .orderBy('id', 'desc')
          .limit(ENDED_AT_ONCE_MAX)
          .offset(keep)
          .execute();
        const ids = beyond.map(({ id }) => id);
        await endThese(transaction, ids, 'displaced', record.createdAtMs);
      });
    },
    async rotate(id, { fromGeneration, client, nowMs, expiresAtMs }) {
      const row = await engine.transact(null, (transaction) =>
        transaction
          .updateTable('refresh_families')
          .set({
            generation: fromGeneration + 1,
            client,
            rotated_at_ms: nowMs,
            expires_at_ms: expiresAtMs,
          })
          .where('id', '=', id)
          .where('generation', '=', fromGeneration)
          .where('ended_at_ms', 'is', null)
          .returning('id')
          .executeTakeFirst(),
      );
      return row !== undefined;
    },
    async end(id, reason, nowMs) {
      await engine.transact(null, (transaction) => endThese(transaction, [id], reason, nowMs));
    },
    async endAllOf(userId, reason, nowMs) {
      await engine.transact(null, async (transaction) => {
        const living = await transaction
          .selectFrom('refresh_families')
          .select('id')
          .where('user_id', '=', userId)
          .where('ended_at_ms', 'is', null)
          .execute();
        const ids = living.map(({ id }) => id);
        await endThese(transaction, ids, reason, nowMs);
      });
    },
  };
}

async function endThese(
  transaction: Transaction<Schema>,
  ids: readonly string[],
  reason: FamilyEnd,
  nowMs: number,
): Promise<void> {
  if (ids.length === 0) return;
  const version = await nextVersion(transaction, 'families');
  await transaction
    .updateTable('refresh_families')
    .set({ ended_at_ms: nowMs, end_reason: reason, version })
    .where('id', 'in', [...ids])
    .where('ended_at_ms', 'is', null)
    .execute();
}

function rowOf(record: FamilyRecord): RefreshFamiliesTable {
  return {
    id: record.id,
    user_id: record.userId,
    generation: record.generation,
    client: record.client,
    source: record.source,
    created_at_ms: record.createdAtMs,
    rotated_at_ms: record.rotatedAtMs,
    expires_at_ms: record.expiresAtMs,
    ended_at_ms: record.endedAtMs,
    end_reason: record.endReason,
    version: 0,
  };
}

function recordOf(row: RefreshFamiliesTable): FamilyRecord {
  return {
    id: row.id,
    userId: row.user_id,
    generation: row.generation,
    client: row.client,
    source: row.source,
    createdAtMs: row.created_at_ms,
    rotatedAtMs: row.rotated_at_ms,
    expiresAtMs: row.expires_at_ms,
    endedAtMs: row.ended_at_ms,
    endReason: row.end_reason as FamilyEnd | null,
  };
}
