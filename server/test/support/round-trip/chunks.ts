/**
 * A complete canonical answer as the chunks of a stream, cut into pieces of given lengths, and
 * chunks put together again.
 */
import type { CanonicalChunk } from '../../../src/gateway/model/canonical.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';

interface Call {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

interface Message {
  readonly content?: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly Call[];
  readonly esclusa?: { readonly thinking_blocks?: readonly { readonly signature?: string }[] };
}

export function chunksOf(body: JsonObject, pieceLength: number): CanonicalChunk[] {
  const { choices, usage, ...rest } = body;
  const [choice] = choices as unknown as readonly { message: Message; finish_reason: string }[];
  const { message, finish_reason } = choice as { message: Message; finish_reason: string };
  const head = { ...rest, object: 'chat.completion.chunk' };
  const chunk = (delta: object, finish: string | null = null) =>
    ({
      ...head,
      choices: [{ index: 0, delta, finish_reason: finish }],
    }) as unknown as CanonicalChunk;
  const chunks = [chunk({ role: 'assistant', content: '' })];
  for (const piece of pieces(message.reasoning_content ?? '', pieceLength)) {
    chunks.push(chunk({ reasoning_content: piece }));
  }
  for (const { signature } of message.esclusa?.thinking_blocks ?? []) {
    const thinking_blocks = [{ type: 'thinking', thinking: '', signature }];
    chunks.push(chunk({ esclusa: { thinking_blocks } }));
  }
  for (const piece of pieces(message.content ?? '', pieceLength)) {
    chunks.push(chunk({ content: piece }));
  }
  for (const [index, { id, type, function: called }] of (message.tool_calls ?? []).entries()) {
    const first = { index, id, type, function: { name: called.name, arguments: '' } };
    chunks.push(chunk({ tool_calls: [first] }));
    for (const piece of pieces(called.arguments, pieceLength)) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  chunks.push(chunk({}, finish_reason));
  chunks.push({ ...head, choices: [], usage } as unknown as CanonicalChunk);
  return chunks;
}

/** As a client of the canonical form would put them together. */
export function joinChunks(chunks: readonly CanonicalChunk[]): JsonObject {
  let content = '';
  let reasoning = '';
  let finish: string | null = null;
  let usage: unknown;
  const calls: Call[] = [];
  const signatures: string[] = [];
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason } of chunk.choices) {
      content += delta.content ?? '';
      reasoning += delta.reasoning_content ?? '';
      finish = finish_reason ?? finish;
      for (const block of delta.esclusa?.thinking_blocks ?? []) {
        if ('signature' in block && block.signature) signatures.push(block.signature);
      }
      for (const { index, id, function: piece } of delta.tool_calls ?? []) {
        calls[index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } };
        const call = calls[index];
        call.id += id ?? '';
        call.function.name += piece?.name ?? '';
        call.function.arguments += piece?.arguments ?? '';
      }
    }
  }
  const message = {
    role: 'assistant',
    content,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(signatures.length === 0
      ? {}
      : { esclusa: { thinking_blocks: signatures.map((signature) => ({ signature })) } }),
  };
  return { choices: [{ message, finish_reason: finish }], usage } as unknown as JsonObject;
}

/** Whole characters only: wires carry JSON texts, and half a pair is no text. */
function pieces(text: string, length: number): string[] {
  const characters = [...text];
  const found: string[] = [];
  for (let at = 0; at < characters.length; at += length) {
    found.push(characters.slice(at, at + length).join(''));
  }
  return found;
}
