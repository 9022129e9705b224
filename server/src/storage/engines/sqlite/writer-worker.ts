/**
 * The worker that owns the writing connection: runs the main thread's statements one by one,
 * and moves the journal into the ledger between them.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SegmentReader } from '../../journal/segment-reader.ts';
import { LedgerApplier } from './applier.ts';
import { Connection } from './connection.ts';
import { JournalTail } from './journal-tail.ts';
import { LedgerRows } from './ledger-rows.ts';
import type { Report } from './protocol.ts';
import { recoverOrphans } from './recovery.ts';
import { serve, type WorkerRole } from './worker-host.ts';

export interface WriterData {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly databaseMaxBytes: number;
  readonly synchronous: 'full' | 'normal';
  /** The folder of all journals. */
  readonly journalRoot: string;
  /** Our own journal in it; null where we have none. */
  readonly instance: { readonly name: string; readonly directory: string } | null;
}

/** How soon the journal of a process that died beside us is taken over. */
const RECOVERY_INTERVAL_MS = 5000;

interface Opened {
  readonly connection: Connection;
  readonly applier: LedgerApplier;
}

function createWriter(data: WriterData, report: (report: Report) => void): WorkerRole {
  let opened: Opened | null = null;
  const writer = (): Opened => {
    if (opened === null) throw new Error('the database is not open');
    return opened;
  };
  let isRecovering = false;
  let recovering: Promise<boolean> | null = null;
  const recover = (stillWanted: () => boolean): Promise<boolean> => {
    recovering ??= writer()
      .applier.recover(stillWanted)
      .finally(() => {
        recovering = null;
      });
    return recovering;
  };
  return {
    call(call, stillWanted) {
      switch (call.kind) {
        case 'open':
          opened ??= open(data, report);
          return appliedMigrations(opened.connection);
        case 'query':
          return writer().connection.execute(call.sql, call.parameters);
        case 'flush':
          return writer().applier.flush(call.extents, stillWanted);
        case 'spent':
          return writer().applier.spent(call, stillWanted);
        case 'recover':
          if (!isRecovering) keepRecovering(() => recover(() => true));
          isRecovering = true;
          return recover(stillWanted);
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
  };
}

function keepRecovering(recover: () => Promise<boolean>): void {
  setInterval(() => {
    recover().catch(() => undefined); // was reported, and is tried again
  }, RECOVERY_INTERVAL_MS).unref();
}

function open(data: WriterData, report: (report: Report) => void): Opened {
  const connection = Connection.open({ ...data, readOnly: false });
  const rows = new LedgerRows(connection);
  const reader = new SegmentReader();
  const { instance, journalRoot } = data;
  const applier = new LedgerApplier({
    connection,
    openTail:
      instance &&
      (() => new JournalTail({ ...instance, instance: instance.name, rows, reader, report })),
    recover: (pause) =>
      recoverOrphans({
        root: journalRoot,
        ownInstance: instance?.name ?? null,
        rows,
        reader,
        report,
        pause,
      }),
    report,
  });
  return { connection, applier };
}

function appliedMigrations(connection: Connection): string[] {
  const table = connection.execute(
    "select name from sqlite_master where type = 'table' and name = 'kysely_migration'",
    [],
  );
  if (table.rows.length === 0) return [];
  const { rows } = connection.execute('select name from kysely_migration order by name', []);
  return rows.map((row) => String(row.name));
}

if (parentPort !== null) serve(parentPort, (report) => createWriter(workerData, report));
