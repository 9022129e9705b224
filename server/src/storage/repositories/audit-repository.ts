/**
 * The audit log in the database. Appending takes the head's row first, which makes every other
 * process that appends wait: the chain is one, whoever writes it.
 */
import type {
  AuditDetail,
  AuditEntry,
  AuditEvent,
  AuditOutcome,
  AuditRepository,
} from '../../identity/ports/audit-repository.ts';
import type { Engine } from '../engine.ts';
import type { AuditHeadTable, AuditLogTable } from '../schema.ts';

export function createAuditRepository(engine: Engine): AuditRepository {
  return {
    async append(events, seal) {
      if (events.length === 0) return;
      await engine.transact(null, async (transaction) => {
        const head = await transaction
          .updateTable('audit_head')
          .set((row) => ({ sequence: row('sequence', '+', events.length) }))
          .where('id', '=', 1)
          .returning(['sequence', 'hash'])
          .executeTakeFirstOrThrow();
        let { hash } = head;
        const first = head.sequence - events.length + 1;
        const rows = events.map((event, index) => {
          hash = seal(event, first + index, hash);
          return rowOf(event, first + index, hash);
        });
        await transaction.insertInto('audit_log').values(rows).execute();
        await transaction.updateTable('audit_head').set({ hash }).where('id', '=', 1).execute();
      });
    },
    async list({ tenant, limit, before }) {
      const db = await engine.reader(tenant);
      let query = db.selectFrom('audit_log').selectAll().orderBy('sequence', 'desc').limit(limit);
      if (tenant !== null) query = query.where('tenant', '=', tenant);
      if (before !== null) query = query.where('sequence', '<', before);
      return (await query.execute()).map(entryOf);
    },
    async scan(after, limit) {
      const rows = await engine.read<AuditLogTable>(
        null,
        'select * from audit_log where sequence > ? order by sequence limit ?',
        [after, limit],
      );
      return rows.map(entryOf);
    },
    async head() {
      const [row] = await engine.read<AuditHeadTable>(
        null,
        'select * from audit_head where id = 1',
        [],
      );
      return { sequence: row?.sequence ?? 0, hash: row?.hash ?? '' };
    },
  };
}

function rowOf(event: AuditEvent, sequence: number, hash: string): AuditLogTable {
  return {
    sequence,
    at_ms: event.atMs,
    tenant: event.tenant,
    actor: event.actor,
    action: event.action,
    subject: event.subject,
    outcome: event.outcome,
    address: event.address,
    request_id: event.requestId,
    details: JSON.stringify(event.details),
    hash,
  };
}

function entryOf(row: AuditLogTable): AuditEntry {
  return {
    sequence: row.sequence,
    atMs: row.at_ms,
    tenant: row.tenant,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    outcome: row.outcome as AuditOutcome,
    address: row.address,
    requestId: row.request_id,
    details: JSON.parse(row.details) as Record<string, AuditDetail>,
    hash: row.hash,
  };
}
