/**
 * Every usable API key in memory, so that a request is authenticated without the database.
 * Implements the gateway's authenticator; kept fresh by reading what changed since the last
 * version: after every local write, when storage signals a change, and by polling.
 *
 * Invariants:
 * 1. A key is found by its whole keyed hash and by nothing shorter.
 * 2. A failed refresh keeps the last good snapshot. Known keys go on until it is `maxAgeMs`
 *    old; an unknown one is `unavailable` as long as it might just not have been seen yet.
 * 3. A refresh that was asked for reads after it was asked for, however many are running.
 * 4. At most `maxKeys` keys are held; beyond, unknown keys are `unavailable` and it is logged.
 * 5. The key of the environment needs no snapshot.
 */
import type { Authentication, Authenticator } from '../gateway/index.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { coalesce } from './coalesce.ts';
import { createKeyTable, type KeyTable } from './key-table.ts';
import type { KeyRepository } from './ports/key-repository.ts';
import { type HashSecret, isWellFormedSecret } from './secret.ts';
import { environmentAdmin } from './superadmin.ts';

const DEFAULT_POLL_MS = 1000;
const DEFAULT_MAX_KEYS = 200_000;
/** Polls that may fail to come back before an unknown key might be one that was not seen. */
const POLLS_UNTIL_DOUBT = 3;

export interface KeySnapshotOptions {
  readonly repository: Pick<KeyRepository, 'changedSince'>;
  readonly hashSecret: HashSecret;
  readonly clock: Clock;
  readonly log: Log;
  /** Age beyond which nobody is let in, in milliseconds. */
  readonly maxAgeMs: number;
  /** Value of `ESCLUSA_ADMIN_KEY`; null where it is not set. */
  readonly adminSecret: string | null;
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

export interface KeySnapshot extends Authenticator {
  /** Loads every key, then keeps polling. Resolves after the first try, also a failed one. */
  start(): Promise<void>;
  /** Reads what changed. Resolves when done and never rejects. */
  refresh(): Promise<void>;
  state(): KeySnapshotState;
  stop(): void;
}

const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });
const EXPIRED: Authentication = Object.freeze({ kind: 'expired' });
const UNAVAILABLE: Authentication = Object.freeze({ kind: 'unavailable' });
const ENVIRONMENT_ADMIN: Authentication = Object.freeze({
  kind: 'known',
  principal: environmentAdmin,
});

export function createKeySnapshot(options: KeySnapshotOptions): KeySnapshot {
  const { repository, hashSecret, clock, log, adminSecret, maxAgeMs } = options;
  const pollMs = options.pollMs ?? DEFAULT_POLL_MS;
  const adminLength = adminSecret?.length ?? -1;
  const adminHash = adminSecret === null ? null : hashSecret(adminSecret);
  const table = createKeyTable(options.maxKeys ?? DEFAULT_MAX_KEYS, log);
  let readAtMs: number | null = null;
  let isCurrent = false;
  let timer: Timer | null = null;
  let isStopped = false;

  const refresh = coalesce(async () => {
    const startedMs = clock.monotonicMs();
    try {
      await readChanges(repository, table);
      // The first time is what everyone expects; afterwards it is the end of an outage.
      const level = readAtMs === null ? 'debug' : 'info';
      if (!isCurrent) log[level]('API keys are up to date', { keys: table.size });
      readAtMs = startedMs;
      isCurrent = true;
    } catch (error) {
      if (isCurrent || readAtMs === null) log.warn('API keys could not be refreshed', { error });
      isCurrent = false;
    }
  });

  function poll(): void {
    if (isStopped) return;
    timer = clock.setTimer(pollMs, () => {
      refresh().then(poll, poll);
    });
  }

  function ageMs(): number {
    return readAtMs === null ? Number.POSITIVE_INFINITY : clock.monotonicMs() - readAtMs;
  }

  function judgeUnknown(): Authentication {
    const isCertain = isCurrent && !table.isTruncated && ageMs() <= pollMs * POLLS_UNTIL_DOUBT;
    return isCertain ? UNKNOWN : UNAVAILABLE;
  }

  return {
    authenticate(secret) {
      if (!isWellFormedSecret(secret) && secret.length !== adminLength) return UNKNOWN;
      const hash = hashSecret(secret);
      if (hash === adminHash) return ENVIRONMENT_ADMIN;
      const known = table.find(hash);
      if (known === undefined) return judgeUnknown();
      if (ageMs() > maxAgeMs) return UNAVAILABLE;
      const { expiresAtMs } = known.principal;
      return expiresAtMs !== null && expiresAtMs <= clock.wallMs() ? EXPIRED : known;
    },
    refresh,
    async start() {
      await refresh();
      poll();
    },
    state: () => ({ keys: table.size, ageMs: readAtMs === null ? null : ageMs(), isCurrent }),
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
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
