/**
 * Hides single fields of rows that must be read again, such as passwords of databases: AES-256-
 * GCM under a key for nothing else. What a field belongs to (its row, its name, what stands
 * beside it) is bound to it: a sealed text that is put anywhere else does not open.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../kernel/random.ts';

export interface FieldSeal {
  /** `place` says what the field belongs to, in an order that never changes. */
  seal(plain: string, place: readonly string[]): string;
  /** null: it was sealed elsewhere, under another key, or is damaged. */
  open(sealed: string, place: readonly string[]): string | null;
}

const CIPHER = 'aes-256-gcm';
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `key` is 32 bytes. */
export function createFieldSeal(key: Uint8Array, random: Random): FieldSeal {
  return {
    seal(plain, place) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(boundTo(place));
      const hidden = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const whole = Buffer.concat([nonce, cipher.getAuthTag(), hidden]);
      return `${VERSION}.${whole.toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, text = ''] = sealed.split('.');
      const whole = Buffer.from(text, 'base64url');
      const start = NONCE_BYTES + TAG_BYTES;
      if (version !== VERSION || whole.length < start) return null;
      try {
        const nonce = whole.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(boundTo(place)).setAuthTag(whole.subarray(NONCE_BYTES, start));
        const plain = Buffer.concat([decipher.update(whole.subarray(start)), decipher.final()]);
        return plain.toString('utf8');
      } catch {
        return null;
      }
    },
  };
}

function boundTo(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([VERSION, ...place]));
}
