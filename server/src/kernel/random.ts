/**
 * Randomness as an injected capability, so that a test can print its seed and replay it.
 */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). For jitter and weighted choice, never for secrets. */
  float(): number;
  /** `length` unpredictable bytes, fit for secrets. */
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (length) => randomBytes(length),
};
