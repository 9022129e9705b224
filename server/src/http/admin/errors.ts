/**
 * Every error of the control plane in its one shape:
 * `{ error: { code, message, field?, request_id, docs } }`.
 *
 * Codes are those of the catalogue. What the framework or the validation throws is classified
 * here; what nobody expected is logged with its cause and answered as `internal_error`.
 */
import type { ErrorBody } from '@esclusa/contracts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, GatewayError } from '../../gateway/index.ts';
import type { Log } from '../../kernel/log.ts';
import { retryHeaders } from '../answer-headers.ts';

/** In the repository and in the image; a running gateway does not serve it. */
const DOCS = 'docs/errors.md';
const MESSAGE_LENGTH_MAX = 500;

/** Not `max_body_bytes`: that is for requests to models. */
const BODY_TOO_LARGE = 'The body is larger than 1 MiB, the most that the control plane takes.';

const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'content_type_unsupported',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body_not_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body_not_json',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

/** What zod's type provider makes of one issue. */
interface ValidationIssue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: { readonly keys?: unknown };
}

function classify(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const error = thrown as Partial<FastifyError> | null;
  if (Array.isArray(error?.validation)) {
    return invalidRequest(error.validation as readonly ValidationIssue[]);
  }
  const code = FRAMEWORK_CODES[error?.code ?? ''];
  const message = code === 'body_too_large' ? { message: BODY_TOO_LARGE } : {};
  if (code !== undefined) return new GatewayError(code, { ...message, cause: thrown });
  return new GatewayError('internal_error', { cause: thrown });
}

function errorBody(error: GatewayError, requestId: string): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message.slice(0, MESSAGE_LENGTH_MAX),
      ...(error.field !== null && { field: error.field }),
      request_id: requestId,
      docs: `${DOCS}#${error.code}`,
    },
  };
}

/** Fastify's error handler. */
export function createErrorHandler(log: Log) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = classify(thrown);
    if (error.code === 'internal_error') {
      const { url: route } = request.routeOptions;
      log.error('a control-plane route failed', { request_id: request.id, route, error: thrown });
    }
    sendError(request, reply, error);
  };
}

export function sendError(request: FastifyRequest, reply: FastifyReply, error: GatewayError): void {
  const headers = retryHeaders(error);
  for (let at = 0; at < headers.length; at += 2) {
    reply.header(headers[at] as string, headers[at + 1]);
  }
  request.errorCode = error.code;
  // Serialised here: a route's schema for its own answer must not be applied to an error.
  reply
    .code(error.status)
    .header('content-type', 'application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(error, request.id));
}

function invalidRequest(issues: readonly ValidationIssue[]): GatewayError {
  const issue = issues[0];
  const path = (issue?.instancePath ?? '').split('/').filter((part) => part !== '');
  const stranger = issue?.keyword === 'unrecognized_keys' ? issue.params.keys : undefined;
  if (Array.isArray(stranger)) {
    const field = [...path, String(stranger[0])].join('.');
    return new GatewayError('invalid_request', {
      message: `\`${field}\` is not known here.`,
      field,
    });
  }
  const field = path.join('.');
  const what = issue?.message ?? 'Not accepted.';
  if (field === '') return new GatewayError('invalid_request', { message: what });
  return new GatewayError('invalid_request', { message: `\`${field}\`: ${what}`, field });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the request was refused or failed. */
    errorCode: ErrorCode | null;
  }
}
