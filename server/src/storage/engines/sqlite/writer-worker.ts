/**
 * The worker that owns the writing connection: runs the main thread's statements one by one,
 * and moves the journal into the ledger between them.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { LedgerApplier } from '../../applying/applier.ts';
import { createApplier, createRecovery, type JournalPlace } from '../../applying/index.ts';
import type { Report } from '../../applying/report.ts';
import type { AppliedSchema } from '../../migrations/compatibility.ts';
import { serve, type WorkerRole } from '../thread/worker-host.ts';
import { Connection } from './connection.ts';
import { SqliteLedgerStore } from './ledger-store.ts';
import { failureOf } from './result-codes.ts';

export interface WriterData extends JournalPlace {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly databaseMaxBytes: number;
  readonly synchronous: 'full' | 'normal';
}

interface Opened {
  readonly connection: Connection;
  readonly applier: LedgerApplier;
  readonly recover: (stillWanted: () => boolean) => Promise<boolean>;
  readonly retire: () => void;
}

function createWriter(data: WriterData, report: (report: Report) => void): WorkerRole {
  let opened: Opened | null = null;
  const writer = (): Opened => {
    if (opened === null) throw new Error('the database is not open');
    return opened;
  };
  return {
    call(call, stillWanted) {
      switch (call.kind) {
        case 'open':
          opened ??= open(data, report);
          return appliedSchema(opened.connection);
        case 'query':
          return writer().connection.execute(call.sql, call.parameters);
        case 'flush':
          return writer().applier.flush(call.extents, stillWanted);
        case 'spent':
          return writer().applier.spent(call, stillWanted);
        case 'spending':
          return writer().applier.spending(call.question, stillWanted);
        case 'recover':
          return writer().recover(stillWanted);
        case 'retire':
          return writer().retire();
        case 'close':
          opened?.connection.close();
          opened = null;
          return null;
      }
    },
    notice(notice) {
      if (notice.kind === 'advance') opened?.applier.advance(notice.extents);
      else opened?.connection.reset();
    },
    failureOf,
  };
}

function open(data: WriterData, report: (report: Report) => void): Opened {
  const connection = Connection.open({ ...data, readOnly: false });
  const store = new SqliteLedgerStore(connection);
  const applier = createApplier(data, store, report);
  const { instance } = data;
  return {
    connection,
    applier,
    recover: createRecovery(applier),
    retire: () => (instance === null ? undefined : store.forget(instance.name)),
  };
}

function appliedSchema(connection: Connection): AppliedSchema {
  const has = (table: string): boolean =>
    connection.execute("select name from sqlite_master where type = 'table' and name = ?", [table])
      .rows.length > 0;
  if (!has('kysely_migration')) return { migrations: [], era: null };
  const names = connection.execute('select name from kysely_migration order by name', []).rows;
  const era = has('installation')
    ? connection.execute("select value from installation where name = 'schema_era'", []).rows[0]
    : undefined;
  return {
    migrations: names.map((row) => String(row.name)),
    era: era === undefined ? null : Number(era.value),
  };
}

if (parentPort !== null) serve(parentPort, (report) => createWriter(workerData, report));
