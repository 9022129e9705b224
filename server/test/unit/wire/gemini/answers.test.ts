/**
 * Goal: answers, counts, vectors and errors keep what they say on the way to the canonical form
 * and from it. Method: recorded bodies; expected values are worked out by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { decodeAnswer } from '../../../../src/wire/gemini/decode/answer.ts';
import {
  decodeVectors,
  encodeBatchEmbedAnswer,
  encodeEmbedAnswer,
  readVectors,
} from '../../../../src/wire/gemini/embedding.ts';
import { encodeAnswer } from '../../../../src/wire/gemini/encode/answer.ts';
import { encodeError, encodeErrorFrame } from '../../../../src/wire/gemini/encode-error.ts';
import { readError } from '../../../../src/wire/gemini/read-error.ts';
import { CONTEXT, geminiFixture } from './fixture.ts';

/** Tests look into whatever was decoded. */
type Json = ReturnType<typeof JSON.parse>;

function decoded(name: string, context = CONTEXT) {
  const text = geminiFixture(name).toString();
  const { body, finishReasons } = decodeAnswer(JSON.parse(text), () => text, context);
  return { body: body as Json, finishReasons };
}

test('an answer becomes a completion with thoughts, text, calls and usage in full', () => {
  const { body, finishReasons } = decoded('answer.json');

  assert.deepEqual(finishReasons, ['tool_calls']);
  assert.deepEqual(body, {
    ...{ id: 'b2theS1pZA', object: 'chat.completion', created: 1_700_000_000 },
    model: 'gemini-3.8-flash',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Let me look.',
          reasoning_content: 'The user wants an order.',
          tool_calls: [
            {
              ...{ id: 'fc-1', type: 'function' },
              function: {
                name: 'find_order',
                arguments: '{"order":12345678901234567890,"city":"Málaga \\"centro\\""}',
              },
              esclusa: { signature: 'c2lnbmF0dXJl' },
            },
          ],
          esclusa: {
            thinking_blocks: [{ type: 'thinking', thinking: 'The user wants an order.' }],
          },
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: {
      ...{ prompt_tokens: 45, completion_tokens: 32, total_tokens: 77 },
      prompt_tokens_details: { cached_tokens: 16 },
      completion_tokens_details: { reasoning_tokens: 20 },
    },
  });
});

test('an answer that went through the canonical form says the same to Gemini’s clients', () => {
  const source = JSON.parse(geminiFixture('answer.json').toString());
  const text = encodeAnswer(decoded('answer.json').body).toString();
  const answer = JSON.parse(text);

  assert.deepEqual(answer.candidates, source.candidates);
  assert.match(text, /"order":12345678901234567890/, 'no digit is lost');
  assert.deepEqual(answer.usageMetadata, {
    ...{ promptTokenCount: 45, candidatesTokenCount: 12, totalTokenCount: 77 },
    ...{ thoughtsTokenCount: 20, cachedContentTokenCount: 16 },
  });
  assert.deepEqual([answer.modelVersion, answer.responseId], ['gemini-3.8-flash', 'b2theS1pZA']);
});

test('a refused prompt is a choice without text that the content filter ended', () => {
  const { body, finishReasons } = decoded('blocked.json');

  assert.deepEqual(finishReasons, ['content_filter']);
  assert.deepEqual(body.choices, [
    {
      index: 0,
      message: { role: 'assistant', content: null },
      finish_reason: 'content_filter',
      esclusa: { stop_reason: 'PROHIBITED_CONTENT' },
    },
  ]);
  const [candidate] = JSON.parse(encodeAnswer(body).toString()).candidates;
  assert.equal(candidate.finishReason, 'PROHIBITED_CONTENT');
});

test('how likely tokens were is said both ways', () => {
  const { body } = decoded('logprobs.json');
  const [choice] = body.choices;

  assert.deepEqual(choice.logprobs.content, [
    {
      ...{ token: 'Sí', logprob: -0.1, bytes: [83, 195, 173] },
      top_logprobs: [
        { token: 'Sí', logprob: -0.1, bytes: [83, 195, 173] },
        { token: 'No', logprob: -2.5, bytes: [78, 111] },
      ],
    },
  ]);
  const [candidate] = JSON.parse(encodeAnswer(body).toString()).candidates;
  assert.deepEqual(candidate.logprobsResult.chosenCandidates, [
    { token: 'Sí', logProbability: -0.1 },
  ]);
});

