/**
 * The coded catalogue of everything that can be refused or go wrong in an exchange: code,
 * HTTP status, whether a client may try again, the message, and what to do about it.
 *
 * An error is classified once, where it is born, by throwing `GatewayError` with a code of
 * this table; the edge writes it in the dialect of the endpoint. `docs/errors.md` is kept
 * equal to this table by a test. A message says what was wrong, where, and what to do; it
 * never contains a secret, a stack or another tenant's data.
 */
import { CALLER_ERRORS } from './errors-of-callers.ts';
import { SERVICE_ERRORS } from './errors-of-service.ts';

export const ERROR_CATALOGUE = { ...CALLER_ERRORS, ...SERVICE_ERRORS } as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface GatewayErrorOptions {
  /** What was wrong, where, and what to do; the catalogue's summary where absent. */
  readonly message?: string;
  /** The field or header at fault, as the client wrote it: `messages[2].role`. */
  readonly field?: string;
  /** The provider's own error code or type, kept because it steers clients. */
  readonly upstreamCode?: string;
  /** The provider's own error type, kept for clients of the same dialect. */
  readonly upstreamType?: string;
  /** Milliseconds until the same request may succeed. */
  readonly retryAfterMs?: number;
  /** Overrides the catalogue where the provider said that trying again is useless. */
  readonly retryable?: boolean;
  /** The provider was never sent the request, though the code alone leaves that open. */
  readonly neverSent?: boolean;
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly field: string | null;
  readonly upstreamCode: string | null;
  readonly upstreamType: string | null;
  readonly retryAfterMs: number | null;
  readonly neverSent: boolean;

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    super(options.message ?? ERROR_CATALOGUE[code].summary, { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = ERROR_CATALOGUE[code].status;
    this.retryable = options.retryable ?? ERROR_CATALOGUE[code].retryable;
    this.field = options.field ?? null;
    this.upstreamCode = options.upstreamCode ?? null;
    this.upstreamType = options.upstreamType ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.neverSent = options.neverSent ?? false;
  }
}

/** Turns whatever was thrown into a coded error; an unknown one is ours and keeps its cause. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal_error', { cause: thrown });
}
