/**
 * The thread that moves the journal into the ledger on PostgreSQL, over a connection of its own
 * under the role that writes the ledger. No request ever waits for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../kernel/clock.ts';
import type { LedgerApplier } from '../../applying/applier.ts';
import { createApplier, createRecovery, type JournalPlace } from '../../applying/index.ts';
import type { Report } from '../../applying/report.ts';
import { serve, type WorkerRole } from '../thread/worker-host.ts';
import { clientConfig, type SessionLimits } from './client.ts';
import { PostgresLedgerStore } from './ledger-store.ts';
import { failureOf } from './sqlstate.ts';

const PARTITIONS_EVERY_MS = 43_200_000;

export interface WriterData extends JournalPlace {
  readonly url: string;
  readonly limits: SessionLimits;
}

function createWriter(data: WriterData, report: (report: Report) => void): WorkerRole {
  const store = new PostgresLedgerStore(clientConfig(data.url, 'ledger', data.limits));
  const applier = createApplier(data, store, report);
  const recover = createRecovery(applier);
  const { instance } = data;
  return {
    call(call, stillWanted) {
      switch (call.kind) {
        case 'open':
          return keepPartitions(applier, store, stillWanted);
        case 'flush':
          return applier.flush(call.extents, stillWanted);
        case 'spent':
          return applier.spent(call, stillWanted);
        case 'spending':
          return applier.spending(call.question, stillWanted);
        case 'recover':
          return recover(stillWanted);
        case 'retire':
          if (instance === null) return null;
          return applier.inTurn(() => store.forget(instance.name), stillWanted);
        case 'close':
          store.close();
          return null;
        case 'query':
          throw new Error('the ledger thread takes no statements');
      }
    },
    notice(notice) {
      if (notice.kind === 'advance') applier.advance(notice.extents);
    },
    failureOf,
  };
}

/** Now and twice a day; while it fails, rows go into the default partition. */
async function keepPartitions(
  applier: LedgerApplier,
  store: PostgresLedgerStore,
  stillWanted: () => boolean,
): Promise<null> {
  const make = () => store.makePartitions(systemClock.wallMs());
  const again = () => applier.inTurn(make, () => true).catch(() => undefined);
  setInterval(() => void again(), PARTITIONS_EVERY_MS).unref();
  await applier.inTurn(make, stillWanted);
  return null;
}

if (parentPort !== null) serve(parentPort, (report) => createWriter(workerData, report));
