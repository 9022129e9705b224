/**
 * Numbers that look random and are the same for the same seed (mulberry32), so that seeding
 * twice makes the same rows.
 */
import type { Random } from '../../kernel/random.ts';

export interface Dice extends Random {
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Around the median, seldom below a third or above three times of it. */
  spread(median: number): number;
  pick<T extends { readonly share: number }>(options: readonly T[]): T;
}

export function createDice(seed: number): Dice {
  let state = seed | 0;
  function float(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  return {
    float,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(float() * 256)),
    chance: (probability) => float() < probability,
    spread: (median) => Math.round(median * Math.exp((float() + float() + float() - 1.5) * 1.1)),
    pick(options) {
      let rest = float() * options.reduce((sum, { share }) => sum + share, 0);
      const last = options.at(-1);
      const picked = options.find(({ share }) => {
        rest -= share;
        return rest < 0;
      });
      if (picked === undefined && last === undefined) throw new RangeError('nothing to pick from');
      return (picked ?? last) as (typeof options)[number];
    },
  };
}
