/** What is kept of an answer, and what is said of it to processes that follow. */
import { assert } from '../../kernel/assert.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { entryOf, type Storable } from '../caching/policy.ts';
import type { Answer } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { FlightHead } from '../ports/shared-flights.ts';
import type { CacheCall, SourceDeps } from './flight-source.ts';

export interface KeepDeps extends SourceDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export function headOf({ exchange }: CacheCall, answer: Answer): FlightHead {
  const from = originOf(exchange);
  const { kind, dialect } = answer;
  const contentType = kind === 'plain' ? answer.contentType : '';
  return { stream: kind === 'stream', dialect, contentType, ...from };
}

/**
 * Keeps what the checks of answers let through as it came. Resolves when other processes find
 * it too, or it is not kept.
 */
export async function keep(
  deps: KeepDeps,
  call: CacheCall,
  answer: Storable,
  generation: string,
): Promise<void> {
  const { asItCame } = call.exchange;
  if (asItCame === null || (await asItCame)) await store(deps, call, answer, generation);
}

function store(
  deps: KeepDeps,
  { exchange, tenant, key }: CacheCall,
  answer: Storable,
  generation: string,
): Promise<void> {
  const { route, request } = exchange;
  assert(route !== null, 'route comes before cache');
  const { operation, cacheControl } = request;
  const { ttlSeconds } = cacheControl;
  const from = { ...originOf(exchange), generation, operation, ttlSeconds };
  const origin = { ...from, policy: route.cache };
  const entry = entryOf(answer, origin, deps.clock.wallMs(), deps.random);
  return entry === null ? Promise.resolve() : deps.store.set(tenant, key, entry);
}

function originOf({ provider, providerModel, dropped }: Exchange) {
  assert(provider !== null && providerModel !== null, 'who answered is known with the answer');
  return { provider, providerModel, ...(dropped.length > 0 && { dropped }) };
}
