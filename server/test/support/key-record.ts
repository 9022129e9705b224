/** A stored key of which a test writes out only what its claim is about. */
import type { KeyRecord } from '../../src/identity/index.ts';

export function keyRecord(changes: Partial<KeyRecord> = {}): KeyRecord {
  const id = changes.id ?? 'key_1';
  return {
    id,
    tenant: 'default',
    name: `Name of ${id}`,
    hint: 'esk_Ab3d…',
    secretHash: `hash of ${id}`,
    role: 'service',
    scopes: null,
    addresses: null,
    cacheUse: 'default',
    previousHash: null,
    previousUntilMs: null,
    models: null,
    limits: {},
    budget: null,
    createdAtMs: 1_700_000_000_000,
    expiresAtMs: null,
    revokedAtMs: null,
    ...changes,
  };
}
