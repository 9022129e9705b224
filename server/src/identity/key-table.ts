/**
 * The keys of the snapshot: ready answers by the whole keyed hash of the secret, and the
 * version up to which changes were read.
 *
 * Bounded: beyond `maxKeys` new keys are left out, which is logged and can be asked for.
 */
import type { Authentication, Principal } from '../gateway/index.ts';
import type { Log } from '../kernel/log.ts';
import type { KeyChanges, KeyRecord } from './ports/key-repository.ts';

export type KnownKey = Extract<Authentication, { kind: 'known' }>;

export interface KeyTable {
  readonly size: number;
  readonly version: number;
  /** Some keys were left out: one that is not found may exist all the same. */
  readonly isTruncated: boolean;
  find(secretHash: string): KnownKey | undefined;
  /** Takes what changed since `version`. */
  apply(changes: KeyChanges): void;
  /** Forgets everything and takes every key there is. */
  replace(all: KeyChanges): void;
}

export function createKeyTable(maxKeys: number, log: Log): KeyTable {
  let byHash = new Map<string, KnownKey>();
  let version = 0;
  let isTruncated = false;

  function put(record: KeyRecord): void {
    if (record.revokedAtMs !== null) {
      byHash.delete(record.secretHash);
    } else if (byHash.size < maxKeys || byHash.has(record.secretHash)) {
      const known: KnownKey = { kind: 'known', principal: principalOf(record) };
      byHash.set(record.secretHash, Object.freeze(known));
    } else if (!isTruncated) {
      isTruncated = true;
      log.error('there are more API keys than are held in memory', { max_keys: maxKeys });
    }
  }

  function apply(changes: KeyChanges): void {
    for (const record of changes.keys) put(record);
    version = changes.version;
  }

  return {
    get size() {
      return byHash.size;
    },
    get version() {
      return version;
    },
    get isTruncated() {
      return isTruncated;
    },
    find: (secretHash) => byHash.get(secretHash),
    apply,
    replace(all) {
      byHash = new Map();
      isTruncated = false;
      apply(all);
    },
  };
}

function principalOf(record: KeyRecord): Principal {
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
