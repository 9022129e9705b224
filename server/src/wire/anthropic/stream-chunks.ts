/**
 * The events of a message as canonical chunks. Keeps what later events refer to: the message's
 * id and model, and which block is which call.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { numberOf, objectOf, textOf, withBag } from '../values.ts';
import { endingOf } from './decode-answer.ts';
import type { ChunkBody, UsageBody } from './types.ts';
import { type TokenCounts, toCanonicalUsage } from './usage.ts';

export interface StreamFacts {
  /** Seconds since the epoch, which the wire does not tell. */
  readonly createdSeconds: number;
  /** The tool whose input is the answer's text; null where there is none. */
  readonly answerTool: string | null;
}

interface Block {
  readonly kind: 'text' | 'thinking' | 'answer' | 'other';
}

interface CallBlock {
  readonly kind: 'call';
  /** The place of the call among the calls. */
  readonly call: number;
  /** Text of the arguments has come. */
  written: boolean;
}

export class StreamChunks {
  readonly #facts: StreamFacts;
  readonly #blocks = new Map<number, Block | CallBlock>();
  #id = '';
  #model = '';
  #calls = 0;
  #answered = false;

  constructor(facts: StreamFacts) {
    this.#facts = facts;
  }

  /** The chunk that says what an event says; null where there is nothing to say. */
  of(event: JsonObject): ChunkBody | null {
    switch (event.type) {
      case 'message_start':
        return this.#messageStart(objectOf(event.message));
      case 'content_block_start':
        return this.#blockStart(numberOf(event.index) ?? 0, objectOf(event.content_block));
      case 'content_block_delta':
        return this.#blockDelta(numberOf(event.index) ?? 0, objectOf(event.delta));
      case 'content_block_stop':
        return this.#blockStop(numberOf(event.index) ?? 0);
      case 'message_delta':
        return this.#messageDelta(objectOf(event.delta));
      default:
        return null;
    }
  }

  /** The last chunk; without choices, as those that carry usage are. */
  usage(counts: TokenCounts): ChunkBody {
    const bag = withBag({ cache_creation_tokens: counts.cacheCreation || undefined });
    return { ...this.#chunk([], toCanonicalUsage(counts)), ...bag };
  }

  #messageStart(message: JsonObject): ChunkBody {
    this.#id = textOf(message.id) ?? '';
    this.#model = textOf(message.model) ?? '';
    return this.#say({ role: 'assistant', content: '' });
  }

  #blockStart(index: number, block: JsonObject): ChunkBody | null {
    switch (block.type) {
      case 'text':
        this.#blocks.set(index, { kind: 'text' });
        return this.#text('content', textOf(block.text) ?? '');
      case 'thinking':
        this.#blocks.set(index, { kind: 'thinking' });
        return this.#text('reasoning_content', textOf(block.thinking) ?? '');
      case 'redacted_thinking': {
        this.#blocks.set(index, { kind: 'other' });
        const data = textOf(block.data) ?? '';
        return this.#say({ esclusa: { thinking_blocks: [{ type: 'redacted', data }] } });
      }
      case 'tool_use':
        return this.#callStart(index, block);
      default:
        this.#blocks.set(index, { kind: 'other' });
        return null;
    }
  }

  #callStart(index: number, block: JsonObject): ChunkBody | null {
    const name = textOf(block.name) ?? '';
    const given = Object.keys(objectOf(block.input)).length > 0;
    const text = given ? JSON.stringify(block.input) : '';
    if (name === this.#facts.answerTool) {
      this.#answered = true;
      this.#blocks.set(index, { kind: 'answer' });
      return this.#text('content', text);
    }
    const call = this.#calls;
    this.#calls += 1;
    this.#blocks.set(index, { kind: 'call', call, written: given });
    const id = textOf(block.id) ?? '';
    const named = { index: call, id, type: 'function', function: { name, arguments: text } };
    return this.#say({ tool_calls: [named] });
  }

  #blockDelta(index: number, delta: JsonObject): ChunkBody | null {
    switch (delta.type) {
      case 'text_delta':
        return this.#text('content', textOf(delta.text) ?? '');
      case 'thinking_delta':
        return this.#text('reasoning_content', textOf(delta.thinking) ?? '');
      case 'signature_delta': {
        const signature = textOf(delta.signature) ?? '';
        const thinking_blocks = [{ type: 'thinking', thinking: '', signature }];
        return this.#say({ esclusa: { thinking_blocks } });
      }
      case 'input_json_delta':
        return this.#arguments(index, textOf(delta.partial_json) ?? '');
      default:
        return null;
    }
  }

  #arguments(index: number, text: string): ChunkBody | null {
    const block = this.#blocks.get(index);
    if (block?.kind === 'answer') return this.#text('content', text);
    if (block?.kind !== 'call' || text === '') return null;
    block.written = true;
    return this.#say({ tool_calls: [{ index: block.call, function: { arguments: text } }] });
  }

  /** A call without arguments has an empty object, which the wire leaves out in streams. */
  #blockStop(index: number): ChunkBody | null {
    const block = this.#blocks.get(index);
    if (block?.kind !== 'call' || block.written) return null;
    return this.#say({ tool_calls: [{ index: block.call, function: { arguments: '{}' } }] });
  }

  #messageDelta(delta: JsonObject): ChunkBody | null {
    if (typeof delta.stop_reason !== 'string') return null;
    const { finish_reason, ...bag } = endingOf(delta, this.#answered);
    return this.#chunk([{ index: 0, delta: {}, finish_reason: textOf(finish_reason), ...bag }]);
  }

  #text(member: 'content' | 'reasoning_content', text: string): ChunkBody | null {
    return text === '' ? null : this.#say({ [member]: text });
  }

  #say(delta: JsonObject): ChunkBody {
    return this.#chunk([{ index: 0, delta, finish_reason: null }]);
  }

  #chunk(choices: ChunkBody['choices'], usage?: UsageBody): ChunkBody {
    return {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#facts.createdSeconds,
      model: this.#model,
      choices,
      ...(usage === undefined ? {} : { usage }),
    };
  }
}
