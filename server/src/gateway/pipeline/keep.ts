/** What is kept of an answer, and what is said of it to processes that follow. */
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { entryOf, type Storable } from '../caching/policy.ts';
import type { Answer } from '../model/answer.ts';
import type { FlightHead } from '../ports/shared-flights.ts';
import type { CacheCall, SourceDeps } from './flight-source.ts';

export interface KeepDeps extends SourceDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export function headOf({ exchange }: CacheCall, answer: Answer): FlightHead {
  const { provider, providerModel } = exchange;
  const { kind, dialect } = answer;
  const contentType = kind === 'plain' ? answer.contentType : '';
  const from = { provider: provider ?? '', providerModel: providerModel ?? '' };
  return { stream: kind === 'stream', dialect, contentType, ...from };
}

/** Resolves when other processes find it too, or it is not kept. */
export function keep(
  deps: KeepDeps,
  { exchange, tenant, key }: CacheCall,
  answer: Storable,
  generation: string,
): Promise<void> {
  const { route, provider, providerModel, request } = exchange;
  if (route === null || provider === null) return Promise.resolve();
  const { operation, cacheControl } = request;
  const { ttlSeconds } = cacheControl;
  const from = { provider, providerModel: providerModel ?? '', generation, operation, ttlSeconds };
  const origin = { ...from, policy: route.cache };
  const entry = entryOf(answer, origin, deps.clock.wallMs(), deps.random);
  return entry === null ? Promise.resolve() : deps.store.set(tenant, key, entry);
}
