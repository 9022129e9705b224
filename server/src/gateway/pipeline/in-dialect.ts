/**
 * An answer in the dialect of its client: as it came where the provider speaks it too, else
 * written anew from the canonical form.
 */
import { assert } from '../../kernel/assert.ts';
import type { Answer, StreamFrame } from '../model/answer.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Wire } from '../model/target.ts';
import type { AnswerCodecs, StreamEncoder } from '../ports/codec.ts';
import type { ProviderAdapter } from '../ports/provider.ts';

/** The wire in which a provider answers a request. */
export function wireOf(adapter: ProviderAdapter, request: InferenceRequest): Wire {
  return adapter.wireOf?.(request) ?? adapter.dialect;
}

export function inDialect(codecs: AnswerCodecs, request: InferenceRequest, answer: Answer): Answer {
  const { dialect } = request;
  if (answer.dialect === dialect) return answer;
  const codec = codecs[dialect];
  assert(codec !== undefined, `the dialect ${dialect} has a codec`);
  if (answer.kind === 'stream') {
    const frames = encoded(codec.createStreamEncoder(request), answer.frames);
    return { ...answer, dialect, frames };
  }
  assert(answer.body !== null, 'an answer of another dialect has its canonical form');
  const bytes = codec.encodeAnswer(request, answer.body);
  return { ...answer, dialect, contentType: codec.contentType, bytes };
}

async function* encoded(
  encoder: StreamEncoder,
  frames: AsyncIterable<StreamFrame>,
): AsyncGenerator<StreamFrame> {
  for await (const frame of frames) yield encoder.encode(frame);
}
