/**
 * What the head of a provider's 2xx answer must be before its body is believed: content of the
 * expected kind, uncompressed. The same for every provider that answers in JSON or in a stream.
 */
import { GatewayError } from '../gateway/model/errors.ts';
import type { ResponseHead } from '../gateway/ports/provider.ts';

const NO_CONTENT = new Set([204, 205]);

/** Throws `upstream_invalid` where the head announces something else than `expected`. */
export function requireHead(head: ResponseHead, expected: RegExp, name: string): void {
  if (NO_CONTENT.has(head.status)) {
    throw invalid(`The provider answered with status ${head.status} and no content.`);
  }
  const encoding = head.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw invalid('The provider compressed an answer that was to come uncompressed.');
  }
  const type = head.headers['content-type'];
  if (type !== undefined && !expected.test(type)) {
    throw invalid(`The provider’s answer is of another content type than ${name}.`);
  }
}

/** The head of a streamed answer, where the wire streams server-sent events. */
export function requireEvents(head: ResponseHead): void {
  requireHead(head, /^text\/event-stream\b/i, 'an event stream');
}

export function invalid(message: string): GatewayError {
  return new GatewayError('upstream_invalid', { message });
}
