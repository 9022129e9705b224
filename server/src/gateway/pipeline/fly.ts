/**
 * The one call for all exchanges of this process that ask for the same: the first makes it, or
 * finds its answer elsewhere; the others join. Where only the first one failed, another takes
 * its place.
 *
 * What joiners are given costs them nothing.
 */
import { assert } from '../../kernel/assert.ts';
import { concernsLeaderOnly, type Flight, type SingleFlight } from '../caching/single-flight.ts';
import type { Found } from '../caching/tiers.ts';
import type { Answer } from '../model/answer.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import { type CacheCall, obtain } from './flight-source.ts';
import type { KeepDeps } from './keep.ts';
import { joined, type Shared, share } from './shared-answer.ts';
import { startTotalDeadline, totalTime } from './total-deadline.ts';

export interface FlyDeps extends KeepDeps {
  /** Made with `SHARING`. */
  readonly flights: SingleFlight<Shared>;
}

/** How outcomes are shared among the exchanges of a process. */
export const SHARING = {
  lasts: ({ lasts }: Shared): Promise<unknown> | null => lasts,
  forJoiner(shared: Shared, signal: AbortSignal): Shared {
    if (shared.stream === null || shared.answer === null) return shared;
    const frames = shared.stream.open(signal);
    const { dialect } = shared.answer;
    return { ...shared, answer: frames && { kind: 'stream', dialect, frames } };
  },
};

/** The answer of the one call, or what was found stored and pleases. */
export type Flown =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'stored'; readonly found: Found };

export async function fly(deps: FlyDeps, call: CacheCall): Promise<Flown> {
  const { exchange, key, pleases } = call;
  const { signal } = exchange.abort;
  let mine = call;
  let mayShare = true;
  for (;;) {
    const work = (abort: AbortController): Promise<Shared> => run(deps, mine, abort);
    const flight: Flight<Shared> = mayShare
      ? deps.flights.join(key, signal, work)
      : deps.flights.alone(signal, work);
    try {
      const shared = await flight.answer;
      if (shared.found !== null && mine.lookup && pleases(shared.found)) {
        return { kind: 'stored', found: shared.found };
      }
      if (shared.answer !== null) {
        if (flight.role === 'joiner') joined(exchange, shared);
        return { kind: 'answer', answer: shared.answer };
      }
      // What others found does not please, or their stream is beyond its bounds.
      mayShare = mine.lookup && shared.found !== null;
      mine = { ...mine, lookup: false };
    } catch (thrown) {
      const mayLead = flight.role === 'joiner' && !signal.aborted;
      if (!mayLead || !concernsLeaderOnly(thrown)) throw thrown;
      if (isLate(thrown) && !hasMostOfItsTime(deps, exchange)) throw thrown;
    }
  }
}

function isLate(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.code === 'deadline_exceeded';
}

/** So that of many who wait for a silent target few call it in vain once more. */
function hasMostOfItsTime({ clock }: FlyDeps, exchange: Exchange): boolean {
  assert(exchange.route !== null, 'route comes before cache');
  const { totalMs, leftMs } = totalTime(clock, exchange, exchange.route.targets);
  return leftMs >= totalMs / 2;
}

async function run(deps: FlyDeps, call: CacheCall, work: AbortController): Promise<Shared> {
  const { exchange } = call;
  if (deps.fleet === null) return share(deps, call, work, await obtain(deps, call, work));
  // The call stage has its own deadline; this one bounds what comes from other processes.
  assert(exchange.route !== null, 'route comes before cache');
  const { targets } = exchange.route;
  const deadline = startTotalDeadline(deps.clock, exchange, targets, work);
  let stream: Shared['stream'] = null;
  try {
    const shared = share(deps, call, work, await obtain(deps, call, work));
    stream = shared.stream;
    return shared;
  } finally {
    if (stream === null) deadline.cancel();
    else void stream.ended.then(() => deadline.cancel());
  }
}
