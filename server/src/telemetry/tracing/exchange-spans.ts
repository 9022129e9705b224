/**
 * The spans of an exchange that has ended: one for the exchange, and below it one for each
 * attempt at a provider. They are made from what the exchange knows of itself, so that a running
 * exchange carries identifiers and nothing else of its trace.
 *
 * Invariants: no prompt, answer, header, message of an error or credential is in a span: errors
 * are told by code, and what a client or a provider chose passes the redactor. A stream's
 * attempt lasts as long as its stream; one that still runs for others when its exchange ends is
 * cut there.
 */
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { asGatewayError, type GatewayError } from '../../gateway/model/errors.ts';
import type { Attempt, Exchange } from '../../gateway/model/exchange.ts';
import type { Trace } from '../../gateway/model/trace.ts';
import type { Usage } from '../../gateway/model/usage.ts';
import type { ExchangeEnd } from '../../gateway/ports/observer.ts';
import { attemptKind, GEN_AI_OPERATIONS } from '../exchange-meters.ts';
import { redactText } from '../redact.ts';
import * as names from './names.ts';

const SCOPE = { name: 'esclusa' };
const MAX_TEXT_CHARACTERS = 256;
const SERVER_ERROR = 500;

type HrTime = ReadableSpan['startTime'];

export function spansOf(
  exchange: Exchange,
  trace: Trace,
  end: ExchangeEnd,
  resource: Resource,
): ReadableSpan[] {
  const error = end.error === null || end.error === undefined ? null : asGatewayError(end.error);
  const endedMs = exchange.startedMs + end.durationMs;
  const whole = { trace, resource, exchange, endedMs, error };
  const attempts = exchange.attempts.flatMap((_, at) => attemptSpan(whole, at));
  return [serverSpan(whole, end), ...attempts];
}

interface Whole {
  readonly exchange: Exchange;
  readonly trace: Trace;
  readonly resource: Resource;
  /** On the monotonic clock. */
  readonly endedMs: number;
  readonly error: GatewayError | null;
}

function serverSpan(whole: Whole, end: ExchangeEnd): ReadableSpan {
  const { exchange, trace, error } = whole;
  const { request, route } = exchange;
  const operation = GEN_AI_OPERATIONS[request.operation];
  return span(whole, {
    // A client may ask for anything: only names that are known make a span's name.
    name: route === null ? operation : `${operation} ${route.name}`,
    kind: trace.parent?.isRemote === false ? SpanKind.INTERNAL : SpanKind.SERVER,
    spanId: trace.spanId,
    parent: trace.parent,
    startedMs: exchange.startedMs,
    endedMs: whole.endedMs,
    failed: end.status >= SERVER_ERROR,
    attributes: {
      [names.OPERATION]: operation,
      ...present(names.PROVIDER, exchange.provider),
      [names.REQUEST_MODEL]: foreign(request.model),
      [names.REQUEST_STREAM]: request.stream,
      ...present(names.REQUEST_MAX_TOKENS, request.maxOutputTokens),
      [names.HTTP_METHOD]: 'POST',
      [names.HTTP_STATUS]: end.status,
      ...present(names.ERROR_TYPE, error?.code ?? exchange.entry?.errorCode ?? null),
      ...ownAttributes(exchange, end.durationMs),
    },
    events: [],
  });
}

function ownAttributes(exchange: Exchange, durationMs: number): Attributes {
  const { principal, cache, entry, request, firstTokenMs, upstreamMs } = exchange;
  const firstSeconds = firstTokenMs === null ? null : firstTokenMs / 1000;
  return {
    [names.REQUEST_ID]: exchange.id,
    [names.CORRELATION_ID]: foreign(exchange.correlationId),
    [names.DIALECT]: request.dialect,
    ...present(names.TENANT, principal?.tenant ?? null),
    ...present(names.KEY_ID, principal?.keyId ?? null),
    [names.CACHE_STATUS]: cache.status,
    ...present(names.CACHE_TIER, cache.tier),
    ...present(names.CACHE_DETAIL, cache.detail),
    ...(exchange.replayed ? { [names.REPLAYED]: true } : {}),
    [names.ATTEMPTS]: exchange.attempts.length,
    [names.OVERHEAD]: Math.max(0, durationMs - upstreamMs),
    ...present(names.FIRST_CHUNK_SECONDS, firstSeconds),
    ...(entry === null
      ? {}
      : {
          [names.OUTCOME]: entry.outcome,
          ...present(names.COST, entry.costNanousd),
          ...usageAttributes(entry.usage),
        }),
  };
}

