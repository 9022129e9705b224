/**
 * When a member that died is replaced: at once after a long life, later and later while lives
 * are short. One that lived for `STABLE_MS` has its early deaths forgotten.
 *
 * Past `SHORT_LIVES_MAX` short lives in a row it is a crash loop; what is done about one is the
 * caller's business.
 */

/** From the moment at which it served. */
export const STABLE_MS = 10_000;
export const SHORT_LIVES_MAX = 8;
const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 10_000;

export interface Restart {
  readonly delayMs: number;
  readonly isLoop: boolean;
}

export interface Restarts {
  /** `servedMs`: how long it served; null: it never did. */
  after(servedMs: number | null): Restart;
}

export function createRestarts(): Restarts {
  let shortLives = 0;
  return {
    after(servedMs) {
      shortLives = servedMs !== null && servedMs >= STABLE_MS ? 0 : shortLives + 1;
      const delayMs = shortLives === 0 ? 0 : FIRST_DELAY_MS * 2 ** (shortLives - 1);
      return { delayMs: Math.min(delayMs, DELAY_MAX_MS), isLoop: shortLives >= SHORT_LIVES_MAX };
    },
  };
}
