/**
 * The one log line of an exchange, in the shape of every other line (`log.ts`).
 *
 * It is written by hand because it is part of every request: of its values only those a client
 * or a provider chose can hold a secret or need escaping, and only those are looked at. It
 * holds no prompt, no answer and no header. A stack is written for `internal_error` alone: any
 * other code says what happened.
 */
import { asGatewayError, type GatewayError } from '../gateway/model/errors.ts';
import type { Exchange } from '../gateway/model/exchange.ts';
import type { Outcome } from '../gateway/model/ledger-entry.ts';
import type { ExchangeEnd } from '../gateway/ports/observer.ts';
import type { LineWriter, LogLevel } from './log.ts';
import { describeError, redactText } from './redact.ts';

const LOGGER = 'exchange';
const CLIENT_LEFT = 499;
/** Beside those about the credential itself. */
const ACCESS_REFUSED: ReadonlySet<string> = new Set([
  'permission_denied',
  'model_not_allowed',
  'address_not_allowed',
  'tenant_mismatch',
  'tenant_suspended',
]);

export function writeExchangeLine(writer: LineWriter, exchange: Exchange, end: ExchangeEnd): void {
  const error = end.error === null || end.error === undefined ? null : asGatewayError(end.error);
  const outcome = outcomeOf(exchange, end, error);
  const isRefused = isAccessRefused(error);
  const level = isRefused ? 'warn' : levelOf(end, outcome, error);
  if (!writer.enabled(level)) return;
  const head =
    `{"level":"${level}","timestamp":"${writer.timestamp()}","logger":"${LOGGER}"` +
    `,"message":"request ${outcome}"`;
  writer.write(
    `${head}${contextOf(writer, exchange)}${requestOf(exchange)}` +
      `${resultOf(exchange, end, outcome, error)}${failureOf(error)}` +
      `${isRefused ? sourceOf(exchange) : ''}}\n`,
  );
}

/** Who may call, and what they may, as the control plane's line of a refusal tells it. */
function isAccessRefused(error: GatewayError | null): boolean {
  if (error === null) return false;
  return ACCESS_REFUSED.has(error.code) || error.code.startsWith('credentials_');
}

function sourceOf({ credential }: Exchange): string {
  const address = credential.address?.() ?? null;
  return `,"event":"security","address":${JSON.stringify(address)}`;
}

/** The ledger's word where it has a row; refusals before a principal is known have none. */
function outcomeOf(exchange: Exchange, end: ExchangeEnd, error: GatewayError | null): Outcome {
  if (exchange.entry !== null) return exchange.entry.outcome;
  if (end.status === CLIENT_LEFT) return 'aborted';
  if (error === null && end.status < 400) return 'completed';
  return exchange.attempts.length === 0 && end.status < 500 ? 'rejected' : 'failed';
}

function levelOf(end: ExchangeEnd, outcome: Outcome, error: GatewayError | null): LogLevel {
  if (error?.code === 'internal_error') return 'error';
  return end.status >= 500 || outcome === 'failed' ? 'warn' : 'info';
}

function contextOf(writer: LineWriter, exchange: Exchange): string {
  const { principal } = exchange;
  const tenant = principal === null ? '' : `,"tenant":${JSON.stringify(principal.tenant)}`;
  const { trace } = exchange;
  const traced = trace === null ? '' : `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"`;
  const worker = writer.worker === null ? '' : `,"worker":${writer.worker}`;
  return (
    `,"context":{"service":${JSON.stringify(writer.service)}${worker}` +
    `,"request_id":"${exchange.id}"` +
    `,"correlation_id":${foreign(exchange.correlationId)}${tenant}${traced}}`
  );
}

function requestOf(exchange: Exchange): string {
  const { principal, request } = exchange;
  const key = principal === null ? '' : `,"key_id":${JSON.stringify(principal.keyId)}`;
  const target =
    exchange.provider === null
      ? ''
      : `,"provider":${JSON.stringify(exchange.provider)}` +
        `,"provider_model":${JSON.stringify(exchange.providerModel)}`;
  return (
    `${key},"dialect":"${request.dialect}","operation":"${request.operation}"` +
    `,"model":${foreign(request.model)}${target},"stream":${request.stream}`
  );
}

function resultOf(
  exchange: Exchange,
  end: ExchangeEnd,
  outcome: Outcome,
  error: GatewayError | null,
): string {
  const { entry, upstreamMs, firstTokenMs } = exchange;
  const code = error?.code ?? entry?.errorCode ?? null;
  const failed = code === null ? '' : `,"error_code":"${code}"`;
  const spent =
    entry === null
      ? ''
      : `,"input_tokens":${entry.usage.inputTokens},"output_tokens":${entry.usage.outputTokens}` +
        `,"cost_nanousd":${entry.costNanousd}`;
  const first = firstTokenMs === null ? '' : `,"first_token_ms":${milliseconds(firstTokenMs)}`;
  return (
    `,"status":${end.status},"outcome":"${outcome}"${failed}` +
    `${cacheOf(exchange)},"attempts":${exchange.attempts.length}${spent}` +
    `,"duration_ms":${milliseconds(end.durationMs)},"upstream_ms":${milliseconds(upstreamMs)}` +
    `,"overhead_ms":${milliseconds(Math.max(0, end.durationMs - upstreamMs))}${first}`
  );
}

/** What of a key is enough to find others of the same request. */
const KEY_CHARACTERS = 16;

function cacheOf({ cache, cacheKey }: Exchange): string {
  const tier = cache.tier === null ? '' : `,"cache_tier":"${cache.tier}"`;
  const key = cacheKey === null ? '' : `,"cache_key":"${cacheKey.slice(0, KEY_CHARACTERS)}"`;
  return `,"cache":"${cache.status}"${tier}${key}`;
}

function failureOf(error: GatewayError | null): string {
  if (error === null) return '';
  if (error.code === 'internal_error') {
    return `,"exception":${JSON.stringify(describeError(error.cause ?? error))}`;
  }
  const { cause } = error;
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return '';
  return `,"error_detail":${foreign(cause.code)}`;
}

/** A text somebody else chose. */
function foreign(text: string): string {
  return JSON.stringify(redactText(text.length > 256 ? `${text.slice(0, 256)}…` : text));
}

/** To the microsecond; more digits are noise. */
function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
