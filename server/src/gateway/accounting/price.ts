/**
 * What a usage costs under a price: exact integers from tokens to nano-dollars, rounded once,
 * half up. Reasoning tokens are part of the output, cached ones part of the input.
 */
import { type Nanousd, nanousdFromPicousd } from '../../kernel/money.ts';
import type { Price } from '../model/price.ts';
import type { Usage } from '../model/usage.ts';

/** Throws a RangeError when the cost itself leaves the safe integers (above $9 million). */
export function costNanousd(usage: Usage, price: Price): Nanousd {
  const cachedTokens = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const freshTokens = usage.inputTokens - cachedTokens;
  const picousd =
    freshTokens * price.inputPicousd +
    cachedTokens * price.cachedInputPicousd +
    usage.outputTokens * price.outputPicousd;
  if (Number.isSafeInteger(picousd)) return nanousdFromPicousd(picousd);
  return roundedNanousd(
    BigInt(freshTokens) * BigInt(price.inputPicousd) +
      BigInt(cachedTokens) * BigInt(price.cachedInputPicousd) +
      BigInt(usage.outputTokens) * BigInt(price.outputPicousd),
  );
}

/** For costs above $9000, whose pico-dollars are no safe integers. */
function roundedNanousd(picousd: bigint): Nanousd {
  const nanousd = Number((picousd + 500n) / 1000n);
  if (!Number.isSafeInteger(nanousd)) throw new RangeError(`money out of range: ${nanousd}`);
  return nanousd;
}
