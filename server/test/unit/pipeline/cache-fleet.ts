/**
 * The cache stage as several processes have it, over one shared store and shared flights in
 * memory, with calls that the test answers by hand.
 */
import assert from 'node:assert/strict';
import { createCacheKeys } from '../../../src/gateway/caching/key.ts';
import { createSingleFlight } from '../../../src/gateway/caching/single-flight.ts';
import { createTiers } from '../../../src/gateway/caching/tiers.ts';
import type { Answer, PlainAnswer, StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import type { InferenceRequest } from '../../../src/gateway/model/request.ts';
import type { Route, RouteCachePolicy } from '../../../src/gateway/model/route.ts';
import type { Trace } from '../../../src/gateway/model/trace.ts';
import { cache } from '../../../src/gateway/pipeline/cache.ts';
import { SHARING } from '../../../src/gateway/pipeline/fly.ts';
import { type Guardrail, guard } from '../../../src/gateway/pipeline/guard.ts';
import type { Shared } from '../../../src/gateway/pipeline/shared-answer.ts';
import { createMemoryCacheStore } from '../../../src/stores/memory/cache-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryFleet } from '../../support/memory-flights.ts';
import { createSeededRandom } from '../../support/seeded-random.ts';
import { processOn } from '../../support/shared-cache-store.ts';
import { until } from '../../support/until.ts';
import { attempt, CACHE, chatRequest, exchangeOf, PRINCIPAL, streamOf, TARGET } from './fakes.ts';

/** A call that reached the provider; it is answered by the test. */
export interface MadeCall {
  readonly exchange: Exchange;
  /** Ends a plain call. */
  answer(answer: PlainAnswer): void;
  fail(error: unknown): void;
  /** Of a stream: frames as they come. */
  feed(...frames: StreamFrame[]): void;
}

export interface Asked {
  readonly exchange: Exchange;
  readonly answer: Promise<Answer>;
  leave(): void;
}

export type TestFleet = ReturnType<typeof createFleet>;
export type TestProcess = ReturnType<TestFleet['start']>;

const SECRET = Buffer.alloc(32, 7);

export function createFleet(policy: Partial<RouteCachePolicy> = {}) {
  const clock = createManualClock();
  const storeOf = () => createMemoryCacheStore({ clock, maxEntries: 100, maxBytes: 1_000_000 });
  const whole = storeOf();
  const flights = createMemoryFleet();
  const calls: MadeCall[] = [];
  /** Exchanges that the stage made itself. */
  const renewals: Exchange[] = [];
  let ids = 0;

  const route: Route = {
    ...({ name: 'fast', strategy: 'fallback', targetSet: 'up/m' } as const),
    targets: [TARGET],
    cache: { ...CACHE, ...policy },
  } as Route;

  function start({
    alone = false,
    sharing = SHARING,
    guardrails = [] as readonly Guardrail[],
  } = {}) {
    const guarded = guard(guardrails);
    const shared = processOn(whole);
    const member = flights.process();
    const deps = {
      clock,
      random: createSeededRandom(1),
      newId: () => `req_renewal_${renewals.length}`,
      keys: createCacheKeys(SECRET),
      store: createTiers(storeOf(), alone ? null : shared.store),
      fleet: alone ? null : member.flights,
      flights: createSingleFlight<Shared>(sharing),
    };
    const stage = cache(deps, (handler) => (exchange) => {
      renewals.push(exchange);
      return guarded.wrapAnswers(handler)(exchange);
    });
    const handler = guarded.wrap(stage.wrap((exchange) => made(calls, exchange)));
    return {
      deps,
      kill: member.kill,
      cutOff: shared.cutOff,
      ask(
        changes: Partial<InferenceRequest> = {},
        tenant = 'default',
        routed: Partial<Route> = {},
        trace: Trace | null = null,
      ): Asked {
        ids += 1;
        const request = chatRequest({ temperature: 0, ...changes });
        const startedMs = clock.monotonicMs();
        const exchange = Object.assign(exchangeOf(request), { id: `req_${ids}`, trace, startedMs });
        exchange.principal = { ...PRINCIPAL, tenant };
        exchange.route = { ...route, ...routed };
        return askedBy(exchange, handler(exchange));
      },
    };
  }

  return {
    clock,
    calls,
    renewals,
    whole,
    start,
    /** The `number`-th call, from 1 on, as soon as it was made. */
    call: (number: number) => until(`call ${number}`, () => calls[number - 1]),
  };
}

function askedBy(exchange: Exchange, answer: Promise<Answer>): Asked {
  answer.catch(() => undefined);
  const leave = () => exchange.abort.abort(new GatewayError('client_closed'));
  return { exchange, answer, leave };
}

function made(calls: MadeCall[], exchange: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { signal } = exchange.work;
  exchange.provider = TARGET.provider;
  exchange.providerModel = TARGET.model;
  exchange.attempts.push(attempt(TARGET));
  const frames: (StreamFrame | Error)[] = [];
  let wake = (): void => undefined;
  signal.addEventListener('abort', () => {
    reject(signal.reason);
    wake();
  });
  async function* source(): AsyncGenerator<StreamFrame> {
    for (;;) {
      while (frames.length === 0 && !signal.aborted) {
        await new Promise<void>((go) => {
          wake = go;
        });
      }
      signal.throwIfAborted();
      const next = frames.shift();
      assert.ok(next !== undefined);
      if (next instanceof Error) throw next;
      yield next;
      if (next.terminal !== null) return;
    }
  }
  calls.push({
    exchange,
    answer: resolve,
    fail(error) {
      reject(error);
      frames.push(error as Error);
      wake();
    },
    feed(...more) {
      frames.push(...more);
      wake();
      if (exchange.request.stream) resolve(streamOf(source()));
    },
  });
  return promise;
}

export interface Read {
  text: string;
  ended: boolean;
  error: GatewayError | null;
  characters: number;
}

/** Reads an answer to its end. */
export async function read(asked: Asked): Promise<Read> {
  const all: Read = { text: '', ended: false, error: null, characters: 0 };
  try {
    const answer = await asked.answer;
    if (answer.kind === 'plain') return { ...all, text: answer.bytes.toString(), ended: true };
    for await (const frame of answer.frames) {
      all.text += frame.bytes;
      all.characters += frame.producedCharacters;
      all.ended ||= frame.terminal !== null;
    }
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError, String(thrown));
    all.error = thrown;
  }
  return all;
}
