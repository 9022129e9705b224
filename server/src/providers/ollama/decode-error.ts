/**
 * Classifies what the server answered instead of an answer. Its errors are a text
 * (`{"error":"…"}`): the status decides where there is one, the words where there is none,
 * inside a stream or a 2xx body.
 */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import { redactMessage } from '../redact-message.ts';
import { retryAfterMs } from '../retry-after.ts';

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'upstream_credentials',
  402: 'upstream_quota_exhausted',
  403: 'upstream_credentials',
  404: 'upstream_not_found',
  408: 'upstream_timeout',
  413: 'upstream_too_large',
  422: 'upstream_unprocessable',
  429: 'upstream_rate_limited',
  503: 'upstream_unavailable',
  504: 'upstream_timeout',
};

interface Words {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** The code under which callers of other vendors know the same trouble. */
  readonly upstreamCode?: string;
}

const CODE_BY_WORDS: readonly Words[] = [
  {
    pattern: /exceeds? the (?:available |maximum )?context|context length/i,
    code: 'upstream_rejected',
    upstreamCode: 'context_length_exceeded',
  },
  { pattern: /model .* not found/i, code: 'upstream_not_found', upstreamCode: 'model_not_found' },
  { pattern: /server busy|overloaded|maximum pending/i, code: 'upstream_unavailable' },
  { pattern: /does not support|invalid/i, code: 'upstream_rejected' },
  { pattern: /unauthorized/i, code: 'upstream_credentials' },
];

/** Reads any answer whose status is not 2xx. */
export function decodeError(
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): GatewayError {
  if (head.status >= 300 && head.status < 400) {
    const message = `The provider redirects (${head.status}), which is not followed.`;
    return new GatewayError('upstream_invalid', { message });
  }
  const body = parseJson(bytes.toString('utf8'));
  const text = isJsonObject(body) && typeof body.error === 'string' ? body.error : null;
  const waitMs = retryAfterMs(head.headers);
  return build(codeForStatus(head.status), text, secrets, {
    fallback: `The provider answered with status ${head.status}.`,
    ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
  });
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeErrorText(text: string, secrets: readonly string[]): GatewayError {
  const code = wordsOf(text)?.code ?? 'upstream_failed';
  return build(code, text, secrets, {
    fallback: 'The provider reported an error without a message.',
  });
}

interface BuildOptions {
  readonly fallback: string;
  readonly retryAfterMs?: number;
}

function build(
  code: ErrorCode,
  text: string | null,
  secrets: readonly string[],
  { fallback, ...hints }: BuildOptions,
): GatewayError {
  const said = text === null || text === '' ? fallback : redactMessage(text, secrets);
  if (code === 'upstream_credentials') {
    const message = `${ERROR_CATALOGUE[code].summary} ${said}`;
    return new GatewayError(code, { ...hints, message });
  }
  const words = wordsOf(said);
  const isSame = words?.code === code && words.upstreamCode !== undefined;
  return new GatewayError(code, {
    ...hints,
    message: said,
    ...(isSame ? { upstreamCode: words.upstreamCode } : {}),
  });
}

function wordsOf(text: string): Words | undefined {
  return CODE_BY_WORDS.find(({ pattern }) => pattern.test(text));
}

function codeForStatus(status: number): ErrorCode {
  const code = CODE_BY_STATUS[status];
  if (code !== undefined) return code;
  if (status >= 400 && status < 500) return 'upstream_rejected';
  return status >= 500 && status < 600 ? 'upstream_failed' : 'upstream_invalid';
}
