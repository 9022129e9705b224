/**
 * Invitations in the database.
 */
import type { Role } from '../../gateway/model/principal.ts';
import type {
  InvitationRecord,
  InvitationRepository,
} from '../../identity/ports/invitation-repository.ts';
import type { Engine } from '../engine.ts';
import type { InvitationsTable } from '../schema.ts';

export function createInvitationRepository(engine: Engine): InvitationRepository {
  return {
    async insert(record) {
      await engine.transact(record.tenant, (transaction) =>
        transaction.insertInto('invitations').values(rowOf(record)).execute(),
      );
    },
    async find(tokenHash) {
      const [row] = await engine.read<InvitationsTable>(
        null,
        'select * from invitations where token_hash = ?',
        [tokenHash],
      );
      return row === undefined ? null : recordOf(row);
    },
    async use(id, nowMs) {
      const row = await engine.transact(null, (transaction) =>
        transaction
          .updateTable('invitations')
          .set({ used_at_ms: nowMs })
          .where('id', '=', id)
          .where('used_at_ms', 'is', null)
          .returning('id')
          .executeTakeFirst(),
      );
      return row !== undefined;
    },
    async giveBack(id) {
      await engine.transact(null, (transaction) =>
        transaction
          .updateTable('invitations')
          .set({ used_at_ms: null })
          .where('id', '=', id)
          .execute(),
      );
    },
  };
}

function rowOf(record: InvitationRecord): InvitationsTable {
  return {
    id: record.id,
    tenant: record.tenant,
    email: record.email,
    roles: JSON.stringify(record.roles),
    token_hash: record.tokenHash,
    created_at_ms: record.createdAtMs,
    expires_at_ms: record.expiresAtMs,
    used_at_ms: record.usedAtMs,
  };
}

function recordOf(row: InvitationsTable): InvitationRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    email: row.email,
    roles: JSON.parse(row.roles) as Role[],
    tokenHash: row.token_hash,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms,
  };
}
