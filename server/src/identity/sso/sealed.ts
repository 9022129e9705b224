/**
 * A small text sealed with AES-256-GCM for one purpose and a limited time, fit for a cookie:
 * who holds it can neither read nor change it, nor use it for anything else.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { Random } from '../../kernel/random.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_MAX = 2000;

export interface Sealer {
  seal(values: Readonly<Record<string, string>>, lifeMs: number): string;
  /** null where it is not ours, was changed, or is too old. */
  open(text: string): Readonly<Record<string, string>> | null;
}

/** `key` has 32 bytes. */
export function createSealer(
  key: Uint8Array,
  purpose: string,
  { random, clock }: { readonly random: Random; readonly clock: Pick<Clock, 'wallMs'> },
): Sealer {
  const associated = Buffer.from(purpose);
  return {
    seal(values, lifeMs) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(associated);
      const text = JSON.stringify({ ...values, until: String(clock.wallMs() + lifeMs) });
      const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(text) {
      if (text.length > LENGTH_MAX) return null;
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length <= NONCE_BYTES + TAG_BYTES) return null;
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv(ALGORITHM, key, nonce, options).setAAD(associated);
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
        const values = parseJson(Buffer.concat([opened, decipher.final()]).toString());
        if (!isJsonObject(values) || Number(values.until) <= clock.wallMs()) return null;
        return values as Readonly<Record<string, string>>;
      } catch {
        return null; // GCM says that it was changed
      }
    },
  };
}
