/**
 * The errors of the mock, in the words and with the codes that real providers use, so that
 * everything that classifies them can be tried out.
 */
import type { MockScript } from './model-script.ts';

interface ErrorTexts {
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
}

const SERVER_ERROR: ErrorTexts = {
  message: 'The server had an error while processing your request. Sorry about that!',
  type: 'server_error',
  code: null,
};

const BY_STATUS: Readonly<Record<number, ErrorTexts>> = {
  400: {
    message: 'The request was refused, as the name of the mock model asks for.',
    type: 'invalid_request_error',
    code: null,
  },
  401: {
    message: 'Incorrect API key provided: ',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
  403: {
    message: 'You are not allowed to sample from this model.',
    type: 'permission_error',
    code: null,
  },
  404: {
    message: 'The model does not exist or you do not have access to it.',
    type: 'invalid_request_error',
    code: 'model_not_found',
  },
  429: {
    message: 'Rate limit reached for requests. Please try again later.',
    type: 'requests',
    code: 'rate_limit_exceeded',
  },
  503: {
    message: 'The engine is currently overloaded, please try again later.',
    type: 'service_unavailable_error',
    code: null,
  },
  529: { message: 'Overloaded', type: 'overloaded_error', code: null },
};

const BY_CODE: Readonly<Record<string, Omit<ErrorTexts, 'code'>>> = {
  insufficient_quota: {
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
  },
  context_length_exceeded: {
    message: "This model's maximum context length is 8192 tokens. Please reduce the length.",
    type: 'invalid_request_error',
  },
};

/** `authorization` is quoted where a real provider would quote the key it refuses. */
export function errorForStatus(status: number, script: MockScript, authorization: string): string {
  const texts = BY_STATUS[status] ?? (status < 500 ? BY_STATUS[400] : undefined) ?? SERVER_ERROR;
  const quoted = status === 401 ? `${texts.message}${authorization.replace(/^Bearer /, '')}.` : '';
  const code = script.code ?? texts.code;
  const override = code !== null && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  return encode({ message: quoted || texts.message, type: texts.type, ...override, code }, null);
}

/** The error sent where an answer was due: in a stream, or in a body with status 200. */
export function errorWithinAnswer(script: MockScript): string {
  return errorForStatus(500, script, '');
}

export function refusal(message: string, field: string | null): string {
  return encode({ message, type: 'invalid_request_error', code: null }, field);
}

function encode({ message, type, code }: ErrorTexts, param: string | null): string {
  return JSON.stringify({ error: { message, type, param, code } });
}
