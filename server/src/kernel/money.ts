/**
 * Money as integers. Amounts are nano-dollars (10⁻⁹ USD); prices are pico-dollars per token
 * (10⁻¹² USD), because a published price such as $0.0375 per million tokens is not a whole
 * number of nano-dollars per token.
 *
 * Invariant: every value is a safe integer; a sum that would leave that range throws instead
 * of rounding. Rounding happens once, half up, when a cost becomes nano-dollars.
 */

export type Nanousd = number;
export type PicousdPerToken = number;

const PICOUSD_PER_NANOUSD = 1000;
const NANOUSD_PER_USD = 1_000_000_000;

/** $0.14 per million tokens → 140 000 pico-dollars per token. */
export function priceFromUsdPerMillion(usdPerMillion: number): PicousdPerToken {
  return safe(Math.round(usdPerMillion * 1_000_000));
}

/** Nano-dollars of a number of pico-dollars, half up. */
export function nanousdFromPicousd(picousd: number): Nanousd {
  return Math.floor((safe(picousd) + PICOUSD_PER_NANOUSD / 2) / PICOUSD_PER_NANOUSD);
}

/** Parses a decimal text of dollars such as `"1.50"` exactly; null when it is not one. */
export function nanousdFromDecimal(text: string): Nanousd | null {
  const match = /^(\d{1,6})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return null;
  const whole = Number(match[1]);
  const fraction = Number((match[2] ?? '').padEnd(9, '0'));
  return safe(whole * NANOUSD_PER_USD + fraction);
}

/** Writes an amount as decimal dollars without losing a nano-dollar: 1 500 000 000 → "1.5". */
export function decimalFromNanousd(amount: Nanousd): string {
  const sign = amount < 0 ? '-' : '';
  const absolute = Math.abs(safe(amount));
  const whole = Math.floor(absolute / NANOUSD_PER_USD);
  const fraction = String(absolute % NANOUSD_PER_USD)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`money out of range: ${value}`);
  return value;
}
