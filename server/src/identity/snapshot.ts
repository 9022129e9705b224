/**
 * Every usable API key in memory, so that a request is authenticated without the database.
 * Half of the gateway's authenticator; kept fresh by reading what changed since the last
 * version: after every local write, when storage signals a change, and by polling.
 *
 * Invariants:
 * 1. A key is found by its whole keyed hash and by nothing shorter.
 * 2. A failed refresh keeps the last good snapshot. Known keys go on until it is `maxAgeMs`
 *    old; an unknown one is `unavailable` as long as it might just not have been seen yet.
 * 3. A refresh that was asked for reads after it was asked for, however many are running.
 * 4. At most `maxKeys` keys are held; beyond, unknown keys are `unavailable` and it is logged.
 * 5. The keys of the environment need no snapshot.
 */
import type { Authentication, CallerAddress, Principal } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createFreshness } from '../kernel/freshness.ts';
import type { Log } from '../kernel/log.ts';
import { createKeyTable, type KeyTable } from './key-table.ts';
import type { KeyRepository } from './ports/key-repository.ts';
import { type HashSecret, isWellFormedSecret } from './secret.ts';
import { environmentAdmin, environmentCollector, environmentDeveloper } from './superadmin.ts';

const DEFAULT_MAX_KEYS = 200_000;

export interface KeySnapshotOptions {
  readonly repository: Pick<KeyRepository, 'changedSince'>;
  readonly hashSecret: HashSecret;
  readonly clock: Clock;
  readonly log: Log;
  /** Age beyond which nobody is let in, in milliseconds. */
  readonly maxAgeMs: number;
  /** Value of `ESCLUSA_ADMIN_KEY`; null where it is not set. */
  readonly adminSecret: string | null;
  /** Value of `ESCLUSA_METRICS_KEY`; null where it is not set. */
  readonly metricsSecret: string | null;
  /** For who calls from this machine without a credential; null but for `AUTH_MODE=dev`. */
  readonly developerSecret?: string | null;
  /** Milliseconds between two polls; 1000. */
  readonly pollMs?: number;
  /** 200 000. */
  readonly maxKeys?: number;
}

export interface KeySnapshotState {
  readonly keys: number;
  /** Milliseconds since the last successful read; null before the first. */
  readonly ageMs: number | null;
  /** False after a failed refresh, until the next that succeeds. */
  readonly isCurrent: boolean;
}

export interface KeySnapshot {
  authenticate(secret: string, address?: CallerAddress): Authentication;
  /** False for a key that was revoked; true also where nobody can tell. */
  has(keyId: string): boolean;
  /** Loads every key, then keeps polling. Resolves after the first try, also a failed one. */
  start(): Promise<void>;
  /** Reads what changed. Resolves when done and never rejects. */
  refresh(): Promise<void>;
  state(): KeySnapshotState;
  stop(): void;
}

const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });
const EXPIRED: Authentication = Object.freeze({ kind: 'expired' });
const ELSEWHERE: Authentication = Object.freeze({ kind: 'elsewhere' });
const UNAVAILABLE: Authentication = Object.freeze({ kind: 'unavailable' });

interface EnvironmentKey {
  readonly length: number;
  readonly hash: string;
  readonly answer: Authentication;
}

export function createKeySnapshot(options: KeySnapshotOptions): KeySnapshot {
  const { repository, hashSecret, clock, log, maxAgeMs, pollMs } = options;
  const ofEnvironment = environmentKeys(options);
  const table = createKeyTable(options.maxKeys ?? DEFAULT_MAX_KEYS, log);
  const freshness = createFreshness({
    what: 'API keys',
    read: () => readChanges(repository, table),
    size: () => table.size,
    ...{ clock, log, pollMs },
  });

  return {
    authenticate(secret, address = () => null) {
      const mayBeOurs = ofEnvironment.some(({ length }) => length === secret.length);
      if (!isWellFormedSecret(secret) && !mayBeOurs) return UNKNOWN;
      const hash = hashSecret(secret);
      for (const own of ofEnvironment) if (own.hash === hash) return own.answer;
      const entry = table.find(hash);
      if (entry === undefined) {
        return freshness.isCertain() && !table.isTruncated ? UNKNOWN : UNAVAILABLE;
      }
      if (freshness.ageMs() > maxAgeMs) return UNAVAILABLE;
      const { known, networks, untilMs } = entry;
      if (untilMs !== null && untilMs <= clock.wallMs()) return UNKNOWN;
      const { expiresAtMs } = known.principal;
      if (expiresAtMs !== null && expiresAtMs <= clock.wallMs()) return EXPIRED;
      return networks === null || networks.has(address()) ? known : ELSEWHERE;
    },
    has: (keyId) => table.has(keyId) || table.isTruncated,
    refresh: freshness.refresh,
    start: freshness.start,
    state: () => ({
      keys: table.size,
      ageMs: Number.isFinite(freshness.ageMs()) ? freshness.ageMs() : null,
      isCurrent: freshness.isCurrent(),
    }),
    stop: freshness.stop,
  };
}

function environmentKeys(options: KeySnapshotOptions): readonly EnvironmentKey[] {
  const { adminSecret, metricsSecret, developerSecret, hashSecret } = options;
  const keys: EnvironmentKey[] = [];
  const add = (secret: string | null, principal: Principal): void => {
    if (secret === null) return;
    const answer = Object.freeze<Authentication>({ kind: 'known', principal });
    keys.push({ length: secret.length, hash: hashSecret(secret), answer });
  };
  add(adminSecret, environmentAdmin);
  add(metricsSecret, environmentCollector);
  add(developerSecret ?? null, environmentDeveloper);
  return keys;
}

async function readChanges(
  repository: KeySnapshotOptions['repository'],
  table: KeyTable,
): Promise<void> {
  const changes = await repository.changedSince(table.version);
  // An older version than ours: the database was restored, so nothing held is certain.
  if (changes.version < table.version) table.replace(await repository.changedSince(0));
  else table.apply(changes);
}