test('reasons to end have a word each, and foreign ones the nearest', () => {
  const words: Readonly<Record<string, string>> = {
    stop: 'STOP',
    tool_calls: 'STOP',
    length: 'MAX_TOKENS',
    content_filter: 'SAFETY',
    eos: 'OTHER',
  };
  for (const [finish_reason, word] of Object.entries(words)) {
    const body = { choices: [{ index: 0, message: { content: 'x' }, finish_reason }] };
    const [candidate] = JSON.parse(encodeAnswer(body).toString()).candidates;
    assert.equal(candidate.finishReason, word);
  }
  const reasons: Readonly<Record<string, readonly string[]>> = {
    MAX_TOKENS: ['length', 'length'],
    RECITATION: ['content_filter', 'content_filter'],
    SPII: ['content_filter', 'content_filter'],
    MALFORMED_FUNCTION_CALL: ['stop', 'other'],
    SOMETHING_NEW: ['stop', 'other'],
  };
  for (const [finishReason, expected] of Object.entries(reasons)) {
    const answer = { candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason }] };
    const { body, finishReasons } = decodeAnswer(answer, () => JSON.stringify(answer), CONTEXT);
    const [choice] = body.choices as Json;
    assert.deepEqual([choice.finish_reason, ...finishReasons], expected, finishReason);
  }
});

test('a call whose arguments are no object ends in Gemini’s word for that', () => {
  const broken = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":' } }];
  const body = {
    choices: [{ index: 0, message: { tool_calls: broken }, finish_reason: 'tool_calls' }],
  };
  const [candidate] = JSON.parse(encodeAnswer(body).toString()).candidates;

  assert.equal(candidate.finishReason, 'MALFORMED_FUNCTION_CALL');
  assert.deepEqual(candidate.content.parts, []);
});

test('a picture in an answer survives the canonical form', () => {
  const inlineData = { mimeType: 'image/png', data: 'iVBORw0KGgo=' };
  const answer = { candidates: [{ content: { parts: [{ inlineData }] }, finishReason: 'STOP' }] };
  const { body } = decodeAnswer(answer, () => JSON.stringify(answer), CONTEXT);

  const [candidate] = JSON.parse(encodeAnswer(body).toString()).candidates;
  assert.deepEqual(candidate.content.parts, [{ inlineData }]);
});

test('vectors are said as one or as many, as floats or in base 64', () => {
  const vectors = readVectors({ embeddings: [{ values: [0.5, -1] }, { values: [2, 3] }] });
  assert.ok(vectors !== null);
  const asked = { model: 'm', isBase64: false, usage: null };
  const floats = decodeVectors(vectors, asked);
  const base64 = decodeVectors(vectors, { ...asked, isBase64: true }) as Json;

  assert.deepEqual(encodeBatchEmbedAnswer(floats), {
    embeddings: [{ values: [0.5, -1] }, { values: [2, 3] }],
  });
  assert.deepEqual(encodeEmbedAnswer(floats), { embedding: { values: [0.5, -1] } });
  assert.equal(base64.data[0].embedding, 'AAAAPwAAgL8=');
  assert.deepEqual(readVectors({ embedding: { values: [1] } }), [[1]]);
  assert.equal(readVectors({ embeddings: [{}] }), null);
  assert.equal(readVectors({} as JsonObject), null);
});

test('errors are read with the hints among their details', () => {
  const read = (name: string) => readError(JSON.parse(geminiFixture(name).toString()));

  assert.equal(read('error-key.json')?.reason, 'API_KEY_INVALID');
  assert.deepEqual(
    [read('error-rate.json')?.retryAfterMs, read('error-rate.json')?.longQuota],
    [34_075, false],
  );
  assert.equal(read('error-quota.json')?.longQuota, true);
  assert.equal(readError([{ error: { message: 'x' } }])?.message, 'x');
  assert.equal(readError({ error: 'text' })?.message, 'text');
  assert.equal(readError({ candidates: [] }), null);
});

test('a failure is written with its status, our code, its field and its wait', () => {
  const failure = {
    ...{ status: 429, code: 'rate_limited', message: 'Too fast.', field: 'contents' },
    ...{ upstreamCode: null, upstreamType: null, retryAfterMs: 1500 },
  };
  const { error } = JSON.parse(encodeError(failure, 'req_1').toString());

  assert.deepEqual(
    [error.code, error.status, error.message],
    [429, 'RESOURCE_EXHAUSTED', 'Too fast.'],
  );
  assert.deepEqual(error.details[0].metadata, { code: 'rate_limited', field: 'contents' });
  assert.equal(error.details[1].requestId, 'req_1');
  assert.equal(error.details[2].retryDelay, '1.5s');
  const event = encodeErrorFrame('events', failure, 'req_1').toString();
  const item = encodeErrorFrame('list', failure, 'req_1').toString();
  assert.match(event, /^data: \{"error".*\}\n\n$/);
  assert.equal(JSON.parse(`[{}${item}`).length, 2);
});
