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
import type { Authentication, Authenticator, Principal } from '../gateway/index.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { KeyChanges, KeyRecord, KeyRepository } from './ports/key-repository.ts';
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

type Known = Extract<Authentication, { kind: 'known' }>;

const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });
const EXPIRED: Authentication = Object.freeze({ kind: 'expired' });
const UNAVAILABLE: Authentication = Object.freeze({ kind: 'unavailable' });

export function createKeySnapshot(options: KeySnapshotOptions): KeySnapshot {
  const { repository, hashSecret, clock, log } = options;
  const pollMs = options.pollMs ?? DEFAULT_POLL_MS;
  const maxKeys = options.maxKeys ?? DEFAULT_MAX_KEYS;
  const adminLength = options.adminSecret?.length ?? -1;
  const adminHash = options.adminSecret === null ? null : hashSecret(options.adminSecret);
  const adminAnswer: Known = Object.freeze({ kind: 'known', principal: environmentAdmin });

  let knownByHash = new Map<string, Known>();
  let version = 0;
  let readAtMs: number | null = null;
  let isCurrent = false;
  let isTruncated = false;
  let waiting: Promise<void> | null = null;
  let lastLoad: Promise<void> = Promise.resolve();
  let timer: Timer | null = null;
  let isStopped = false;

  function apply(changes: KeyChanges, target: Map<string, Known>): void {
    for (const record of changes.keys) {
      if (record.revokedAtMs !== null) target.delete(record.secretHash);
      else if (target.size < maxKeys || target.has(record.secretHash)) {
        target.set(
          record.secretHash,
          Object.freeze({ kind: 'known', principal: toPrincipal(record) }),
        );
      } else if (!isTruncated) {
        isTruncated = true;
        log.error('more API keys than the snapshot may hold', { max_keys: maxKeys });
      }
    }
    version = changes.version;
  }

  async function load(): Promise<void> {
    const startedMs = clock.monotonicMs();
    try {
      const changes = await repository.changedSince(version);
      if (changes.version >= version) apply(changes, knownByHash);
      else await reload();
      readAtMs = startedMs;
      if (!isCurrent) log.info('API keys are up to date', { keys: knownByHash.size });
      isCurrent = true;
    } catch (error) {
      if (isCurrent || readAtMs === null) log.warn('API keys could not be refreshed', { error });
      isCurrent = false;
    }
  }

  /** An older version than ours: the database was restored, so nothing held is certain. */
  async function reload(): Promise<void> {
    const all = await repository.changedSince(0);
    const fresh = new Map<string, Known>();
    isTruncated = false;
    apply(all, fresh);
    knownByHash = fresh;
  }

  function refresh(): Promise<void> {
    if (waiting !== null) return waiting; // it has not begun to read
    const mine = lastLoad.then(() => {
      waiting = null;
      return load();
    });
    waiting = mine;
    lastLoad = mine;
    return mine;
  }

  function poll(): void {
    if (isStopped) return;
    timer = clock.setTimer(pollMs, () => {
      refresh().then(poll, poll);
    });
  }

  function ageMs(): number {
    return readAtMs === null ? Number.POSITIVE_INFINITY : clock.monotonicMs() - readAtMs;
  }

  function authenticate(secret: string): Authentication {
    if (!isWellFormedSecret(secret) && secret.length !== adminLength) return UNKNOWN;
    const hash = hashSecret(secret);
    if (hash === adminHash) return adminAnswer;
    const known = knownByHash.get(hash);
    if (known === undefined) {
      const isCertain = isCurrent && !isTruncated && ageMs() <= pollMs * POLLS_UNTIL_DOUBT;
      return isCertain ? UNKNOWN : UNAVAILABLE;
    }
    if (ageMs() > options.maxAgeMs) return UNAVAILABLE;
    const { expiresAtMs } = known.principal;
    return expiresAtMs !== null && expiresAtMs <= clock.wallMs() ? EXPIRED : known;
  }

  return {
    authenticate,
    refresh,
    async start() {
      await refresh();
      poll();
    },
    state: () => ({
      keys: knownByHash.size,
      ageMs: readAtMs === null ? null : ageMs(),
      isCurrent,
    }),
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

function toPrincipal(record: KeyRecord): Principal {
  return Object.freeze<Principal>({
    kind: 'api_key',
    keyId: record.id,
    name: record.name,
    tenant: record.tenant,
    role: record.role,
    models: record.models === null ? null : Object.freeze([...record.models]),
    limits: Object.freeze({ ...record.limits }),
    budget: record.budget === null ? null : Object.freeze({ ...record.budget }),
    expiresAtMs: record.expiresAtMs,
  });
}
