/**
 * Turns what a socket or the HTTP parser reports into a coded error, once, where it is born.
 *
 * What decides is how far the call had come:
 * - before the head of the answer: refused, reset, closed, unresolvable → `upstream_unreachable`;
 *   no connection or no byte in time → `upstream_timeout`;
 * - within the body: reset → `upstream_unreachable`, closed before the declared end →
 *   `upstream_truncated`, silence → `upstream_timeout`;
 * - at any time: bytes that are not HTTP, or a head beyond its bound → `upstream_invalid`.
 *
 * A request whose bytes may have left is never sent again from here: nobody can tell whether
 * a closed connection had processed it, so trying again is the retry policy's decision. What
 * was never written (the connection was found closed first) goes out on a fresh one unseen.
 *
 * Messages name the provider and the system's error code, never an address or a URL.
 */
import { type ErrorCode, GatewayError } from '../gateway/model/errors.ts';
import { ADDRESS_REFUSED } from './pinned-lookup.ts';

/** How far a call had come: nothing written, written, or its answer begun. */
export type CallPhase = 'waiting' | 'sent' | 'answering';

const TIMEOUT_CODES = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const CLOSED_POOL_CODES = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);
const OWN_FAULT_CODES = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const TRUNCATION_CODES = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_SOCKET']);
const PROTOCOL_CODES = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

export function classifyFailure(provider: string, phase: CallPhase, cause: Error): GatewayError {
  const code = codeOf(cause);
  const neverSent = phase === 'waiting';
  if (CLOSED_POOL_CODES.has(code)) return new GatewayError('shutting_down', { neverSent, cause });
  if (OWN_FAULT_CODES.has(code)) return new GatewayError('internal_error', { cause });
  if (code === ADDRESS_REFUSED) {
    const message = `The address of provider \`${provider}\` is not allowed.`;
    return new GatewayError('upstream_unreachable', { message, retryable: false, cause });
  }
  if (TIMEOUT_CODES.has(code)) {
    const what = 'did not take the connection in time';
    const message = `Provider \`${provider}\` ${what} (${code}).`;
    return new GatewayError('upstream_timeout', { message, neverSent, cause });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    const message = `Provider \`${provider}\` sent headers beyond the limit.`;
    return new GatewayError('upstream_invalid', { message, cause });
  }
  if (isTruncation(phase, code, cause)) return truncated(provider, cause);
  if (isProtocolBreach(code, cause)) {
    return failure('upstream_invalid', `Provider \`${provider}\` broke the protocol`, code, cause);
  }
  const what = phase === 'waiting' ? 'could not be reached' : 'closed the connection';
  return failure('upstream_unreachable', `Provider \`${provider}\` ${what}`, code, cause);
}

export function truncated(provider: string, cause?: Error): GatewayError {
  const message = `The answer of provider \`${provider}\` ended before its end.`;
  return new GatewayError('upstream_truncated', { message, cause });
}

export function connectTimeout(provider: string, limitMs: number): GatewayError {
  const message = `Provider \`${provider}\` did not take the connection within ${limitMs} ms.`;
  return new GatewayError('upstream_timeout', { message, neverSent: true });
}

export function firstByteTimeout(provider: string, limitMs: number): GatewayError {
  const message = `Provider \`${provider}\` sent nothing for ${limitMs} ms.`;
  return new GatewayError('upstream_timeout', { message });
}

export function idleTimeout(provider: string, limitMs: number): GatewayError {
  const message = `Provider \`${provider}\` fell silent for ${limitMs} ms within its answer.`;
  return new GatewayError('upstream_timeout', { message });
}

export function encodedAnswer(provider: string): GatewayError {
  const message = `Provider \`${provider}\` sent a compressed answer that was not asked for.`;
  return new GatewayError('upstream_invalid', { message });
}

export function answerTooLong(provider: string, maxBytes: number): GatewayError {
  const message = `The answer of provider \`${provider}\` exceeds ${maxBytes} bytes.`;
  return new GatewayError('upstream_too_long', { message });
}

function isTruncation(phase: CallPhase, code: string, cause: Error): boolean {
  if (phase !== 'answering' || isUnsolicited(cause)) return false;
  return TRUNCATION_CODES.has(code) || (isParserError(cause) && /EOF/.test(cause.message));
}

function isProtocolBreach(code: string, cause: Error): boolean {
  return PROTOCOL_CODES.has(code) || isParserError(cause) || isUnsolicited(cause);
}

/** The client library leaves its parser's errors without a code. */
function isParserError(cause: Error): boolean {
  return cause.name === 'HTTPParserError';
}

/** An interim 100 or an upgrade nobody asked for: the client library closes on them. */
function isUnsolicited(cause: Error): boolean {
  return /^bad (response|upgrade)$/.test(cause.message);
}

function failure(code: ErrorCode, text: string, detail: string, cause: Error): GatewayError {
  const message = detail === '' ? `${text}.` : `${text} (${detail}).`;
  return new GatewayError(code, { message, cause });
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
