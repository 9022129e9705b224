/**
 * An exchange and the ports around it, with everything a test does not speak of filled in.
 */
import type { PlainAnswer, StreamAnswer, StreamFrame } from '../../../src/gateway/model/answer.ts';
import { type Attempt, Exchange } from '../../../src/gateway/model/exchange.ts';
import type { LedgerEntry } from '../../../src/gateway/model/ledger-entry.ts';
import type { Principal } from '../../../src/gateway/model/principal.ts';
import { type InferenceRequest, NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import type { RouteCachePolicy } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import type { BudgetStore } from '../../../src/gateway/ports/budget-store.ts';
import type { Ledger } from '../../../src/gateway/ports/ledger.ts';
import type { ExchangeEnd, ExchangeObserver } from '../../../src/gateway/ports/observer.ts';

export const PRINCIPAL: Principal = {
  kind: 'api_key',
  keyId: 'key_1',
  name: 'test',
  tenant: 'default',
  roles: ['service'],
  scopes: null,
  models: null,
  limits: {},
  budget: null,
  expiresAtMs: null,
  familyId: null,
  cacheUse: 'default',
};

/** 1 nano-dollar per input token, 2 per output token. */
export const TARGET: Target = {
  id: 'up/m',
  provider: 'up',
  model: 'm',
  weight: 1,
  price: { id: 'price_1', inputPicousd: 1000, cachedInputPicousd: 500, outputPicousd: 2000 },
  maxOutputTokens: 100,
  operations: ['chat'],
  timeouts: { connectMs: 100, firstTokenMs: 1000, idleMs: 1000, totalMs: 10_000 },
  retry: { attempts: 1, budgetRatio: 0.2 },
  breaker: {
    failureThreshold: 5,
    successThreshold: 2,
    openMs: 60_000,
    halfOpenMaxCalls: 3,
    minimumCalls: 5,
  },
  maxConcurrency: 100,
};

/** Deterministic answers are kept for a hundred seconds. */
export const CACHE: RouteCachePolicy = {
  enabled: true,
  mode: 'deterministic',
  ttlSeconds: 100,
  staleIfErrorSeconds: 500,
  staleWhileRevalidateSeconds: 0,
  maxEntryBytes: 1000,
};

/** A cache that keeps nothing; tests lay what they mean over it. */
export const NO_CACHE: RouteCachePolicy = {
  enabled: false,
  mode: 'deterministic',
  ttlSeconds: 0,
  staleIfErrorSeconds: 0,
  staleWhileRevalidateSeconds: 0,
  maxEntryBytes: 0,
};

export function chatRequest(changes: Partial<InferenceRequest> = {}): InferenceRequest {
  const body = { model: 'fast', messages: [{ role: 'user', content: 'hola' }] };
  return {
    operation: 'chat',
    dialect: 'openai',
    model: 'fast',
    stream: false,
    includeUsage: false,
    maxOutputTokens: null,
    choices: 1,
    temperature: null,
    body,
    bytes: Buffer.from(JSON.stringify(body)),
    members: [],
    cacheControl: NO_CACHE_CONTROL,
    ...changes,
  };
}

export function exchangeOf(request: InferenceRequest = chatRequest(), startedMs = 0): Exchange {
  const exchange = new Exchange({
    id: 'req_1',
    correlationId: 'corr_1',
    createdAtMs: 1_700_000_000_000,
    startedMs,
    configGeneration: 1,
    headers: [],
    credential: { kind: 'secret', value: 'esk_test', address: () => null },
    request,
    idempotencyKey: null,
    malformed: null,
    abort: new AbortController(),
  });
  exchange.principal = PRINCIPAL;
  return exchange;
}

/** A call to a target that is under way, unless told otherwise. */
export function attempt(target: Target, changes: Partial<Attempt> = {}): Attempt {
  return { target, startedMs: 0, endedMs: null, key: null, spanId: null, error: null, ...changes };
}

/** Marks an exchange as one that a provider is working on. */
export function dispatched(exchange: Exchange): Exchange {
  exchange.dispatched = true;
  exchange.provider = TARGET.provider;
  exchange.providerModel = TARGET.model;
  exchange.attempts.push(attempt(TARGET));
  exchange.cache = { status: 'MISS', tier: null, ageSeconds: null, detail: null };
  return exchange;
}

export function plainAnswer(changes: Partial<PlainAnswer> = {}): PlainAnswer {
  return {
    kind: 'plain',
    dialect: 'openai',
    contentType: 'application/json',
    bytes: Buffer.from('{}'),
    body: {},
    usage: {
      inputTokens: 10,
      cachedInputTokens: 0,
      outputTokens: 5,
      reasoningTokens: 0,
      source: 'provider',
    },
    finishReasons: ['stop'],
    ...changes,
  };
}

export function frame(changes: Partial<StreamFrame> = {}): StreamFrame {
  return {
    bytes: Buffer.from('data: {}\n\n'),
    terminal: null,
    producedCharacters: 4,
    usage: null,
    finishReasons: [],
    ...changes,
  };
}

export const LAST_FRAME = frame({
  bytes: Buffer.alloc(0),
  terminal: Buffer.from('data: [DONE]\n\n'),
  producedCharacters: 0,
});

export function streamOf(frames: Iterable<StreamFrame> | AsyncIterable<StreamFrame>): StreamAnswer {
  async function* all(): AsyncGenerator<StreamFrame> {
    yield* frames;
  }
  return { kind: 'stream', dialect: 'openai', frames: all() };
}

export interface RecordingLedger extends Ledger {
  readonly entries: LedgerEntry[];
}

export function recordingLedger(changes: Partial<Ledger> = {}): RecordingLedger {
  const entries: LedgerEntry[] = [];
  return {
    entries,
    accepting: () => true,
    append: async (entry) => {
      entries.push(entry);
    },
    ...changes,
  };
}

export interface RecordingObserver extends ExchangeObserver {
  readonly ends: ExchangeEnd[];
}

export function recordingObserver(): RecordingObserver {
  const ends: ExchangeEnd[] = [];
  return { ends, started: () => undefined, ended: (_exchange, end) => ends.push(end) };
}

export interface RecordingBudgets extends BudgetStore {
  readonly charges: { readonly scopeIds: readonly string[]; readonly costNanousd: number }[];
}

export function recordingBudgets(): RecordingBudgets {
  const charges: RecordingBudgets['charges'] = [];
  return {
    charges,
    reserve: async () => ({ kind: 'unavailable' }),
    charge: (scopeIds, costNanousd) => charges.push({ scopeIds, costNanousd }),
    figures: async () => null,
    open: () => 0,
  };
}
