/**
 * Spans to a collector over OTLP/HTTP: one POST for a batch, as protobuf or JSON, judged by what
 * the specification says of its answer.
 *
 * The wire is the OpenTelemetry library's; the socket is a way out like any other of ours.
 */
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { asGatewayError } from '../../gateway/model/errors.ts';
import type { Upstream, UpstreamResponse } from '../../gateway/ports/upstream.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { SendResult } from './span-queue.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json';

export interface OtlpOptions {
  readonly clock: Clock;
  /** To the collector's address. */
  readonly upstream: Upstream;
  /** Below that address. */
  readonly path: string;
  readonly protocol: OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const WIRES = {
  'http/protobuf': { type: 'application/x-protobuf', serializer: ProtobufTraceSerializer },
  'http/json': { type: 'application/json', serializer: JsonTraceSerializer },
} as const;

const MAX_ANSWER_BYTES = 64 * 1024;
/** Those that may be tried again, by the specification. */
const AGAIN: readonly number[] = [429, 502, 503, 504];
const MS_PER_SECOND = 1000;

export function createOtlpSender(options: OtlpOptions) {
  const { upstream, path, timeoutMs } = options;
  const { type, serializer } = WIRES[options.protocol];
  const headers = { ...options.headers, 'content-type': type };
  const limits = { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs };

  return async (spans: readonly ReadableSpan[], signal: AbortSignal): Promise<SendResult> => {
    const bytes = serializer.serializeRequest([...spans]);
    if (bytes === undefined) return { kind: 'refused', reason: 'they could not be written' };
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const within = withLimit(options, signal);
    try {
      const request = { method: 'POST', path, headers, body } as const;
      const answer = await upstream.send(request, limits, within.signal);
      const said = await answer.body.collect(MAX_ANSWER_BYTES);
      return judge(answer, () => serializer.deserializeResponse(said));
    } catch (thrown) {
      const reason = within.signal.aborted ? 'timeout' : asGatewayError(thrown).code;
      return { kind: 'again', reason, afterMs: null };
    } finally {
      within.end();
    }
  };
}

/** One limit for all of it: a collector that sends a byte now and then is slow too. */
function withLimit({ clock, timeoutMs }: OtlpOptions, outer: AbortSignal) {
  const inner = new AbortController();
  const abort = (): void => inner.abort();
  const timer = clock.setTimer(timeoutMs, abort);
  outer.addEventListener('abort', abort, { once: true });
  if (outer.aborted) abort();
  return {
    signal: inner.signal,
    end(): void {
      timer.cancel();
      outer.removeEventListener('abort', abort);
    },
  };
}

function judge({ status, headers }: UpstreamResponse, read: () => TraceAnswer): SendResult {
  if (status >= 200 && status < 300) return { kind: 'sent', rejected: rejectedOf(read) };
  const reason = `the collector answered ${status}`;
  if (!AGAIN.includes(status)) return { kind: 'refused', reason };
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return { kind: 'again', reason, afterMs: seconds >= 0 ? seconds * MS_PER_SECOND : null };
}

type TraceAnswer = ReturnType<typeof ProtobufTraceSerializer.deserializeResponse>;

/** What cannot be read says nothing of spans that were not kept. */
function rejectedOf(read: () => TraceAnswer): number {
  try {
    const count = Number(read().partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}
