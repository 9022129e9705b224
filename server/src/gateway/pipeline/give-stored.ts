/** A stored answer as that of an exchange: the exchange says where it is from and how old. */
import type { Clock } from '../../kernel/clock.ts';
import { ageSeconds } from '../caching/policy.ts';
import { answerOf } from '../caching/replay.ts';
import type { Found } from '../caching/tiers.ts';
import type { Answer } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';

export function giveStored(
  clock: Clock,
  exchange: Exchange,
  { entry, tier }: Found,
  status: 'HIT' | 'STALE',
  detail: string | null = null,
): Answer {
  const age = ageSeconds(entry, clock.wallMs());
  exchange.cache = { status, tier, ageSeconds: age, detail };
  exchange.provider = entry.provider;
  exchange.providerModel = entry.providerModel;
  exchange.dropped = entry.dropped ?? [];
  return answerOf(entry, exchange.abort.signal);
}
