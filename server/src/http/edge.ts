/**
 * The inbound edge: one `node:http` server. Inference endpoints are served here directly,
 * because they carry nearly all of the traffic; everything else goes to the router of the
 * control plane. The path that selects the handler is the path that is authorised: it is
 * compared as it came, byte for byte, without decoding. Where a path holds the model, the
 * endpoint is bound to that very model, and it alone is authorised and run.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { GatewayError } from '../gateway/index.ts';
import { insteadOf } from './absent-endpoints.ts';
import { answerClientError } from './client-error.ts';
import type { CrossOrigin } from './cross-origin.ts';
import type { DialectWriter, EndpointFamily, InferenceEndpoint } from './endpoint.ts';
import { handleInference, type InferenceDeps } from './inference.ts';
import { readCorrelationId } from './read-head.ts';
import { type RequestIds, UNMATCHED, writeRefusal } from './refusal.ts';

export interface EdgeSettings {
  /** From the first byte of a request to the last of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export interface EdgeDeps extends InferenceDeps {
  readonly endpoints: readonly InferenceEndpoint[];
  readonly families: readonly EndpointFamily[];
  readonly settings: EdgeSettings;
  readonly meter: RequestMeter;
  /** null: pages of other origins are not let in. */
  readonly crossOrigin: CrossOrigin | null;
  /** True once this process is about to go: connections are to end with their answers. */
  readonly leaving: () => boolean;
}

/** Told of every request to a model, and of every refusal, when its answer has ended. */
export type RequestMeter = (
  method: string,
  endpoint: string,
  status: number,
  durationMs: number,
) => void;

export type Fallback = (request: IncomingMessage, response: ServerResponse) => void;

const CLIENT_CLOSED = 499;
const MALFORMED = 'malformed';
const MAX_HEADER_BYTES = 32_768;
const TIMEOUT_CHECK_MS = 500;

/** Builds the server; `fallback` serves every path that is no inference endpoint. */
export function createEdge(deps: EdgeDeps, fallback: Fallback): Server {
  const endpoints = new Map(deps.endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: deps.settings.headersTimeoutMs,
      requestTimeout: deps.settings.requestTimeoutMs,
      keepAliveTimeout: deps.settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, deps.settings.headersTimeoutMs),
      noDelay: true,
    },
    (request, response) => serve(deps, endpoints, fallback, request, response),
  );
  server.on('clientError', (error, socket) => {
    const id = deps.ids.next('req');
    const status = answerClientError(error, socket, deps.endpoints[0]?.writer, id);
    if (status !== null) deps.meter('OTHER', MALFORMED, status, 0);
  });
  return server;
}

function serve(
  deps: EdgeDeps,
  endpoints: ReadonlyMap<string, InferenceEndpoint>,
  fallback: Fallback,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (deps.leaving()) response.shouldKeepAlive = false;
  if (deps.crossOrigin?.(request, response) === true) return;
  const url = request.url ?? '';
  const path = pathOf(url);
  const exact = endpoints.get(path);
  const endpoint = exact ?? (request.method === 'POST' ? inFamilies(deps, path, url) : undefined);
  if (endpoint !== undefined && request.method === 'POST') {
    measure(deps, request, response, endpoint.template ?? endpoint.path);
    handleInference(deps, endpoint, request, response).catch(() => response.destroy());
    return;
  }
  if (endpoint !== undefined) {
    measure(deps, request, response, endpoint.path);
    const error = new GatewayError('method_not_allowed', { message: `${path} takes POST.` });
    writeRefusal(response, endpoint.writer, error, idsOf(deps, request), ['allow', 'POST']);
    return;
  }
  const writer = ownerOf(deps, path, request.method);
  if (writer === undefined) {
    response.setHeader('x-esclusa-worker', deps.facts.worker);
    response.setHeader('x-esclusa-config', deps.generation());
    fallback(request, response);
    return;
  }
  measure(deps, request, response, UNMATCHED);
  writeRefusal(response, writer, missing(path), idsOf(deps, request));
}

/** A client that left before its answer began has the status that logs give it. */
function measure(
  { meter, clock }: EdgeDeps,
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  endpoint: string,
): void {
  const startedMs = clock.monotonicMs();
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : CLIENT_CLOSED;
    meter(method, endpoint, status, clock.monotonicMs() - startedMs);
  });
}

function idsOf({ ids }: EdgeDeps, request: IncomingMessage): RequestIds {
  const requestId = ids.next('req');
  return { requestId, correlationId: readCorrelationId(request) ?? requestId };
}

function missing(path: string): GatewayError {
  const instead = insteadOf(path);
  return instead === null
    ? new GatewayError('not_found', { message: 'There is no endpoint at this path.' })
    : new GatewayError('endpoint_not_offered', { message: instead });
}

function inFamilies(deps: EdgeDeps, path: string, url: string): InferenceEndpoint | undefined {
  for (const family of deps.families) {
    const endpoint = family.find(path, url.slice(path.length + 1));
    if (endpoint !== undefined) return endpoint;
  }
  return undefined;
}

/**
 * Who writes the 404 of a path: clients of models expect their dialect. The lists of models, and
 * what is kept of responses, are served by the router.
 */
function ownerOf(
  deps: EdgeDeps,
  path: string,
  method: string | undefined,
): DialectWriter | undefined {
  const isList = /^\/v1(?:beta)?\/models(?:\/|$)/.test(path);
  const isRead = isList || path.startsWith('/v1/responses/');
  if (isRead && method !== 'POST') return undefined;
  const family = deps.families.find((candidate) => candidate.owns(path));
  if (family !== undefined) return family.writer;
  if (!path.startsWith('/v1/') || isList) return undefined;
  const above = deps.endpoints.find((endpoint) => path.startsWith(`${endpoint.path}/`));
  return (above ?? deps.endpoints[0])?.writer;
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
