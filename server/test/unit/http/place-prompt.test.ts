/**
 * Goal: an operator's prompt stands before what the client says, in the client's own dialect,
 * and nothing else of its bytes changes. Method: bodies by hand as text, read by the endpoints
 * of their dialects, and compared as text.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InferenceRequest, NO_CACHE_CONTROL } from '../../../src/gateway/index.ts';
import type { InferenceEndpoint } from '../../../src/http/endpoint.ts';
import { inferenceEndpoints, placePrompt } from '../../../src/http/index.ts';
import { parseBody } from '../../../src/http/parse-body.ts';
import type { JsonValue } from '../../../src/kernel/json.ts';

const PROMPT = 'Ask, do not "solve".\n¿Qué has probado?';
const QUOTED = JSON.stringify(PROMPT);
const BIRTH = { id: 'req_1', createdAtMs: 0 };

function read(path: string, text: string): InferenceRequest {
  const endpoint = inferenceEndpoints.find((each: InferenceEndpoint) => each.path === path);
  assert.ok(endpoint !== undefined, path);
  return endpoint.decode(
    parseBody(Buffer.from(text), 64),
    NO_CACHE_CONTROL,
    { headers: {} },
    BIRTH,
  );
}

function messagesOf({ body }: InferenceRequest): readonly JsonValue[] {
  return body.messages as readonly JsonValue[];
}

/** What the members are found to be, by the places in which they are said to lie. */
function membersOf({ bytes, members }: InferenceRequest): Record<string, unknown> {
  return Object.fromEntries(
    members.map(({ key, valueStart, valueEnd }) => [
      key,
      JSON.parse(bytes.toString('utf8', valueStart, valueEnd)),
    ]),
  );
}

const CASES: readonly (readonly [string, string, string, string])[] = [
  [
    'OpenAI',
    '/v1/chat/completions',
    '{"seed": 12345678901234567890, "messages" : [ {"role":"user","content":"hola"}],"model":"m"}',
    `{"seed": 12345678901234567890, "messages" : [{"role":"system","content":${QUOTED}}, ` +
      '{"role":"user","content":"hola"}],"model":"m"}',
  ],
  [
    'Anthropic without a system prompt',
    '/v1/messages',
    '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hola"}] }',
    '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hola"}]' +
      `,"system":${QUOTED} }`,
  ],
  [
    'Anthropic with a text',
    '/v1/messages',
    '{"model":"m","system":"Mine.","max_tokens":9,"messages":[{"role":"user","content":"a"}]}',
    `{"model":"m","system":${JSON.stringify(`${PROMPT}\n\nMine.`)},"max_tokens":9,` +
      '"messages":[{"role":"user","content":"a"}]}',
  ],
  [
    'Anthropic with blocks',
    '/v1/messages',
    '{"model":"m","system":[{"type":"text","text":"Mine."}],"max_tokens":9,' +
      '"messages":[{"role":"user","content":"a"}]}',
    `{"model":"m","system":[{"type":"text","text":${QUOTED}},{"type":"text","text":"Mine."}],` +
      '"max_tokens":9,"messages":[{"role":"user","content":"a"}]}',
  ],
  [
    'Anthropic with a system prompt of null',
    '/v1/messages/count_tokens',
    '{"model":"m","system":null,"messages":[{"role":"user","content":"a"}]}',
    `{"model":"m","system":${QUOTED},"messages":[{"role":"user","content":"a"}]}`,
  ],
];

for (const [name, path, before, after] of CASES) {
  test(`${name}: the prompt comes first and all other bytes stay`, () => {
    const request = read(path, before);

    const placed = placePrompt(request, PROMPT);

    assert.equal(placed.bytes.toString('utf8'), after);
    assert.deepEqual(membersOf(placed), JSON.parse(after));
    assert.deepEqual(messagesOf(placed)[0], { role: 'system', content: PROMPT });
    assert.deepEqual(messagesOf(placed).slice(1), messagesOf(request));
    assert.deepEqual(placed.foreign?.body ?? placed.body, JSON.parse(after));
    assert.equal(placed.foreign?.isExtended, undefined);
  });
}

test('Responses: the bytes stay, are not to be passed on, and are counted with the prompt', () => {
  const text = '{"model":"m","instructions":"Mine.","input":"hola","store":false}';
  const request = read('/v1/responses', text);

  const placed = placePrompt(request, PROMPT);

  assert.equal(placed.bytes.toString('utf8'), text);
  assert.equal(placed.foreign?.isExtended, true);
  assert.equal(placed.contextBytes, Buffer.byteLength(PROMPT));
  assert.deepEqual(placed.foreign?.body, JSON.parse(text));
  assert.deepEqual(
    messagesOf(placed).map((message) => (message as { role: string }).role),
    ['system', 'system', 'user'],
  );
});
