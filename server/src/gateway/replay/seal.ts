/**
 * What ties a kept answer to its request and hides it: the name of its place and its cipher key
 * come from tenant, principal and `Idempotency-Key` under a secret, so that nobody finds or
 * reads an answer who does not send the same key as the same principal.
 *
 * The fingerprint covers everything of the request that its answer depends on: the bytes as
 * they came, and what the path and headers said.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import type { Random } from '../../kernel/random.ts';
import type { Principal } from '../model/principal.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { ReplayPlace } from '../ports/replay-store.ts';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface ReplaySeal {
  readonly place: ReplayPlace;
  close(plain: Buffer): Buffer;
  /** null for what was not sealed here: another secret, or damaged. */
  open(sealed: Buffer): Buffer | null;
}

export interface ReplaySeals {
  sealOf(principal: Principal, idempotencyKey: string): ReplaySeal;
  /** Equal for equal requests alone. */
  fingerprintOf(request: InferenceRequest): string;
}

/** `secret` is at least 32 random bytes, the same in every process that shares a store. */
export function createReplaySeals(secret: Uint8Array, random: Random): ReplaySeals {
  const key = createSecretKey(secret);
  const digest = (purpose: string, parts: readonly string[]): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([purpose, ...parts]))
      .digest();
  return {
    sealOf({ tenant, keyId }, idempotencyKey) {
      const parts = [tenant, keyId, idempotencyKey];
      const id = digest('place', parts).toString('base64url');
      return { place: { tenant, id }, ...cipherOf(digest('cipher', parts), random) };
    },
    fingerprintOf({ dialect, operation, model, stream, foreign, bytes }) {
      const said = JSON.stringify([dialect, operation, model, stream, foreign?.headers ?? null]);
      return createHmac('sha256', key).update(said).update('\n').update(bytes).digest('base64url');
    },
  };
}

function cipherOf(key: Buffer, random: Random): Omit<ReplaySeal, 'place'> {
  return {
    close(plain) {
      const iv = random.bytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
    },
    open(sealed) {
      try {
        const iv = sealed.subarray(0, IV_BYTES);
        const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
        decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        const plain = decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES));
        return Buffer.concat([plain, decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}
