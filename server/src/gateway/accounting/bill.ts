/**
 * What an exchange is charged: the usage its provider told or, where it did not, an estimate,
 * under the price of the target that was called last.
 *
 * Invariants: an answer from the cache or shared with a paying leader, and an exchange that
 * sent nothing or counts tokens, are charged nothing; a target without a price is unpriced
 * (null), never zero.
 */
import type { Nanousd } from '../../kernel/money.ts';
import type { Exchange } from '../model/exchange.ts';
import { NO_USAGE, type Usage } from '../model/usage.ts';
import { estimateUsage } from './estimate.ts';
import { costNanousd } from './price.ts';

export interface Produced {
  /** As the provider told it; null where it did not. */
  readonly usage: Usage | null;
  /** Characters of text, tool arguments and reasoning that arrived. */
  readonly characters: number;
}

export interface Bill {
  readonly usage: Usage;
  /** null: unpriced. */
  readonly costNanousd: Nanousd | null;
  /** null where nothing was charged, or nothing is known to charge by. */
  readonly priceId: string | null;
}

const NOTHING: Bill = { usage: NO_USAGE, costNanousd: 0, priceId: null };

export function billOf(exchange: Exchange, produced: Produced): Bill {
  const { status } = exchange.cache;
  const target = exchange.attempts.at(-1)?.target;
  if (exchange.request.operation === 'count_tokens') return NOTHING;
  if (status === 'HIT' || status === 'JOIN' || status === 'STALE') return NOTHING;
  if (target === undefined || (produced.usage === null && !exchange.dispatched)) return NOTHING;
  const usage = produced.usage ?? estimateUsage(exchange.request, produced.characters);
  const { price } = target;
  if (price === null) return { usage, costNanousd: null, priceId: null };
  return { usage, costNanousd: costNanousd(usage, price), priceId: price.id };
}
