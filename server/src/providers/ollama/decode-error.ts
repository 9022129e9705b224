/**
 * Classifies what the server answered instead of an answer. Its errors are a text
 * (`{"error":"…"}`): the status decides where there is one, the words where there is none,
 * inside a stream or a 2xx body.
 */
import type { ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import { codeForStatus, type Said, statusError, upstreamError } from '../upstream-error.ts';

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
  const body = parseJson(bytes.toString('utf8'));
  const text = isJsonObject(body) && typeof body.error === 'string' ? body.error : '';
  const code = codeForStatus(head.status);
  return statusError(code, saidBy(text, code), secrets, head);
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeErrorText(text: string, secrets: readonly string[]): GatewayError {
  const code = wordsOf(text)?.code ?? 'upstream_failed';
  return upstreamError(code, saidBy(text, code), secrets);
}

function saidBy(message: string, code: ErrorCode): Said {
  const words = wordsOf(message);
  return { message, code: words?.code === code ? words.upstreamCode : undefined };
}

function wordsOf(text: string): Words | undefined {
  return CODE_BY_WORDS.find(({ pattern }) => pattern.test(text));
}
