/**
 * The recorded bodies and streams of `test/fixtures/anthropic`, and what tests do with streams.
 */
import {
  createStreamDecoder,
  type StreamDecoderOptions,
} from '../../../../src/wire/anthropic/stream-decoder.ts';
import { recorded } from '../../../support/recorded.ts';
import { LIMITS, outcomeOf } from '../streams.ts';

export const anthropicFixture = recorded('anthropic', 'sdk-1.10.0');

export const FACTS = { createdSeconds: 1_700_000_000, answerTool: null };

export function decoder(options: Partial<StreamDecoderOptions> = {}) {
  return createStreamDecoder({
    translate: null,
    ...LIMITS,
    ...options,
  });
}

export function decode(pieces: readonly Buffer[], options: Partial<StreamDecoderOptions> = {}) {
  return outcomeOf(decoder(options), pieces);
}

/** A message as a client puts it together from the events of a stream. */
export function assemble(text: string) {
  let message: ReturnType<typeof JSON.parse> = null;
  for (const record of text.split('\n\n')) {
    const data = record.split('\n').find((line) => line.startsWith('data: '));
    if (data === undefined) continue;
    const event = JSON.parse(data.slice('data: '.length));
    const block = message?.content[event.index];
    if (event.type === 'message_start') message = event.message;
    if (event.type === 'content_block_start') message.content.push({ ...event.content_block });
    if (event.type === 'content_block_delta') {
      const { text: said, thinking, signature, partial_json: json } = event.delta;
      if (said !== undefined) block.text += said;
      if (thinking !== undefined) block.thinking += thinking;
      if (signature !== undefined) block.signature = signature;
      if (json !== undefined) block.json = (block.json ?? '') + json;
    }
    if (event.type === 'message_delta') {
      message = { ...message, ...event.delta, usage: event.usage };
    }
  }
  return message;
}
