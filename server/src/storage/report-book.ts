/**
 * What the database workers tell unasked, on the main thread: one log line for each change of
 * state, the last known state for figures, and the call of those who watch for changes.
 */
import type { Log } from '../kernel/log.ts';
import type { Report } from './applying/report.ts';
import type { JournalPosition } from './journal/position.ts';
import type { QueryWatch } from './query-watch.ts';

export interface ReportFigures {
  /** Why the database does not take the journal; null when it does. */
  readonly writerError: string | null;
  /** Journal lines that could not be read since the start; they are kept beside the journals. */
  readonly unreadableRecords: number;
  /** Entries of earlier runs that were brought into the ledger since the start. */
  readonly recoveredRecords: number;
}

export interface ReportBook {
  onReport(report: Report): void;
  watch(onChange: () => void): () => void;
  /** The same for changes of tenants alone. */
  watchTenants(onChange: () => void): () => void;
  /** Calls `onRecovered` whenever rows of a dead process came, once for those before now. */
  watchRecovered(onRecovered: () => void): () => void;
  figures(): ReportFigures;
}

export function createReportBook(
  log: Log,
  queries: Pick<QueryWatch, 'batchWritten' | 'batchFailed'>,
  onApplied: (position: JournalPosition) => void,
): ReportBook {
  const watchers = new Set<() => void>();
  const tenantWatchers = new Set<() => void>();
  const recoveryWatchers = new Set<() => void>();
  const failedInstances = new Map<string, string>();
  let versions: string | null = null;
  let writerError: string | null = null;
  let unreadableRecords = 0;
  let recoveredRecords = 0;
  return {
    onReport(report) {
      switch (report.kind) {
        case 'applied':
          queries.batchWritten(report.tookMs);
          onApplied(report.position);
          return;
        case 'lagging':
          writerError = report.error;
          if (report.error !== null) queries.batchFailed();
          logLag(log, report.error);
          return;
        case 'unreadable':
          unreadableRecords += report.records;
          logUnreadable(log, report.records, report.keptIn);
          return;
        case 'missing':
          log.error('a part of the ledger journal is gone; its records are not in the ledger', {
            segment: report.segment,
            bytes: report.bytes,
          });
          return;
        case 'recovered':
          failedInstances.delete(report.instance);
          recoveredRecords += report.records;
          logRecovered(log, report.instance, report.records);
          if (report.records > 0) tellAll(recoveryWatchers);
          return;
        case 'recovery_failed':
          if (failedInstances.get(report.instance) === report.error) return;
          failedInstances.set(report.instance, report.error);
          log.error('the journal of an earlier run cannot be applied; budgets are refused', {
            journal: report.instance,
            error: report.error,
          });
          return;
        case 'versions': {
          const isFirst = versions === null;
          if (tenantVersion(versions) !== tenantVersion(report.text)) tellAll(tenantWatchers);
          versions = report.text;
          if (!isFirst) tellAll(watchers);
          return;
        }
      }
    },
    watch: (onChange) => watching(watchers, onChange),
    watchTenants: (onChange) => watching(tenantWatchers, onChange),
    watchRecovered(onRecovered) {
      if (recoveredRecords > 0) onRecovered();
      return watching(recoveryWatchers, onRecovered);
    },
    figures: () => ({ writerError, unreadableRecords, recoveredRecords }),
  };
}

function watching(watchers: Set<() => void>, onNews: () => void): () => void {
  watchers.add(onNews);
  return () => watchers.delete(onNews);
}

function tellAll(watchers: ReadonlySet<() => void>): void {
  for (const onNews of watchers) onNews();
}

/** Out of the rows of `change_versions`, as their reader wrote them down. */
function tenantVersion(text: string | null): number | null {
  if (text === null) return null;
  const rows = JSON.parse(text) as readonly {
    readonly subject: string;
    readonly version: number;
  }[];
  return rows.find(({ subject }) => subject === 'tenants')?.version ?? null;
}

function logLag(log: Log, error: string | null): void {
  if (error === null) log.info('the database takes the ledger again');
  else log.warn('the database does not take the ledger, which waits in the journal', { error });
}

function logUnreadable(log: Log, records: number, keptIn: string): void {
  const told = { records, kept_in: keptIn };
  log.error('the ledger journal holds records that cannot be read; they are kept', told);
}

function logRecovered(log: Log, journal: string, records: number): void {
  if (records > 0) log.info('the journal of an earlier run is in the ledger', { journal, records });
}
