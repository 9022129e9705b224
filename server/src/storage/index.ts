/**
 * Storage as the composition root sees it: the ledger behind its journal, the repositories,
 * the figures, and one way to close them all.
 *
 * `openStorage` serves a process that answers requests; `openStorageTool` a short command
 * beside it, which records nothing and leaves the journals of living processes alone.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BodyStore } from '../gateway/ports/body-store.ts';
import type { SharedSpending, SpendingHistory } from '../gateway/ports/budget-store.ts';
import type { Ledger } from '../gateway/ports/ledger.ts';
import type { ResponseStore } from '../gateway/ports/response-store.ts';
import type { Clock } from '../kernel/clock.ts';
import { type FaultPoints, noFaults } from '../kernel/fault.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Log } from '../kernel/log.ts';
import type { JobQueue } from '../operations/ports/jobs.ts';
import { requireNoUnfinishedRestore } from './backup/restore-plan.ts';
import { type BodyFigures, BodyLanes } from './body-lanes.ts';
import type { Engine } from './engine.ts';
import type { TenantShare } from './engines/postgres/options.ts';
import { createJobQueue } from './jobs/job-queue.ts';
import { systemFiles } from './journal/files.ts';
import { type FsyncPolicy, Journal } from './journal/journal.ts';
import { createInstance, type Ownership } from './journal/ownership.ts';
import { LedgerPipe, type PipeFigures } from './journal/pipe.ts';
import type { DatabaseHealth, LedgerEngine, PoolStatistics } from './ledger-engine.ts';
import { createEngine, type DatabasePlace, type EngineLimits } from './open-engine.ts';
import type { PlaceFigures } from './places/data-places.ts';
import { connectionsToTenant } from './places/neighbours.ts';
import { openPlaces, type Places } from './places/open-places.ts';
import { FILES_ONLY, type PlaceSettings } from './places/place-engines.ts';
import { createQueryWatch, type QueryMeters, type QueryWatch } from './query-watch.ts';
import { createReportBook, type ReportFigures } from './report-book.ts';
import { createBodyRepository } from './repositories/body-repository.ts';
import { createRepositories, type Repositories } from './repositories/index.ts';
import { createResponseRepository } from './repositories/response-repository.ts';
import { createTenantRepository } from './repositories/tenant-repository.ts';
import { DAY_MS, dayOf } from './usage-days.ts';

export type { FsyncPolicy } from './journal/journal.ts';
export type { DatabaseHealth } from './ledger-engine.ts';
export type { DatabasePlace } from './open-engine.ts';
export type { PlaceSettings } from './places/place-engines.ts';
export type { QueryMeters } from './query-watch.ts';
export type { Repositories } from './repositories/index.ts';
export type { PriceRecord, PriceRepository } from './repositories/price-repository.ts';

export interface StorageOptions {
  readonly database: DatabasePlace;
  /** Journals live in `journal/` below it. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults?: FaultPoints;
  readonly limits?: Partial<StorageLimits>;
  /** Nobody asks where it is absent. */
  readonly queries?: QueryMeters;
  /** Databases of single tenants; files without any limit of their own where it is left out. */
  readonly places?: PlaceSettings;
}

export interface JournalSettings {
  readonly fsync: FsyncPolicy;
  readonly maxBytes: number;
}

export interface StorageLimits extends EngineLimits {
  /** How long a query of the ledger waits for the newest entries. */
  readonly settleMs: number;
  /** How long closing waits for the journal to reach the database. */
  readonly closeMs: number;
  readonly segmentMaxBytes: number;
}

const UNWATCHED: QueryMeters = { done: () => undefined, failed: () => undefined };

const DEFAULT_LIMITS: StorageLimits = {
  busyTimeoutMs: 5000,
  pollMs: 500,
  settleMs: 1000,
  closeMs: 5000,
  segmentMaxBytes: 8_388_608,
  databaseMaxBytes: 0,
  startWaitMs: 30_000,
};

