/**
 * Goal: whatever the client's dialect and the provider's wire, what both can say arrives: roles,
 * names, ids and arguments byte for byte, images and documents, reasons, usage and reasoning.
 * Method: generated conversations and answers through both ends of every pair of wires.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CanonicalChunk } from '../../../src/gateway/index.ts';
import type { ProviderAdapter, ProviderCall } from '../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { chunksOf, joinChunks } from '../../support/round-trip/chunks.ts';
import { both, completion, conversation } from '../../support/round-trip/conversation.ts';
import { viewAnswer, viewRequest } from '../../support/round-trip/view.ts';
import {
  CLIENTS,
  foreignCall,
  responsesWire,
  WIRES,
  type Wire,
} from '../../support/round-trip/wires.ts';

const RUNS = 60;
const gemini = WIRES.find(({ name }) => name === 'gemini') as Wire;
/** A label that means nothing to a model, and stands in every request with a schema. */
const LABELS = new Set(['response_format.json_schema.name']);

for (const client of CLIENTS) {
  for (const provider of WIRES.filter(({ name }) => name !== client.name)) {
    const pair = `${client.name} → ${provider.name}`;
    const can = both(client.can, provider.can);

    test(`${pair}: a request says at the provider what its client said`, () => {
      fc.assert(
        fc.property(conversation(can), fc.boolean(), (body, stream) => {
          const asked = stream ? { ...body, stream } : body;
          const sent = passOn(client, foreignCall(client.adapter, asked));
          const arrived = passOn(provider, {
            ...foreignCall(provider.adapter, body),
            request: sent,
          });

          assert.deepEqual(viewRequest(sent.body, can), viewRequest(body, can));
          assert.deepEqual(viewRequest(arrived.body, can), viewRequest(body, can));
          assert.deepEqual([sent.stream, arrived.stream], [stream, stream]);
        }),
        { numRuns: RUNS },
      );
    });

    test(`${pair}: an answer says to the client what its provider said`, () => {
      fc.assert(
        fc.property(completion(can), (body) => {
          const there = askOf(client, false);
          const bytes = provider.writeAnswer(there.request, body);
          const read = readAnswer(provider.adapter, there, bytes);
          const back = client.writeAnswer(there.request, read.body);
          const call = foreignCall(client.adapter, QUESTION);
          const final = readAnswer(client.adapter, call, back);

          assert.deepEqual(viewAnswer(final.body, can), viewAnswer(body, can));
          assert.equal(read.usage?.inputTokens, final.usage?.inputTokens);
        }),
        { numRuns: RUNS },
      );
    });

    test(`${pair}: a stream says to the client what its provider said`, () => {
      fc.assert(
        fc.property(completion(can), fc.integer({ min: 1, max: 7 }), (body, length) => {
          const there = askOf(client, true);
          const bytes = provider.writeStream(there.request, chunksOf(body, length));
          const read = readStream(provider, there, bytes);
          const back = client.writeStream(there.request, read);
          const call = foreignCall(client.adapter, { ...QUESTION, stream: true });
          const final = joinChunks(readStream(client, call, back));

          const { lines, streamLines } = can;
          const kept = lines && streamLines;
          assert.deepEqual(viewAnswer(final, can, kept), viewAnswer(body, can, kept));
        }),
        { numRuns: RUNS },
      );
    });
  }
}

for (const stream of [false, true]) {
  const how = stream ? 'streamed' : 'plain';

  test(`the signature of a text goes back with it through kept items, ${how}`, () => {
    const parts = [{ text: 'Sunny.' }, { text: '', thoughtSignature: 'c2lnbmVk' }];
    const candidate = { content: { role: 'model', parts }, finishReason: 'STOP', index: 0 };
    const said = JSON.stringify({ candidates: [candidate] });
    const call = askOf(responsesWire, stream);
    const output = stream
      ? responsesWire.writeStream(
          call.request,
          readStream(gemini, call, Buffer.from(`data: ${said}\n\n`)),
        )
      : responsesWire.writeAnswer(
          call.request,
          readAnswer(gemini.adapter, call, Buffer.from(said)).body,
        );
    const [, text = ''] = /^data: (.*"response\.completed".*)$/m.exec(String(output)) ?? [];
    const kept = stream ? JSON.parse(text).response : JSON.parse(String(output));
    const question = { role: 'user', content: 'And tomorrow?' };
    const body = { model: 'm', store: false, input: [...kept.output, question] };
    const request = responsesWire.readRequest({
      ...{ method: 'POST', path: '/v1/responses', headers: {} },
      body: Buffer.from(JSON.stringify(body)),
    });
    const encoded = gemini.adapter.encode({ ...call, request });

    const [before] = JSON.parse(String(encoded.body)).contents;
    assert.deepEqual(before.parts, [{ text: 'Sunny.', thoughtSignature: 'c2lnbmVk' }]);
    assert.deepEqual(encoded.dropped, []);
  });
}

const QUESTION = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

/** Through the adapter to its wire, and read there; nothing of it may be reported as lost. */
function passOn(wire: Wire, call: ProviderCall) {
  const encoded = wire.adapter.encode(call);
  const lost = (encoded.dropped ?? []).filter((field) => !LABELS.has(field));
  assert.deepEqual(lost, []);
  const read = wire.readRequest(encoded);
  assert.deepEqual([read.foreign?.needed ?? [], read.foreign?.dropped ?? []], [[], []]);
  return read;
}

/** A call as a client of the dialect makes it. */
function askOf(client: Wire, stream: boolean): ProviderCall {
  const body = stream ? { ...QUESTION, stream } : QUESTION;
  const call = foreignCall(client.adapter, body);
  return { ...call, request: client.readRequest(client.adapter.encode(call)) };
}

function readAnswer(adapter: ProviderAdapter, call: ProviderCall, bytes: Buffer) {
  const head = { status: 200, headers: { 'content-type': 'application/json' } };
  const answer = adapter.decodeAnswer(call, head, bytes);
  assert.ok(answer.body !== null);
  return { body: answer.body as JsonObject, usage: answer.usage };
}

function readStream(wire: Wire, call: ProviderCall, bytes: Buffer): CanonicalChunk[] {
  const head = { status: 200, headers: { 'content-type': wire.streamType } };
  const decoder = wire.adapter.createStreamDecoder(call, head);
  const frames = [decoder.push(bytes), decoder.end()].filter((frame) => frame !== null);
  assert.equal(frames.filter(({ terminal }) => terminal !== null).length, 1);
  return frames.flatMap(({ chunks }) => chunks ?? []);
}
