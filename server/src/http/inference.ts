/**
 * One inference request from its first byte to its last: opens the exchange, reads the body,
 * runs the pipeline, writes what comes of it.
 *
 * Whatever goes wrong before the pipeline (a body that is not JSON, a client that leaves) goes
 * through it all the same, so that every exit is limited, logged and recorded alike. When the
 * client closes its connection the exchange is aborted at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  asGatewayError,
  Exchange,
  GatewayError,
  type InferenceRequest,
  NO_CACHE_CONTROL,
  type PipelineHandler,
  type Trace,
} from '../gateway/index.ts';
import type { IdSource } from '../kernel/id.ts';
import type { LinkedList } from '../kernel/linked-list.ts';
import type { BodyCapture } from './body-capture.ts';
import { takeCacheMember } from './cache-member.ts';
import { readCredential } from './credentials.ts';
import type { InferenceEndpoint, RequestBirth } from './endpoint.ts';
import { parseBody } from './parse-body.ts';
import { declaredLength, readBody } from './read-body.ts';
import { readCorrelationId, readHead } from './read-head.ts';
import type { RequestIds } from './refusal.ts';
import type { OriginReader } from './request-origin.ts';
import { pumpStream, type WriteDeps, writeError, writePlain } from './write-answer.ts';

export interface InferenceDeps extends WriteDeps {
  readonly pipeline: PipelineHandler;
  readonly ids: IdSource;
  readonly limits: () => InferenceLimits;
  readonly capture: BodyCapture;
  readonly originOf: OriginReader;
  /** Generation of the configuration in force. */
  readonly generation: () => number;
  /** Every exchange that runs, so that a stop, or the end of a tenant, can end them. */
  readonly running: LinkedList<RunningExchange>;
  /** Runs the work so that lines logged within it name the request. */
  readonly within: <T>(ids: RequestIds, work: () => T) => T;
  /** Where a request with these headers stands in a trace; null: no traces are made. */
  readonly trace: ((headers: readonly string[]) => Trace) | null;
}

export type RunningExchange = Pick<Exchange, 'abort' | 'principal'>;

export interface InferenceLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
}

interface Decoded {
  readonly request: InferenceRequest;
  readonly malformed: GatewayError | null;
  readonly correlationId: string | null;
  readonly idempotencyKey: string | null;
}

const SHORT_REST_BYTES = 65_536;

export async function handleInference(
  deps: InferenceDeps,
  endpoint: InferenceEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = deps.clock.monotonicMs();
  const createdAtMs = deps.clock.wallMs();
  const id = deps.ids.next('req');
  const abort = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) abort.abort(new GatewayError('client_closed'));
  });
  const credential = readCredential(request, deps.originOf(request));
  const decoded =
    credential.kind === 'secret'
      ? await decode(deps, endpoint, request, { id, createdAtMs })
      : unread(endpoint, request, null);
  const exchange = new Exchange({
    id,
    correlationId: decoded.correlationId ?? id,
    createdAtMs,
    startedMs,
    configGeneration: deps.generation(),
    credential,
    headers: request.rawHeaders,
    request: decoded.request,
    idempotencyKey: decoded.idempotencyKey,
    malformed: decoded.malformed,
    abort,
    trace: deps.trace === null ? null : deps.trace(request.rawHeaders),
  });
  const capture = deps.capture.open();
  const writing = capture === null ? deps : { ...deps, sent: capture.sent };
  const place = deps.running.push(exchange);
  try {
    const answer = await deps.within(idsOf(exchange), () => deps.pipeline(exchange));
    const { writer } = endpoint;
    const rest =
      answer.kind === 'plain'
        ? writePlain(writing, response, exchange, writer, answer)
        : pumpStream(writing, response, exchange, writer, answer);
    if (rest !== null) await rest;
  } catch (thrown) {
    writeError(writing, response, exchange, endpoint.writer, thrown, hasLongRest(request));
  } finally {
    whenWritten(response, () => place.remove());
    capture?.close(exchange);
  }
}

function idsOf({ id: requestId, correlationId, trace }: Exchange): RequestIds {
  return trace === null
    ? { requestId, correlationId }
    : { requestId, correlationId, traceId: trace.traceId };
}

/** An exchange is over before its last bytes have left; a stop must wait for those too. */
function whenWritten(response: ServerResponse, done: () => void): void {
  if (response.closed) done();
  else response.once('close', done);
}

async function decode(
  deps: InferenceDeps,
  endpoint: InferenceEndpoint,
  request: IncomingMessage,
  birth: RequestBirth,
): Promise<Decoded> {
  try {
    const limits = deps.limits();
    const head = readHead(request);
    const bytes = await readBody(request, limits.maxBodyBytes);
    const whole = parseBody(bytes, limits.maxJsonDepth);
    const { parsed, cacheControl } = takeCacheMember(whole, head.cacheControl);
    const decoded = endpoint.decode(parsed, cacheControl, request, birth);
    const { correlationId, idempotencyKey } = head;
    return { request: decoded, malformed: null, correlationId, idempotencyKey };
  } catch (thrown) {
    return unread(endpoint, request, asGatewayError(thrown));
  }
}

/** A body that was not read, or could not be. */
function unread(
  endpoint: InferenceEndpoint,
  request: IncomingMessage,
  malformed: GatewayError | null,
): Decoded {
  const correlationId = readCorrelationId(request);
  const unreadable = emptyRequest(endpoint);
  return { request: unreadable, malformed, correlationId, idempotencyKey: null };
}

function emptyRequest(endpoint: InferenceEndpoint): InferenceRequest {
  return {
    operation: endpoint.operation,
    dialect: endpoint.writer.dialect,
    model: '',
    stream: false,
    includeUsage: false,
    maxOutputTokens: null,
    choices: 1,
    temperature: null,
    body: {},
    bytes: Buffer.alloc(0),
    members: [],
    cacheControl: NO_CACHE_CONTROL,
  };
}

/**
 * True where much of the body was not read. A short rest is read and dropped by the server,
 * and its connection is used again.
 */
function hasLongRest(request: IncomingMessage): boolean {
  const declaredBytes = declaredLength(request);
  return !request.complete && !(declaredBytes > 0 && declaredBytes <= SHORT_REST_BYTES);
}
