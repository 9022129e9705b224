/**
 * One key per purpose out of the one master secret (HKDF-SHA256), so that what hashes API
 * keys never signs cursors, and a leak of one says nothing about another.
 *
 * Invariant: a purpose's text never changes. A changed text is a new key: every API key would
 * stop working.
 */
import { hkdfSync } from 'node:crypto';

const KEY_BYTES = 32;
const SALT = 'esclusa';

export interface DerivedKeys {
  /** The pepper under which API keys are hashed. */
  readonly apiKeyPepper: Buffer;
  /** Keys the cache's entry names. */
  readonly cacheKey: Buffer;
  /** Hides kept answers of idempotent requests, and what their keys are. */
  readonly replayKey: Buffer;
  /** Signs the cursors of lists. */
  readonly cursorKey: Buffer;
  /** Seals refresh tokens. */
  readonly refreshKey: Buffer;
  /** Hashes invitations, and who signed in from where. */
  readonly peopleKey: Buffer;
  /** Seals what a browser carries through a single sign-on. */
  readonly carryKey: Buffer;
  /** Chains the audit log. */
  readonly auditKey: Buffer;
  /** Tells whether two processes have the same master secret, and nothing else about it. */
  readonly mark: Buffer;
  /** Hides fields of rows, such as passwords of databases. */
  readonly fieldKey: Buffer;
  /** Authenticates the first page of a backup. */
  readonly backupKey: Buffer;
}

export function deriveKeys(masterSecret: Uint8Array): DerivedKeys {
  return {
    apiKeyPepper: derive(masterSecret, 'api-key-hash/v1'),
    cacheKey: derive(masterSecret, 'cache-key/v1'),
    replayKey: derive(masterSecret, 'replay-seal/v1'),
    cursorKey: derive(masterSecret, 'cursor-signature/v1'),
    refreshKey: derive(masterSecret, 'refresh-token/v1'),
    peopleKey: derive(masterSecret, 'people-hash/v1'),
    carryKey: derive(masterSecret, 'single-sign-on/v1'),
    auditKey: derive(masterSecret, 'audit-chain/v1'),
    mark: derive(masterSecret, 'installation-mark/v1'),
    fieldKey: derive(masterSecret, 'field-seal/v1'),
    backupKey: derive(masterSecret, 'backup-manifest/v1'),
  };
}

function derive(masterSecret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterSecret, SALT, purpose, KEY_BYTES));
}
