/**
 * Time-ordered identifiers: a prefix, ten characters of milliseconds, sixteen of randomness,
 * in Crockford's base 32 (a ULID). Sorting the text sorts by time of birth.
 *
 * Invariant: identifiers of one source increase strictly, also within one millisecond and when
 * the wall clock steps back, so that keyset pages never skip or repeat a row.
 */
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

export interface IdSource {
  /** A new identifier such as `req_01JD…`; `prefix` is lower-case letters. */
  next(prefix: string): string;
}

export function createIdSource(clock: Clock, random: Random): IdSource {
  let lastMs = 0;
  let timeText = '';
  let tail = new Uint8Array(RANDOM_LENGTH);
  return {
    next(prefix) {
      const nowMs = clock.wallMs();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        timeText = encodeTime(nowMs);
        tail = random.bytes(RANDOM_LENGTH).map((byte) => byte & 31);
        tail[0] = (tail[0] ?? 0) & 15; // leaves room to count upwards within the millisecond
      } else {
        increment(tail);
      }
      return `${prefix}_${timeText}${encodeTail(tail)}`;
    },
  };
}

function encodeTime(ms: number): string {
  let text = '';
  for (let rest = ms, i = 0; i < TIME_LENGTH; i += 1) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeTail(digits: Uint8Array): string {
  let text = '';
  for (const digit of digits) text += ALPHABET[digit];
  return text;
}

function increment(digits: Uint8Array): void {
  for (let i = digits.length - 1; i >= 0; i -= 1) {
    const digit = digits[i] ?? 0;
    if (digit < 31) {
      digits[i] = digit + 1;
      return;
    }
    digits[i] = 0;
  }
}
