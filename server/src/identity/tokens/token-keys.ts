/**
 * The keys that tokens are signed and checked with: the one in use and the one before, so that a
 * rotation ends nobody's session.
 *
 * They come from the operator's secret, or are derived from the master secret by the number of
 * a generation: every process has the same, none is stored. A key's id is made from the key
 * itself; what a token names is only ever looked up among these.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

export type TokenAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'EdDSA';

export interface TokenKeySettings {
  readonly algorithm: TokenAlgorithm;
  /** The operator's; null: derived from `master`. */
  readonly secret: string | null;
  /** Still good for checking; null: the generation before. */
  readonly previousSecret: string | null;
  /** Counts rotations of derived keys, from 1. */
  readonly generation: number;
  readonly master: Uint8Array;
}

export interface TokenKey {
  readonly id: string;
  readonly sign: KeyObject | Uint8Array;
  readonly verify: KeyObject | Uint8Array;
}

export interface TokenKeys {
  readonly algorithm: TokenAlgorithm;
  readonly current: TokenKey;
  /** The current one first. */
  readonly live: readonly TokenKey[];
}

const SALT = 'esclusa';
const ID_LENGTH = 16;
const HASH_BYTES = { HS256: 32, HS384: 48, HS512: 64, EdDSA: 32 } as const;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function createTokenKeys(settings: TokenKeySettings): TokenKeys {
  const { algorithm } = settings;
  const live = seedsOf(settings).map((seed) => keyOf(algorithm, seed));
  return { algorithm, current: live[0] as TokenKey, live };
}

function seedsOf({ algorithm, secret, previousSecret, generation, master }: TokenKeySettings) {
  const own = (text: string): Uint8Array =>
    algorithm === 'EdDSA' ? derive(Buffer.from(text), 'token-key/v1', 32) : Buffer.from(text);
  if (secret !== null) {
    return [own(secret), ...(previousSecret === null ? [] : [own(previousSecret)])];
  }
  const bytes = HASH_BYTES[algorithm];
  const derived = [generation, generation - 1]
    .filter((number) => number >= 1)
    .map((number) => derive(master, `token-key/v1/${algorithm}/${number}`, bytes));
  return [...derived, ...(previousSecret === null ? [] : [own(previousSecret)])];
}

function keyOf(algorithm: TokenAlgorithm, seed: Uint8Array): TokenKey {
  const id = createHmac('sha256', seed).update('key-id').digest('base64url').slice(0, ID_LENGTH);
  if (algorithm !== 'EdDSA') return { id, sign: seed, verify: seed };
  const key = Buffer.concat([ED25519_PKCS8, seed]);
  const sign = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return { id, sign, verify: createPublicKey(sign) };
}

function derive(secret: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, SALT, purpose, bytes));
}
