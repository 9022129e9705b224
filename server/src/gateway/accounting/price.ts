/**
 * What a usage costs under a price: exact integers from tokens to nano-dollars, rounded once,
 * half up. Reasoning tokens are part of the output, cached ones part of the input.
 */
import { type Nanousd, nanousdFromPicousd } from '../../kernel/money.ts';
import type { Price } from '../model/price.ts';
import type { Usage } from '../model/usage.ts';

/** Throws a RangeError when an intermediate amount leaves the safe integers (above $9000). */
export function costNanousd(usage: Usage, price: Price): Nanousd {
  const cachedTokens = Math.min(usage.cachedInputTokens, usage.inputTokens);
  return nanousdFromPicousd(
    (usage.inputTokens - cachedTokens) * price.inputPicousd +
      cachedTokens * price.cachedInputPicousd +
      usage.outputTokens * price.outputPicousd,
  );
}
