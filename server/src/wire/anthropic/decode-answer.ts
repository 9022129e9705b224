/**
 * A complete message as a canonical answer. Blocks that only the vendor's own tools produce are
 * passed over: no client of another dialect can have asked for them.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { compact, listOf, objectOf, textOf, withBag } from '../values.ts';
import { decodeCall, decodeThought, reasoningOf } from './decode-messages.ts';
import { readStopReason } from './stop-reason.ts';
import type { ToolInputs } from './tool-inputs.ts';
import { readUsage, toCanonicalUsage } from './usage.ts';

export interface AnswerFacts {
  /** Seconds since the epoch, which the wire does not tell. */
  readonly createdSeconds: number;
  /** The tool whose input is the answer's text; null where there is none. */
  readonly answerTool: string | null;
}

export function decodeAnswer(message: JsonObject, inputs: ToolInputs, facts: AnswerFacts) {
  const content = decodeContent(message, inputs, facts.answerTool);
  const counts = readUsage(message.usage);
  return compact({
    id: textOf(message.id) ?? '',
    object: 'chat.completion',
    created: facts.createdSeconds,
    model: textOf(message.model) ?? '',
    choices: [
      {
        index: 0,
        message: content.message,
        ...endingOf(message, content.isAnswerTool),
      },
    ],
    usage: counts === null ? undefined : { ...toCanonicalUsage(counts) },
    ...withBag({ cache_creation_tokens: counts?.cacheCreation || undefined }),
  });
}

/** `finish_reason` and the bag of a choice. */
export function endingOf(holder: JsonObject, isAnswerTool: boolean): JsonObject {
  const reason = textOf(holder.stop_reason) ?? 'end_turn';
  const { canonical } = readStopReason(reason);
  return {
    finish_reason: isAnswerTool && canonical === 'tool_calls' ? 'stop' : canonical,
    ...withBag({
      stop_reason: isAnswerTool ? undefined : reason,
      stop_sequence: textOf(holder.stop_sequence) ?? undefined,
    }),
  };
}

function decodeContent(message: JsonObject, inputs: ToolInputs, answerTool: string | null) {
  const calls: JsonObject[] = [];
  const thoughts: JsonObject[] = [];
  let text: string | null = null;
  let isAnswerTool = false;
  for (const [index, item] of listOf(message.content).entries()) {
    const block = objectOf(item);
    const thought = decodeThought(block);
    if (thought !== null) {
      thoughts.push(thought);
    } else if (block.type === 'text') {
      text = (text ?? '') + (textOf(block.text) ?? '');
    } else if (block.type === 'tool_use' && block.name === answerTool) {
      text = (text ?? '') + (inputs.of(index) ?? '{}');
      isAnswerTool = true;
    } else if (block.type === 'tool_use') {
      calls.push(decodeCall(block, inputs.of(index)));
    }
  }
  return {
    isAnswerTool,
    message: compact({
      role: 'assistant',
      content: text,
      refusal: null,
      ...reasoningOf(thoughts),
      tool_calls: calls.length === 0 ? undefined : calls,
    }),
  };
}
