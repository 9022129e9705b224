/**
 * The mock behind the real adapter, in memory, with a clock moved by hand and a fixed seed.
 */
import assert from 'node:assert/strict';
import type { PlainAnswer, StreamFrame } from '../../../../src/gateway/index.ts';
import type { UpstreamTimeouts } from '../../../../src/gateway/ports/upstream.ts';
import type { JsonObject, JsonValue } from '../../../../src/kernel/json.ts';
import {
  createInProcessUpstream,
  createProviderAdapter,
  type ProviderConnection,
} from '../../../../src/providers/registry.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { createSeededRandom } from '../../../support/seeded-random.ts';

const TIMEOUTS: UpstreamTimeouts = { firstByteMs: 60_000, idleMs: 30_000 };
const NEVER = new AbortController().signal;

export type Operation = 'chat' | 'completion' | 'embedding';

export function createMock(connection = { firstTokenDelayMs: 0, tokenDelayMs: 0 }) {
  const provider: ProviderConnection = { kind: 'mock', connection };
  const clock = createManualClock();
  const random = createSeededRandom(42);
  const adapter = createProviderAdapter(provider);
  const upstream = createInProcessUpstream(provider, { clock, random });
  assert.ok(upstream !== null);

  const send = (operation: Operation, body: JsonObject, signal = NEVER, timeouts = TIMEOUTS) => {
    const call = providerCall(operation, body, String(body.model));
    return upstream.send(adapter.encode(call), timeouts, signal);
  };

  return {
    clock,
    adapter,
    upstream,
    send,

    /** The whole answer, or the coded error that stands for it. */
    async plain(operation: Operation, body: JsonObject): Promise<PlainAnswer> {
      const call = providerCall(operation, body, String(body.model));
      const response = await send(operation, body);
      const bytes = await response.body.collect(10_000_000);
      if (response.status !== 200) throw adapter.decodeError(response, bytes);
      return adapter.decodeAnswer(call, response, bytes);
    },

    async stream(operation: Operation, body: JsonObject): Promise<StreamFrame[]> {
      const streamed = { ...body, stream: true };
      const call = providerCall(operation, streamed, String(body.model));
      const response = await send(operation, streamed);
      if (response.status !== 200) {
        throw adapter.decodeError(response, await response.body.collect(100_000));
      }
      const decoder = adapter.createStreamDecoder(call, response);
      const frames: (StreamFrame | null)[] = [];
      for await (const chunk of response.body) frames.push(decoder.push(chunk));
      frames.push(decoder.end());
      return frames.filter((frame) => frame !== null);
    },

    /** The events as their JSON, and the usage chunk asked for. */
    async chunks(operation: Operation, body: JsonObject): Promise<JsonObject[]> {
      const asked = { ...body, stream: true, stream_options: { include_usage: true } };
      const response = await send(operation, asked);
      const text = (await response.body.collect(10_000_000)).toString();
      const events = text.split('\n\n').filter((event) => event !== '');
      assert.equal(events.at(-1), 'data: [DONE]');
      return events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)));
    },
  };
}

export function chat(content: JsonValue, more: JsonObject = {}): JsonObject {
  return { model: 'mock', messages: [{ role: 'user', content }], ...more };
}

/** Walks to a value in a body by keys and positions. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) here = (here as Record<string | number, unknown> | undefined)?.[step];
  return here;
}

export function texts(answer: PlainAnswer): string[] {
  const choices = at(answer.body, 'choices') as unknown[];
  return choices.map((choice) => String(at(choice, 'message', 'content') ?? at(choice, 'text')));
}
