/**
 * What a usage costs under a price: exact integers from tokens to nano-dollars, rounded once,
 * half up. Reasoning tokens are part of the output; those read from the
 * provider's prompt cache, or written to it, are part of the input.
 */
import { type Nanousd, nanousdFromPicousd } from '../../kernel/money.ts';
import type { Price } from '../model/price.ts';
import type { Usage } from '../model/usage.ts';

/** Throws a RangeError when the cost itself leaves the safe integers (above $9 million). */
export function costNanousd(usage: Usage, price: Price): Nanousd {
  const cachedTokens = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const writtenTokens = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cachedTokens);
  const freshTokens = usage.inputTokens - cachedTokens - writtenTokens;
  const cacheWritePicousd = price.cacheWritePicousd ?? price.inputPicousd;
  const picousd =
    freshTokens * price.inputPicousd +
    cachedTokens * price.cachedInputPicousd +
    writtenTokens * cacheWritePicousd +
    usage.outputTokens * price.outputPicousd;
  if (Number.isSafeInteger(picousd)) return nanousdFromPicousd(picousd);
  return roundedNanousd(
    BigInt(freshTokens) * BigInt(price.inputPicousd) +
      BigInt(cachedTokens) * BigInt(price.cachedInputPicousd) +
      BigInt(writtenTokens) * BigInt(cacheWritePicousd) +
      BigInt(usage.outputTokens) * BigInt(price.outputPicousd),
  );
}

/** For costs above $9000, whose pico-dollars are no safe integers. */
function roundedNanousd(picousd: bigint): Nanousd {
  const nanousd = Number((picousd + 500n) / 1000n);
  if (!Number.isSafeInteger(nanousd)) throw new RangeError(`money out of range: ${nanousd}`);
  return nanousd;
}
