/** Ended exchanges as the observer gets them, with what a test does not mention filled in. */
import { Exchange } from '../../../src/gateway/model/exchange.ts';
import type { LedgerEntry } from '../../../src/gateway/model/ledger-entry.ts';
import type { Route } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import type { Trace } from '../../../src/gateway/model/trace.ts';
import { NO_USAGE } from '../../../src/gateway/model/usage.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createLog, type LogHandle, type LogOptions } from '../../../src/telemetry/log.ts';
import type { LogSink } from '../../../src/telemetry/log-sink.ts';
import { attempt, chatRequest, NO_CACHE, PRINCIPAL } from '../pipeline/fakes.ts';

export interface Overrides {
  readonly model?: string;
  readonly correlationId?: string;
  readonly stream?: boolean;
  readonly anonymous?: boolean;
  readonly trace?: Trace | null;
  readonly entry?: Partial<LedgerEntry> | null;
}

export function endedExchange(overrides: Overrides = {}): Exchange {
  const { model = 'fast', correlationId = 'corr-1', stream = false } = overrides;
  const exchange = new Exchange({
    id: 'req_01',
    correlationId,
    createdAtMs: 1_700_000_000_000,
    startedMs: 0,
    configGeneration: 1,
    headers: [],
    credential: { kind: 'none' },
    request: chatRequest({ model, stream, body: {}, bytes: Buffer.alloc(0) }),
    idempotencyKey: null,
    malformed: null,
    abort: new AbortController(),
    trace: overrides.trace ?? null,
  });
  if (overrides.anonymous === true) return exchange;
  exchange.principal = { ...PRINCIPAL, keyId: 'key_01', tenant: 'acme' };
  exchange.route = route(model);
  exchange.provider = 'openai';
  exchange.providerModel = 'gpt-4o-mini';
  exchange.cache = { status: 'MISS', tier: null, ageSeconds: null, detail: null };
  exchange.upstreamMs = 800;
  exchange.attempts.push(attempt(target('openai'), { startedMs: 1 }));
  if (overrides.entry !== null) exchange.entry = entry(exchange, overrides.entry ?? {});
  return exchange;
}

export function route(name: string): Route {
  return {
    name,
    strategy: 'fallback',
    targets: [],
    targetSet: 'set',
    cache: { ...NO_CACHE, enabled: false, ttlSeconds: 0, maxEntryBytes: 0 },
  };
}

export function target(provider: string): Target {
  return {
    id: `${provider}/gpt-4o-mini`,
    provider,
    model: 'gpt-4o-mini',
    weight: 1,
    price: null,
    maxOutputTokens: null,
    operations: ['chat'],
    timeouts: { connectMs: 1, firstTokenMs: 1, idleMs: 1, totalMs: 1 },
    retry: { attempts: 1, budgetRatio: 0 },
    breaker: {
      failureThreshold: 1,
      successThreshold: 1,
      openMs: 1,
      halfOpenMaxCalls: 1,
      minimumCalls: 1,
    },
    maxConcurrency: 1,
  };
}

function entry(exchange: Exchange, overrides: Partial<LedgerEntry>): LedgerEntry {
  return {
    id: exchange.id,
    createdAtMs: exchange.createdAtMs,
    tenant: 'acme',
    keyId: 'key_01',
    correlationId: exchange.correlationId,
    dialect: 'openai',
    operation: 'chat',
    model: exchange.request.model,
    provider: exchange.provider,
    providerModel: exchange.providerModel,
    stream: exchange.request.stream,
    status: 200,
    outcome: 'completed',
    errorCode: null,
    cache: 'MISS',
    attempts: 1,
    usage: { ...NO_USAGE, inputTokens: 100, cachedInputTokens: 40, outputTokens: 20 },
    costNanousd: 15_000,
    priceId: 'price',
    durationMs: 815,
    firstTokenMs: null,
    configGeneration: 1,
    ...overrides,
  };
}

export interface CapturedLog extends LogHandle {
  readonly lines: string[];
  text(): string;
  /** The only line, parsed. */
  only(): Record<string, unknown>;
}

export function captureLog(overrides: Partial<LogOptions> = {}): CapturedLog {
  const lines: string[] = [];
  const sink: LogSink = {
    write: (line) => void lines.push(line),
    dropped: () => 0,
    flushSync: () => undefined,
    close: () => Promise.resolve(),
  };
  const handle = createLog({
    level: 'debug',
    format: 'json',
    destination: sink,
    service: 'esclusa',
    clock: systemClock,
    ...overrides,
  });
  return {
    ...handle,
    lines,
    text: () => lines.join(''),
    only() {
      if (lines.length !== 1) throw new Error(`${lines.length} lines`);
      return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    },
  };
}
