/**
 * A canonical answer as a complete message, with every member that clients of this dialect
 * expect. Only the first choice is told: the dialect has one.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import { RawJson, type WritableJson, writeJson } from '../../kernel/json-source.ts';
import { bagOf, listOf, objectOf, textOf } from '../values.ts';
import { writeStopReason } from './stop-reason.ts';
import { fromCanonicalUsage, type TokenCounts, writeMessageUsage } from './usage.ts';

type Block = { readonly [key: string]: WritableJson | undefined };

/** `estimated` stands in where the provider told no usage. */
export function encodeAnswer(body: JsonObject, estimated: TokenCounts): Buffer {
  const choice = objectOf(listOf(body.choices)[0]);
  const message = objectOf(choice.message);
  const content = blocksOf(message);
  const bag = bagOf(choice);
  const counts = fromCanonicalUsage(body.usage, bagOf(body).cache_creation_tokens) ?? estimated;
  return Buffer.from(
    writeJson({
      ...emptyMessage(textOf(body.id), textOf(body.model)),
      content,
      stop_reason: writeStopReason({
        finishReason: textOf(choice.finish_reason),
        stopReason: textOf(message.refusal) === null ? textOf(bag.stop_reason) : 'refusal',
        stopSequence: textOf(bag.stop_sequence),
        calledTools: listOf(message.tool_calls).length > 0,
      }),
      stop_sequence: textOf(bag.stop_sequence),
      usage: writeMessageUsage(counts),
    }),
  );
}

/** A message that says nothing yet. */
export function emptyMessage(id: string | null, model: string | null): JsonObject {
  return {
    id: id ?? '',
    type: 'message',
    role: 'assistant',
    model: model ?? '',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
  };
}

function blocksOf(message: JsonObject): Block[] {
  const blocks: Block[] = [...thoughtsOf(message)];
  for (const text of textsOf(message.content)) blocks.push(textBlock(text));
  const refusal = textOf(message.refusal);
  if (refusal !== null) blocks.push(textBlock(refusal));
  for (const call of listOf(message.tool_calls)) blocks.push(callBlock(objectOf(call)));
  return blocks;
}

function thoughtsOf(message: JsonObject): Block[] {
  const pieces = listOf(bagOf(message).thinking_blocks);
  if (pieces.length > 0) return pieces.map((piece) => thoughtBlock(objectOf(piece)));
  const thinking = textOf(message.reasoning_content) ?? textOf(message.reasoning);
  return thinking === null || thinking === '' ? [] : [thoughtBlock({ thinking })];
}

function thoughtBlock(piece: JsonObject): Block {
  if (piece.type === 'redacted') return { type: 'redacted_thinking', data: piece.data };
  const signature = textOf(piece.signature) ?? '';
  return { type: 'thinking', thinking: textOf(piece.thinking) ?? '', signature };
}

function textsOf(content: JsonValue | undefined): string[] {
  const texts =
    typeof content === 'string'
      ? [content]
      : listOf(content).map((part) => textOf(objectOf(part).text) ?? '');
  return texts.filter((text) => text !== '');
}

function textBlock(text: string): Block {
  return { type: 'text', text, citations: null };
}

function callBlock(call: JsonObject): Block {
  const { name, arguments: written } = objectOf(call.function);
  return {
    type: 'tool_use',
    id: textOf(call.id) ?? '',
    caller: { type: 'direct' },
    name: textOf(name) ?? '',
    input: inputOf(textOf(written) ?? ''),
  };
}

/** A model may be cut off within its arguments; what it wrote is given all the same. */
function inputOf(text: string): WritableJson {
  if (text.trim() === '') return {};
  return isJsonObject(parseJson(text)) ? new RawJson(text) : { INVALID_JSON: text };
}
