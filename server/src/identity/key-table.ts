/**
 * The keys of the snapshot: ready answers by the whole keyed hash of the secret, and the
 * version up to which changes were read.
 *
 * Bounded: beyond `maxKeys` new keys are left out, which is logged and can be asked for.
 */
import type { Authentication, Principal } from '../gateway/index.ts';
import type { Log } from '../kernel/log.ts';
import { type Networks, readNetworks } from './networks.ts';
import type { KeyChanges, KeyRecord } from './ports/key-repository.ts';

type KnownKey = Extract<Authentication, { kind: 'known' }>;

export interface KeyEntry {
  readonly known: KnownKey;
  /** null: from anywhere. */
  readonly networks: Networks | null;
  /** Until when this secret is good; null: as long as the key. */
  readonly untilMs: number | null;
}

export interface KeyTable {
  readonly size: number;
  readonly version: number;
  /** Some keys were left out: one that is not found may exist all the same. */
  readonly isTruncated: boolean;
  find(secretHash: string): KeyEntry | undefined;
  has(id: string): boolean;
  /** Takes what changed since `version`. */
  apply(changes: KeyChanges): void;
  /** Forgets everything and takes every key there is. */
  replace(all: KeyChanges): void;
}

export function createKeyTable(maxKeys: number, log: Log): KeyTable {
  let byHash = new Map<string, KeyEntry>();
  let hashesById = new Map<string, readonly string[]>();
  let version = 0;
  let isTruncated = false;

  /** Also of secrets that were replaced while nobody looked. */
  function forget(id: string): void {
    for (const hash of hashesById.get(id) ?? []) byHash.delete(hash);
    hashesById.delete(id);
  }

  function put(record: KeyRecord): void {
    forget(record.id);
    if (record.revokedAtMs !== null) return;
    if (hashesById.size >= maxKeys) {
      if (!isTruncated) log.error('there are more API keys than are held', { max_keys: maxKeys });
      isTruncated = true;
      return;
    }
    const { secretHash, previousHash, previousUntilMs } = record;
    const known: KnownKey = Object.freeze({ kind: 'known', principal: principalOf(record) });
    const networks = record.addresses === null ? null : readNetworks(record.addresses);
    byHash.set(secretHash, { known, networks, untilMs: null });
    hashesById.set(record.id, previousHash === null ? [secretHash] : [secretHash, previousHash]);
    if (previousHash === null || previousUntilMs === null) return;
    byHash.set(previousHash, { known, networks, untilMs: previousUntilMs });
  }

  function apply(changes: KeyChanges): void {
    for (const record of changes.keys) put(record);
    version = changes.version;
  }

  return {
    get size() {
      return hashesById.size;
    },
    get version() {
      return version;
    },
    get isTruncated() {
      return isTruncated;
    },
    find: (secretHash) => byHash.get(secretHash),
    has: (id) => hashesById.has(id),
    apply,
    replace(all) {
      byHash = new Map();
      hashesById = new Map();
      isTruncated = false;
      apply(all);
    },
  };
}

export function principalOf(record: KeyRecord): Principal {
  return Object.freeze<Principal>({
    kind: 'api_key',
    keyId: record.id,
    name: record.name,
    tenant: record.tenant,
    roles: Object.freeze([record.role]),
    scopes: record.scopes === null ? null : Object.freeze([...record.scopes]),
    models: record.models === null ? null : Object.freeze([...record.models]),
    limits: Object.freeze({ ...record.limits }),
    budget: record.budget === null ? null : Object.freeze({ ...record.budget }),
    cacheUse: record.cacheUse,
    expiresAtMs: record.expiresAtMs,
    familyId: null,
  });
}