/** Nothing for an attempt from before its exchange was traced. */
function attemptSpan(whole: Whole, at: number): ReadableSpan[] {
  const { exchange, trace } = whole;
  const attempt = exchange.attempts[at] as Attempt;
  if (attempt.spanId === null) return [];
  const { request, entry, attempts } = exchange;
  const answers = attempt.error === null && at === attempts.length - 1;
  const streams = answers && request.stream && attempt.endedMs !== null;
  const error = attempt.error ?? (answers ? whole.error : null);
  const operation = GEN_AI_OPERATIONS[request.operation];
  const { provider, model, id } = attempt.target;
  const firstMs = streams ? attempt.endedMs : null;
  const before = attempts[at - 1];
  return [
    span(whole, {
      name: `${operation} ${model}`,
      kind: SpanKind.CLIENT,
      spanId: attempt.spanId,
      parent: { spanId: trace.spanId, isRemote: false },
      startedMs: attempt.startedMs,
      endedMs: streams ? whole.endedMs : (attempt.endedMs ?? whole.endedMs),
      failed: error !== null && error.code !== 'client_closed',
      attributes: {
        [names.OPERATION]: operation,
        [names.PROVIDER]: provider,
        [names.REQUEST_MODEL]: model,
        [names.REQUEST_STREAM]: request.stream,
        [names.TARGET]: id,
        [names.ATTEMPT_NUMBER]: at + 1,
        [names.ATTEMPT_KIND]: before === undefined ? 'first' : attemptKind(before, attempt),
        ...present(names.ERROR_TYPE, error?.code ?? null),
        ...(answers && entry !== null && error === null ? usageAttributes(entry.usage) : {}),
        ...present(names.FIRST_CHUNK_SECONDS, secondsBetween(attempt.startedMs, firstMs)),
      },
      events: firstMs === null ? [] : [{ name: names.FIRST_TOKEN, atMs: firstMs }],
    }),
  ];
}

function usageAttributes(usage: Usage): Attributes {
  return {
    [names.INPUT_TOKENS]: usage.inputTokens,
    [names.OUTPUT_TOKENS]: usage.outputTokens,
    ...(usage.cachedInputTokens > 0 ? { [names.CACHE_READ_TOKENS]: usage.cachedInputTokens } : {}),
    ...(usage.reasoningTokens > 0 ? { [names.REASONING_TOKENS]: usage.reasoningTokens } : {}),
  };
}

interface SpanFacts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  readonly parent: Trace['parent'];
  readonly startedMs: number;
  readonly endedMs: number;
  readonly failed: boolean;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly atMs: number }[];
}

function span({ exchange, trace, resource }: Whole, facts: SpanFacts): ReadableSpan {
  const { traceId } = trace;
  const offsetMs = exchange.createdAtMs - exchange.startedMs;
  return {
    name: facts.name,
    kind: facts.kind,
    spanContext: always({ traceId, spanId: facts.spanId, traceFlags: 1 }),
    ...(facts.parent === null
      ? {}
      : { parentSpanContext: { traceId, traceFlags: 1, ...facts.parent } }),
    startTime: hrTime(offsetMs + facts.startedMs),
    endTime: hrTime(offsetMs + facts.endedMs),
    duration: hrTime(facts.endedMs - facts.startedMs),
    ended: true,
    status: { code: facts.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: facts.attributes,
    events: facts.events.map(({ name, atMs }) => ({ name, time: hrTime(offsetMs + atMs) })),
    links: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Made apart, so that a span that waits keeps this value and nothing of its exchange. */
function always<T>(value: T): () => T {
  return () => value;
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}

function secondsBetween(fromMs: number, toMs: number | null): number | null {
  return toMs === null ? null : (toMs - fromMs) / 1000;
}

function present(name: string, value: string | number | null): Attributes {
  return value === null ? {} : { [name]: value };
}

/** A text somebody else chose. */
function foreign(text: string): string {
  return redactText(text.slice(0, MAX_TEXT_CHARACTERS));
}
