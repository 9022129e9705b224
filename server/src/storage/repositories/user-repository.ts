/**
 * Users in the database. Every change that others must hear of takes the next version, whose
 * row is locked till the end of the transaction: so of two administrators who remove each other
 * at the same moment one is refused.
 */
import type { Transaction } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type {
  MustRemain,
  UserRecord,
  UserRepository,
} from '../../identity/ports/user-repository.ts';
import type { Clock } from '../../kernel/clock.ts';
import { ConstraintError, type Engine } from '../engine.ts';
import type { Schema, UsersTable } from '../schema.ts';
import { nextVersion } from './change-version.ts';
import { tombstone, userChanges, userRecord, userRow } from './user-row.ts';

export function createUserRepository(engine: Engine, clock: Clock): UserRepository {
  return { ...readers(engine), ...writers(engine, clock) };
}

type Readers = Pick<UserRepository, 'get' | 'find' | 'findBySubject' | 'list' | 'changedSince'>;

function readers(engine: Engine): Readers {
  async function one(
    column: string,
    value: string,
    tenant: string | null = null,
  ): Promise<UserRecord | null> {
    const own = tenant === null ? '' : ' and tenant = ?';
    const [row] = await engine.read<UsersTable>(
      tenant,
      `select * from users where ${column} = ? and removed_at_ms is null${own}`,
      tenant === null ? [value] : [value, tenant],
    );
    return row === undefined ? null : userRecord(row);
  }
  return {
    get: (id, tenant) => one('id', id, tenant),
    find: (by) =>
      'email' in by ? one('email', by.email) : one('username_key', by.username.toLowerCase()),
    findBySubject: (subject) => one('subject', subject),
    async list({ tenant, limit, beforeId }) {
      const db = await engine.reader(tenant);
      let query = db
        .selectFrom('users')
        .selectAll()
        .where('removed_at_ms', 'is', null)
        .orderBy('id', 'desc')
        .limit(limit);
      if (tenant !== null) query = query.where('tenant', '=', tenant);
      if (beforeId !== null) query = query.where('id', '<', beforeId);
      return (await query.execute()).map(userRecord);
    },
    async changedSince(version) {
      const rows = await engine.read<UsersTable>(
        null,
        'select * from users where version > ? order by version',
        [version],
      );
      const isRemoved = (row: UsersTable): boolean => row.removed_at_ms !== null;
      return {
        users: rows.filter((row) => !isRemoved(row)).map(userRecord),
        removedIds: rows.filter(isRemoved).map(({ id }) => id),
        version: rows.at(-1)?.version ?? version,
      };
    },
  };
}

function writers(engine: Engine, clock: Clock): Omit<UserRepository, keyof Readers> {
  return {
    async insert(record) {
      await engine
        .transact(record.tenant, async (transaction) => {
          const version = await nextVersion(transaction, 'users');
          await transaction
            .insertInto('users')
            .values({ ...userRow(record), removed_at_ms: null, version })
            .execute();
        })
        .catch((error: unknown) => {
          throw refusal(error, record.tenant);
        });
    },
    async update(id, tenant, patch, mustRemain = []) {
      return engine
        .transact(tenant, async (transaction) => {
          const version = await nextVersion(transaction, 'users');
          let query = transaction
            .updateTable('users')
            .set({ ...userChanges(patch), version })
            .where('id', '=', id)
            .where('removed_at_ms', 'is', null);
          if (tenant !== null) query = query.where('tenant', '=', tenant);
          const row = await query.returningAll().executeTakeFirst();
          await requireRemaining(transaction, mustRemain);
          return row === undefined ? null : userRecord(row);
        })
        .catch((error: unknown) => {
          throw refusal(error, '');
        });
    },
    async remove(id, tenant, mustRemain = []) {
      return engine.transact(tenant, async (transaction) => {
        const version = await nextVersion(transaction, 'users');
        let query = transaction
          .updateTable('users')
          .set({ ...tombstone(id, clock.wallMs()), version })
          .where('id', '=', id)
          .where('removed_at_ms', 'is', null);
        if (tenant !== null) query = query.where('tenant', '=', tenant);
        const row = await query.returning('id').executeTakeFirst();
        if (row === undefined) return false;
        await requireRemaining(transaction, mustRemain);
        await transaction.deleteFrom('refresh_families').where('user_id', '=', id).execute();
        return true;
      });
    },
    async touch(id, lastLoginAtMs) {
      await engine.transact(null, (transaction) =>
        transaction
          .updateTable('users')
          .set({ last_login_at_ms: lastLoginAtMs })
          .where('id', '=', id)
          .where('removed_at_ms', 'is', null)
          .execute(),
      );
    },
  };
}

async function requireRemaining(
  transaction: Transaction<Schema>,
  mustRemain: readonly MustRemain[],
): Promise<void> {
  for (const { tenant, roles } of mustRemain) {
    let query = transaction
      .selectFrom('users')
      .select('id')
      .where('is_active', '=', 1)
      .where('is_verified', '=', 1)
      .where((row) => row.or(roles.map((role) => row('roles', 'like', `%"${role}"%`))))
      .limit(1);
    if (tenant !== null) query = query.where('tenant', '=', tenant);
    if ((await query.executeTakeFirst()) !== undefined) continue;
    throw new GatewayError('conflict', {
      message: `Nobody with the role ${roles.join(' or ')} would remain. Give it to another first.`,
      field: 'roles',
    });
  }
}

/** What a broken rule of the table means to who asked. */
function refusal(error: unknown, tenant: string): unknown {
  if (!(error instanceof ConstraintError)) return error;
  if (error.rule === 'foreign_key') {
    const message = `There is no tenant "${tenant}".`;
    return new GatewayError('invalid_request', { message, field: 'tenant', cause: error });
  }
  const field = /username/.test(error.message) ? 'username' : 'email';
  const message = `There is a user with this ${field} already.`;
  return new GatewayError('conflict', { message, field, cause: error });
}
