/**
 * Anthropic's messages as canonical ones. A user's message that holds results of tools becomes
 * several: one per result, and one for each run of other blocks between them, in their order.
 * Ids and names stay as they are; a call's `input` keeps its own text.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { compact, listOf, objectOf, textOf, withBag } from '../values.ts';
import { cacheControlOf, decodeContent, decodePart, simplest } from './decode-blocks.ts';
import type { DecodeReport } from './decode-report.ts';
import type { ToolInputs } from './tool-inputs.ts';

export function decodeMessages(
  messages: JsonValue | undefined,
  inputsOf: (message: number) => ToolInputs,
  report: DecodeReport,
): JsonObject[] {
  return listOf(messages).flatMap((item, index) => {
    const message = objectOf(item);
    const path = `messages[${index}].content`;
    if (message.role === 'assistant') {
      return [decodeAssistant(message.content, path, inputsOf(index), report)];
    }
    if (message.role === 'user') return decodeUser(message.content, path, report);
    if (message.role !== 'system') report.need(`messages[${index}].role`);
    return [{ role: 'system', content: decodeContent(message.content, path, report) }];
  });
}

function decodeUser(
  content: JsonValue | undefined,
  path: string,
  report: DecodeReport,
): JsonObject[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const messages: JsonObject[] = [];
  let parts: JsonObject[] = [];
  const endRun = (): void => {
    if (parts.length > 0) messages.push({ role: 'user', content: simplest(parts) });
    parts = [];
  };
  for (const [index, item] of listOf(content).entries()) {
    const block = objectOf(item);
    const place = `${path}[${index}]`;
    if (block.type === 'tool_result') {
      endRun();
      messages.push(decodeResult(block, place, report));
    } else {
      const part = decodePart(block, place, report);
      if (part !== null) parts.push(part);
    }
  }
  endRun();
  return messages;
}

function decodeResult(block: JsonObject, path: string, report: DecodeReport): JsonObject {
  return {
    role: 'tool',
    tool_call_id: textOf(block.tool_use_id) ?? '',
    content: decodeContent(block.content ?? '', `${path}.content`, report),
    ...withBag({
      is_error: block.is_error === true ? true : undefined,
      cache_control: cacheControlOf(block, path, report),
    }),
  };
}

function decodeAssistant(
  content: JsonValue | undefined,
  path: string,
  inputs: ToolInputs,
  report: DecodeReport,
): JsonObject {
  if (typeof content === 'string') return { role: 'assistant', content };
  const parts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const thoughts: JsonObject[] = [];
  for (const [index, item] of listOf(content).entries()) {
    const block = objectOf(item);
    const place = `${path}[${index}]`;
    const thought = decodeThought(block);
    if (thought !== null) {
      thoughts.push(thought);
    } else if (block.type === 'tool_use') {
      const marker = cacheControlOf(block, place, report);
      calls.push({ ...decodeCall(block, inputs.of(index)), ...withBag({ cache_control: marker }) });
    } else {
      const part = decodePart(block, place, report);
      if (part !== null) parts.push(part);
    }
  }
  return compact({
    role: 'assistant',
    content: parts.length === 0 && calls.length > 0 ? null : simplest(parts),
    ...reasoningOf(thoughts),
    tool_calls: calls.length === 0 ? undefined : calls,
  });
}

/** A call in the canonical form; `input` is the text it was written as. */
export function decodeCall(block: JsonObject, input: string | null): JsonObject {
  return {
    id: textOf(block.id) ?? '',
    type: 'function',
    function: {
      name: textOf(block.name) ?? '',
      arguments: input ?? JSON.stringify(block.input ?? {}),
    },
  };
}

/** A thought as the bag holds it; null for a block of another kind. */
export function decodeThought(block: JsonObject): JsonObject | null {
  if (block.type === 'thinking') {
    return compact({
      type: 'thinking',
      thinking: textOf(block.thinking) ?? '',
      signature: textOf(block.signature) ?? undefined,
    });
  }
  if (block.type !== 'redacted_thinking') return null;
  return { type: 'redacted', data: textOf(block.data) ?? '' };
}

/** Thoughts as members of a message: the pieces, and their plain text. */
export function reasoningOf(thoughts: readonly JsonObject[]): JsonObject {
  if (thoughts.length === 0) return {};
  const text = thoughts.map((thought) => textOf(thought.thinking) ?? '').join('');
  return {
    reasoning_content: text === '' ? undefined : text,
    esclusa: { thinking_blocks: thoughts },
  };
}
