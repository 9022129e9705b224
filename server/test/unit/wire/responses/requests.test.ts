/**
 * Goal: requests of the Responses dialect mean in canonical form what they mean in their own,
 * and what that form cannot say is refused or reported. Method: bodies as clients send them,
 * with the expected messages written out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { packReasoning } from '../../../../src/wire/responses/carried-reasoning.ts';
import { decodeRequest } from '../../../../src/wire/responses/decode-request.ts';
import { adoptResponse, keptItems } from '../../../../src/wire/responses/kept-response.ts';
import { listItems } from '../../../../src/wire/responses/list-items.ts';
import { readRequest } from '../../../../src/wire/responses/read-request.ts';

function decode(changes: object, earlier: readonly JsonObject[] = []) {
  return decodeRequest({ model: 'm', input: 'Hi', ...changes } as JsonObject, earlier);
}

const callItem = (id: string) => ({
  ...{ type: 'function_call', id: `fc_${id}`, call_id: id, name: 'f', arguments: '{"a": 1.0}' },
});
const call = (id: string) => ({
  ...{ id, type: 'function', function: { name: 'f', arguments: '{"a": 1.0}' } },
});
const output = (id: string, text: string) => ({
  ...{ type: 'function_call_output', call_id: id, output: text },
});

test('what a model said in one turn is one message, results follow it', () => {
  const { body, needed, dropped } = decode({
    input: [
      { role: 'user', content: 'Q' },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Wait.' }] },
      callItem('c1'),
      callItem('c2'),
      output('c1', 'one'),
      output('c2', 'two'),
    ],
  });

  assert.deepEqual(body.messages, [
    { role: 'user', content: 'Q' },
    {
      role: 'assistant',
      content: 'Wait.',
      reasoning_content: 'Hm.',
      tool_calls: [call('c1'), call('c2')],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'one' },
    { role: 'tool', tool_call_id: 'c2', content: 'two' },
  ]);
  assert.deepEqual([needed, dropped], [[], []]);
});

test('two texts of the model after one another stay two messages', () => {
  const { body } = decode({
    input: [
      { role: 'assistant', content: 'A' },
      { role: 'assistant', content: 'B' },
    ],
  });

  assert.deepEqual(body.messages, [
    { role: 'assistant', content: 'A' },
    { role: 'assistant', content: 'B' },
  ]);
});

test('signatures that a client sends back find their thoughts and calls', () => {
  const blocks = [{ type: 'thinking', thinking: 'Hm.', signature: 's' }];
  const { body } = decode({
    input: [
      { type: 'reasoning', summary: [], encrypted_content: packReasoning({ blocks, calls: {} }) },
      callItem('c1'),
      {
        ...{ type: 'reasoning', summary: [] },
        encrypted_content: packReasoning({ blocks: [], calls: { c1: 'sig' } }),
      },
      output('c1', 'one'),
    ],
  });

  assert.deepEqual((body.messages as readonly unknown[])[0], {
    role: 'assistant',
    content: null,
    tool_calls: [{ ...call('c1'), esclusa: { signature: 'sig' } }],
    esclusa: { thinking_blocks: blocks },
  });
});

test('what another vendor encrypted is left out and reported, never misread', () => {
  for (const encrypted_content of ['gAAAA', 'esclusa.1.', 'esclusa.1.bm90IGpzb24', 'esclusa.2.x']) {
    const { dropped } = decode({
      input: [
        { type: 'reasoning', summary: [], encrypted_content },
        callItem('c'),
        output('c', ''),
      ],
    });

    assert.deepEqual(dropped, ['input[0].encrypted_content'], encrypted_content);
  }
});

test('a conversation that is gone on from stands before the input', () => {
  const earlier = [{ role: 'user', content: 'Q' }, { ...callItem('c1') }] as readonly JsonObject[];
  const { body } = decode({ input: [output('c1', 'one')], instructions: 'Be brief.' }, earlier);

  assert.deepEqual(body.messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Q' },
    { role: 'assistant', content: null, tool_calls: [call('c1')] },
    { role: 'tool', tool_call_id: 'c1', content: 'one' },
  ]);
});

test('settings are said in the words of the canonical form', () => {
  const { body, dropped } = decode({
    ...{ max_output_tokens: 9, temperature: 0, top_p: 0.5, user: 'u', service_tier: 'flex' },
    reasoning: { effort: 'low', summary: 'auto' },
    text: {
      format: { type: 'json_schema', name: 'a', schema: {}, strict: true },
      verbosity: 'low',
    },
    tools: [{ type: 'function', name: 'f', parameters: {}, strict: true }],
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    metadata: { a: 'b' },
    include: ['reasoning.encrypted_content'],
    truncation: 'disabled',
    store: true,
  });
  const { messages: _, ...settings } = body;

  assert.deepEqual(settings, {
    ...{ model: 'm', max_completion_tokens: 9, temperature: 0, top_p: 0.5, user: 'u' },
    service_tier: 'flex',
    reasoning_effort: 'low',
    tools: [{ type: 'function', function: { name: 'f', parameters: {}, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    parallel_tool_calls: false,
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'a', schema: {}, strict: true },
    },
    esclusa: {
      thinking: { mode: 'adaptive', include_thoughts: true },
      vendor: { openai: { verbosity: 'low' } },
    },
  });
  assert.deepEqual(dropped, []);
});

test('of a choice among some tools only those are offered', () => {
  const tools = ['f', 'g', 'h'].map((name) => ({ type: 'function', name, parameters: {} }));
  const allowed = [
    { type: 'function', name: 'f' },
    { type: 'function', name: 'h' },
  ];
  const { body } = decode({
    tools,
    tool_choice: { type: 'allowed_tools', mode: 'required', tools: allowed },
  });

  assert.equal(body.tool_choice, 'required');
  assert.deepEqual(
    (body.tools as unknown as { function: { name: string } }[]).map((tool) => tool.function.name),
    ['f', 'h'],
  );
});

test('what is of the wrong form is refused by its place', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ model: '' }, 'model'],
    [{ input: [] }, 'input'],
    [{ input: null }, 'input'],
    [{ input: [{ role: 'user' }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text'],
    [{ input: [{ type: 'function_call', call_id: 'c', name: 'f' }] }, 'input[0].arguments'],
    [{ input: [{ type: 'function_call_output', output: 'x' }] }, 'input[0].call_id'],
    [{ store: 'no' }, 'store'],
    [{ instructions: 7 }, 'instructions'],
    [{ metadata: { a: 1 } }, 'metadata'],
    [{ previous_response_id: '' }, 'previous_response_id'],
    [{ previous_response_id: 'r'.repeat(129) }, 'previous_response_id'],
    [{ max_output_tokens: 1.5 }, 'max_output_tokens'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ text: 'plain' }, 'text'],
  ];
  for (const [changes, field] of cases) {
    const result = readRequest({ model: 'm', input: 'Hi', ...changes } as JsonObject);
    assert.equal(result.kind === 'refused' && result.problem.field, field);
  }
  const next = readRequest({ model: 'm', previous_response_id: 'resp_1' });
  assert.equal(next.kind === 'read' && next.thread.previousId, 'resp_1');
});

test('items are kept with ids and parts, and listed a page at a time', () => {
  const kept = keptItems(
    ['A', 'B', 'C'].map((content) => ({ role: 'user', content })),
    'resp_7',
  );
  const ids = kept.map(({ id }) => id);
  const page = (query: Record<string, string>) => {
    const listed = listItems(JSON.stringify(kept), query);
    assert.equal(listed.kind, 'listed');
    return listed.kind === 'listed' ? listed.list : {};
  };

  assert.deepEqual(ids, ['msg_7_in0', 'msg_7_in1', 'msg_7_in2']);
  assert.deepEqual(kept[0]?.content, [{ type: 'input_text', text: 'A' }]);
  assert.equal(page({}).first_id, ids[2]);
  const first = page({ order: 'asc', limit: '2' });
  assert.deepEqual([first.last_id, first.has_more], [ids[1], true]);
  const rest = page({ order: 'asc', limit: '2', after: String(first.last_id) });
  assert.deepEqual([rest.first_id, rest.last_id, rest.has_more], [ids[2], ids[2], false]);
  for (const query of [{ limit: '0' }, { limit: '101' }, { order: 'up' }, { after: 'msg_x' }]) {
    assert.equal(listItems(JSON.stringify(kept), query).kind, 'refused');
  }
});

test('a shared answer takes the id and the labels of the request that it is given to', () => {
  const shared = { id: 'resp_1', metadata: { who: 'one' }, user: 'u1', output: [1] };
  const own = adoptResponse(shared, { model: 'm', metadata: { who: 'two' } }, 'resp_2');

  assert.equal(own.id, 'resp_2');
  assert.deepEqual(own.metadata, { who: 'two' });
  assert.equal('user' in own, false);
  assert.deepEqual(own.output, [1]);
});
