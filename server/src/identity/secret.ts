/**
 * The secret of an API key: `esk_` and 43 characters that carry 256 bits, and its keyed hash.
 *
 * A fast hash suffices because nobody can guess 256 random bits, and the pepper makes a stolen
 * table useless. Secrets are compared by looking their whole hash up, so that the time taken
 * says nothing about how much of a guess was right.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import type { Random } from '../kernel/random.ts';

const PREFIX = 'esk_';
const SECRET_BYTES = 32;
const SECRET_LENGTH = PREFIX.length + 43;
const HINT_LENGTH = PREFIX.length + 4;

export function generateSecret(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
}

/** The few characters people may see and recognise a key by. */
export function secretHint(secret: string): string {
  return `${secret.slice(0, HINT_LENGTH)}…`;
}

/** Whether a text can be a secret at all: refuses rubbish before it costs a hash. */
export function isWellFormedSecret(text: string): boolean {
  if (text.length !== SECRET_LENGTH || !text.startsWith(PREFIX)) return false;
  for (let at = PREFIX.length; at < SECRET_LENGTH; at += 1) {
    if (!isBase64UrlCode(text.charCodeAt(at))) return false;
  }
  return true;
}

export type HashSecret = (secret: string) => string;

/** Hashes secrets under a pepper: HMAC-SHA256, hexadecimal. */
export function createSecretHasher(pepper: Buffer): HashSecret {
  const key = createSecretKey(pepper);
  return (secret) => createHmac('sha256', key).update(secret).digest('hex');
}

function isBase64UrlCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x5f
  );
}
