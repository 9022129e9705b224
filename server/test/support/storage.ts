/**
 * Real storage in a folder that goes away with the test, a log that remembers, and ledger
 * entries of which a test writes out only what its claim is about.
 */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LedgerEntry } from '../../src/gateway/model/ledger-entry.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { FaultPoints } from '../../src/kernel/fault.ts';
import { createIdSource } from '../../src/kernel/id.ts';
import type { Log, LogFields } from '../../src/kernel/log.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import {
  type DatabasePlace,
  type FsyncPolicy,
  openStorage,
  type PlaceSettings,
  type Storage,
  type StorageLimits,
} from '../../src/storage/index.ts';
import { afterwards, temporaryFolder } from './afterwards.ts';

export const ids = createIdSource(systemClock, systemRandom);

export interface RememberedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

export interface RememberingLog extends Log {
  readonly lines: RememberedLine[];
}

export function rememberingLog(): RememberingLog {
  const lines: RememberedLine[] = [];
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface TestStorageOptions {
  readonly dataDir: string;
  /** SQLite in the folder where it is left out. */
  readonly database?: DatabasePlace;
  readonly fsync?: FsyncPolicy;
  readonly maxBytes?: number;
  readonly log?: Log;
  readonly faults?: FaultPoints;
  readonly limits?: Partial<StorageLimits>;
  /** Where tenants may have databases of their own: in files where it is left out. */
  readonly places?: PlaceSettings;
}

export function databasePath(dataDir: string): string {
  return join(dataDir, 'esclusa.sqlite');
}

/** Opens storage over the real clock and disk; the test closes it. */
export function openAt(options: TestStorageOptions): Promise<Storage> {
  const { dataDir, fsync = 'off', maxBytes = 1 << 28, log = rememberingLog() } = options;
  return openStorage({
    database: options.database ?? { kind: 'sqlite', file: databasePath(dataDir) },
    dataDir,
    clock: systemClock,
    log,
    ids,
    journal: { fsync, maxBytes },
    ...(options.faults !== undefined && { faults: options.faults }),
    ...(options.limits !== undefined && { limits: options.limits }),
    ...(options.places !== undefined && { places: options.places }),
  });
}

/** The same in a folder of its own, closed after the test. */
export async function openTestStorage(
  t: TestContext,
  options: Partial<TestStorageOptions> = {},
): Promise<Storage> {
  const dataDir = options.dataDir ?? temporaryFolder(t);
  const storage = await openAt({ ...options, dataDir });
  afterwards(t, () => storage.close());
  return storage;
}

export function ledgerEntry(overrides: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id: ids.next('req'),
    createdAtMs: 1_700_000_000_000,
    tenant: 'default',
    keyId: 'key_a',
    correlationId: 'corr-1',
    dialect: 'openai',
    operation: 'chat',
    model: 'fast',
    provider: 'demo',
    providerModel: 'demo-1',
    stream: false,
    status: 200,
    outcome: 'completed',
    errorCode: null,
    cache: 'MISS',
    attempts: 1,
    usage: {
      inputTokens: 10,
      cachedInputTokens: 4,
      outputTokens: 5,
      reasoningTokens: 2,
      source: 'provider',
    },
    costNanousd: 1500,
    priceId: 'price_1',
    durationMs: 12.345,
    firstTokenMs: 3.25,
    configGeneration: 7,
    ...overrides,
  };
}