export interface StorageTool extends Repositories {
  readonly places: Pick<Places, 'within' | 'mover'>;
  /** Never rejects, and answers within two seconds. */
  health(): Promise<DatabaseHealth>;
  close(): Promise<void>;
}

export interface LedgerRows {
  /**
   * Takes rows of days before an instant out of the ledger and leaves the sums of those days.
   * Answers how many went; `limit` or more: there may be others. Throws `storage_unavailable`.
   */
  eraseBefore(createdBeforeMs: number, limit: number): Promise<number>;
}

export interface Storage extends Repositories {
  readonly ledger: Ledger;
  readonly history: SpendingHistory & SharedSpending;
  readonly bodies: BodyStore;
  readonly responses: ResponseStore;
  /** Rows of the ledger that are too old leave the sums of their days. */
  readonly ledgerRows: LedgerRows;
  readonly jobs: JobQueue;
  readonly places: Pick<Places, 'within' | 'mover'>;
  /**
   * Calls `onChange` within two seconds of a change of keys or tenants, whichever process made
   * it; returns the way to stop.
   */
  changes(onChange: () => void): () => void;
  /** Calls `onRecovered` behind rows of a dead process; once for those that came before. */
  recovered(onRecovered: () => void): () => void;
  /** What this process wrote so far leaves the disk outside of the database, once it is in it. */
  rollJournal(): void;
  figures(): StorageFigures;
  /** Never rejects, and answers within two seconds. */
  health(): Promise<DatabaseHealth>;
  /**
   * Refuses new entries, waits `closeMs` for the journal and for bodies to reach the database,
   * and ends. Entries that did not get there stay on disk for the next start.
   */
  close(): Promise<void>;
}

export interface StorageFigures extends PipeFigures, ReportFigures, BodyFigures {
  /** Why the database does not answer, as was seen last; null: it does. */
  readonly outage: string | null;
  readonly pools: ReadonlyMap<string, PoolStatistics>;
  readonly places: PlaceFigures;
}

/**
 * Opens the database and begins a journal. Journals of dead processes are applied behind the
 * scenes; until then `history` waits. Throws `storage_unavailable`, or what the disk said.
 */
export async function openStorage(
  options: StorageOptions & { readonly ids: IdSource; readonly journal: JournalSettings },
): Promise<Storage> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { clock, log, ids, journal: settings, faults = noFaults } = options;
  const journalRoot = makeJournalRoot(options);
  const owned = createInstance(journalRoot, ids.next('journal'));
  const queries = createQueryWatch(options.queries ?? UNWATCHED);
  const book = createReportBook(log, queries, (position) => pipe.applied(position));
  const engine = await createEngine({
    tenants: tenantShare(options),
    ...{ ...options, limits, journalRoot, owned, faults, queries, onReport: book.onReport },
    durable: settings.fsync !== 'off',
    onWriterRestart: () => pipe.republish(),
  });
  const { directory } = owned;
  const { segmentMaxBytes, settleMs } = limits;
  const pipe = new LedgerPipe(
    (onWritten) =>
      new Journal({
        ...{ directory, files: systemFiles, segmentMaxBytes, clock, log, faults, onWritten },
        ...settings,
      }),
    engine.ledger,
    clock,
  );
  const places = placesOf(options, engine, queries);
  const bodies = new BodyLanes({ repository: createBodyRepository(places), clock, log, settleMs });
  await openOrClose(engine, () => owned.remove());
  book.watchTenants(() => places.tenantsChanged());
  void recoverInBackground(engine, log);
  const settle = () => pipe.flush(settleMs).catch(() => undefined);
  return {
    ...createRepositories(engine, places, options.clock, settle),
    ledger: pipe,
    history: pipe,
    bodies,
    ledgerRows: {
      eraseBefore: (beforeMs, limit) => engine.forgetBefore(dayOf(beforeMs) * DAY_MS, limit),
    },
    jobs: createJobQueue(engine, { ids, clock }),
    responses: createResponseRepository(places),
    places,
    changes: (onChange) => book.watch(onChange),
    recovered: (onRecovered) => book.watchRecovered(onRecovered),
    rollJournal: () => pipe.roll(),
    health: () => engine.health(),
    figures: () => ({
      ...{ ...pipe.figures(), ...book.figures(), ...bodies.figures() },
      places: places.figures(),
      ...{ outage: engine.outage(), pools: engine.pools() },
    }),
    close: () => closeStorage({ pipe, bodies, places, engine, owned }, limits.closeMs, log),
  };
}

