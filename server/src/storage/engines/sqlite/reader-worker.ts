/**
 * The worker that reads: queries of people and reports, so that none of them keeps a writer or
 * the event loop waiting. It also watches the file for changes, whichever process made them.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Report } from '../../applying/report.ts';
import { serve, type WorkerRole } from '../thread/worker-host.ts';
import { Connection } from './connection.ts';
import { failureOf, isUnavailable, resultCodeOf } from './result-codes.ts';

export interface ReaderData {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly pollMs: number;
}

function createReader(data: ReaderData, report: (report: Report) => void): WorkerRole {
  let connection: Connection | null = null;
  const opened = (): Connection => {
    if (connection === null) {
      connection = Connection.open({
        ...data,
        databaseMaxBytes: 0,
        synchronous: 'normal',
        readOnly: true,
      });
      watch(connection, data.pollMs, report);
    }
    return connection;
  };
  return {
    call(call) {
      switch (call.kind) {
        case 'open':
          opened();
          return null;
        case 'query':
          return opened().execute(call.sql, call.parameters);
        case 'close':
          connection?.close();
          connection = null;
          return null;
        default:
          throw new Error(`the reader does not ${call.kind}`);
      }
    },
    notice: () => undefined,
    failureOf,
  };
}

/** Reports the change versions at once, and again whenever they differ. */
function watch(connection: Connection, pollMs: number, report: (report: Report) => void): void {
  let dataVersion: unknown = null;
  let reported = '';
  const look = (): void => {
    const version = connection.execute('pragma data_version', []).rows[0]?.data_version;
    if (version === dataVersion) return;
    const { rows } = connection.execute(
      'select subject, version from change_versions order by subject',
      [],
    );
    dataVersion = version;
    const text = JSON.stringify(rows);
    if (text === reported) return;
    reported = text;
    report({ kind: 'versions', text });
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      if (!connection.isOpen) clearInterval(timer);
      else if (!isUnavailable(resultCodeOf(error))) throw error;
    }
  }, pollMs);
  look();
}

if (parentPort !== null) serve(parentPort, (report) => createReader(workerData, report));
