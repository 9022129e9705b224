/**
 * Goal: a stream in Anthropic's dialect tells all the tokens that the provider told, wherever the
 * provider told them. Method: frames as decoders make them, through the codec.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamFrame, Usage } from '../../../src/gateway/index.ts';
import { anthropicCodec } from '../../../src/http/anthropic/codec.ts';
import { providerCall } from '../../support/provider-call.ts';

const NO_BYTES = Buffer.alloc(0);
const QUESTION = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi' }] };

function usageTold(usage: Usage | null) {
  const { request } = providerCall('chat', QUESTION, 'm');
  const encoder = anthropicCodec.createStreamEncoder(request);
  const last: StreamFrame = {
    ...{ bytes: NO_BYTES, terminal: NO_BYTES, chunks: [], producedCharacters: 40 },
    ...{ usage, finishReasons: [] },
  };
  const text = String(encoder.encode(last).bytes);
  const [, data = '{}'] = /^data: (.*"message_delta".*)$/m.exec(text) ?? [];
  const { usage: told } = JSON.parse(data);
  return [
    told.input_tokens,
    told.cache_read_input_tokens,
    told.cache_creation_input_tokens,
    told.output_tokens,
  ];
}

const COUNTED: Usage = {
  ...{ inputTokens: 100, cachedInputTokens: 60, outputTokens: 7, reasoningTokens: 0 },
  source: 'provider',
};

test('tokens that were read from the prompt’s cache or written to it are told apart', () => {
  assert.deepEqual(usageTold({ ...COUNTED, cacheWriteTokens: 30 }), [10, 60, 30, 7]);
});

test('a provider that wrote none to it is told with none', () => {
  assert.deepEqual(usageTold(COUNTED), [40, 60, 0, 7]);
});

test('a provider that told nothing is estimated: four bytes or characters a token', () => {
  const [input, read, written, output] = usageTold(null);

  assert.deepEqual([read, written, output], [0, 0, 10]);
  assert.ok(input > 5);
});
