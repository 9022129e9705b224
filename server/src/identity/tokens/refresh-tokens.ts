/**
 * Refresh tokens: which family, which generation of it, and a keyed hash over both. Nothing of
 * a token is stored, and two clients that refresh at the same moment are given the same one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RefreshClaims {
  readonly familyId: string;
  readonly generation: number;
}

export interface RefreshTokens {
  make(claims: RefreshClaims): string;
  /** null: it is not one of ours. */
  read(token: string): RefreshClaims | null;
}

const TOKEN = /^esr_([A-Za-z0-9_]{1,64})\.(\d{1,9})\.([A-Za-z0-9_-]{43})$/;

export function createRefreshTokens(key: Uint8Array): RefreshTokens {
  const seal = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  return {
    make({ familyId, generation }) {
      const text = `${familyId}.${generation}`;
      return `esr_${text}.${seal(text)}`;
    },
    read(token) {
      const [, familyId = '', generation = '', sent = ''] = TOKEN.exec(token) ?? [];
      const expected = seal(`${familyId}.${generation}`);
      if (sent.length !== expected.length) return null;
      const isGenuine = timingSafeEqual(Buffer.from(sent), Buffer.from(expected));
      return isGenuine ? { familyId, generation: Number(generation) } : null;
    },
  };
}