/**
 * Opens the database without a journal, after applying those of dead processes for as long as
 * `settleMs`. Throws `storage_unavailable`, or what the disk said.
 */
export async function openStorageTool(options: StorageOptions): Promise<StorageTool> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const journalRoot = makeJournalRoot(options);
  const queries = createQueryWatch(options.queries ?? UNWATCHED);
  const book = createReportBook(options.log, queries, () => undefined);
  const { faults = noFaults } = options;
  const engine = await createEngine({
    tenants: tenantShare(options),
    ...{ ...options, limits, journalRoot, faults, queries, onReport: book.onReport },
    ...{ durable: true, owned: null, onWriterRestart: () => undefined },
  });
  const places = placesOf(options, engine, queries);
  await openOrClose(engine, () => undefined);
  const recovered = recoverInBackground(engine, options.log);
  const settle = () => Promise.race([recovered, patience(options.clock, limits.settleMs)]);
  return {
    ...createRepositories(engine, places, options.clock, settle),
    places,
    health: () => engine.health(),
    async close() {
      await places.close();
      await engine.close();
    },
  };
}

function tenantShare({ places = FILES_ONLY }: StorageOptions): TenantShare {
  return { openMax: places.openMax, connections: connectionsToTenant(places.pool) };
}

function placesOf(
  { dataDir, clock, log, ...options }: StorageOptions,
  shared: Engine,
  queries: QueryWatch,
): Places {
  const { database, places: settings = FILES_ONLY } = options;
  const tenants = createTenantRepository(shared);
  const parts = { dataDir, clock, log, queries };
  return openPlaces({ ...parts, shared, tenants, main: database, settings });
}

/** Throws `restore_unfinished` where a restore was cut off. */
function makeJournalRoot({ dataDir }: StorageOptions): string {
  requireNoUnfinishedRestore(dataDir);
  const journalRoot = join(dataDir, 'journal');
  mkdirSync(journalRoot, { recursive: true, mode: 0o700 });
  return journalRoot;
}

async function openOrClose(engine: LedgerEngine, undo: () => void): Promise<void> {
  try {
    await engine.open();
  } catch (error) {
    await engine.close();
    undo();
    throw error;
  }
}

/** Never rejects. */
async function recoverInBackground(engine: LedgerEngine, log: Log): Promise<void> {
  try {
    await engine.recover();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.warn('journals of earlier runs are not applied yet', { error: message });
  }
}

interface OpenParts {
  readonly pipe: LedgerPipe;
  readonly bodies: BodyLanes;
  readonly places: Places;
  readonly engine: LedgerEngine;
  readonly owned: Ownership;
}

/** Never rejects: what cannot be removed is found and finished by the next start. */
async function closeStorage(
  { pipe, bodies, places, engine, owned }: OpenParts,
  waitMs: number,
  log: Log,
): Promise<void> {
  try {
    await pipe.close();
    await Promise.all([pipe.flush(waitMs), bodies.close(waitMs)]);
    await places.close();
    await engine.ledger.retireJournal();
    await engine.close();
    owned.remove();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.warn('the journal of this run is left for the next start', { error: message });
    await places.close();
    await engine.close();
    owned.release();
  }
}

function patience(clock: Clock, waitMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(waitMs, resolve));
}
