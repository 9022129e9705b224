/**
 * Items of a conversation as canonical messages. What a model said in one turn (reasoning, text,
 * calls of tools) is several items here and one message there.
 *
 * Ids, names and arguments of calls stay as they are. An item that this program cannot put into
 * a message is reported as needed: leaving it out would change the conversation.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { DecodeReport } from '../anthropic/decode-report.ts';
import { compact, listOf, objectOf, textOf, withBag } from '../values.ts';
import { unpackReasoning } from './carried-reasoning.ts';
import { decodeContent, decodeParts } from './decode-content.ts';

/** The items of `input`, one text standing for one message. */
export function itemsOf(input: JsonValue | undefined): readonly JsonObject[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return listOf(input).map(objectOf);
}

/** `ownFrom`: the first item that is the client's own, after those it went on from. */
export function decodeItems(
  items: readonly JsonObject[],
  report: DecodeReport,
  ownFrom = 0,
): JsonObject[] {
  const signatures = new Map<string, JsonValue | undefined>();
  for (const { encrypted_content: packed } of items) {
    const calls = unpackReasoning(packed)?.calls ?? {};
    for (const [id, signature] of Object.entries(calls)) signatures.set(id, signature);
  }
  const decoder = new Decoder(report, signatures);
  for (const [index, item] of items.entries()) {
    const own = index - ownFrom;
    decoder.take(item, own < 0 ? 'previous_response_id' : `input[${own}]`);
  }
  return decoder.end();
}

interface Turn {
  parts: JsonObject[];
  readonly calls: JsonObject[];
  readonly blocks: JsonObject[];
  reasoning: string;
  /** Of its text. */
  signature: string | undefined;
}

class Decoder {
  readonly #report: DecodeReport;
  readonly #signatures: ReadonlyMap<string, JsonValue | undefined>;
  readonly #messages: JsonObject[] = [];
  /** What the model said since somebody else did. */
  #turn: Turn | null = null;

  constructor(report: DecodeReport, signatures: ReadonlyMap<string, JsonValue | undefined>) {
    this.#report = report;
    this.#signatures = signatures;
  }

  take(item: JsonObject, path: string): void {
    switch (item.type) {
      case undefined:
      case null:
      case 'message':
        this.#takeMessage(item, path);
        return;
      case 'reasoning':
        this.#takeReasoning(item, path);
        return;
      case 'function_call':
        this.#openTurn().calls.push(this.#call(item));
        return;
      case 'function_call_output':
        this.#closeTurn();
        this.#messages.push({
          role: 'tool',
          tool_call_id: textOf(item.call_id) ?? '',
          content: decodeContent(item.output, `${path}.output`, this.#report),
        });
        return;
      default:
        this.#report.need(path);
    }
  }

  end(): JsonObject[] {
    this.#closeTurn();
    return this.#messages;
  }

  #takeMessage(item: JsonObject, path: string): void {
    const content = item.content;
    if (item.role === 'assistant') {
      const said = this.#turn;
      if (said !== null && said.parts.length > 0 && said.calls.length === 0) this.#closeTurn();
      this.#openTurn().parts.push(...decodeParts(content, `${path}.content`, this.#report));
      return;
    }
    this.#closeTurn();
    const isKnown = item.role === 'user' || item.role === 'system' || item.role === 'developer';
    if (!isKnown) this.#report.need(`${path}.role`);
    const role = isKnown ? item.role : 'user';
    const said = decodeContent(content, `${path}.content`, this.#report);
    this.#messages.push({ role, content: said });
  }

  #takeReasoning(item: JsonObject, path: string): void {
    const turn = this.#openTurn();
    const packed = unpackReasoning(item.encrypted_content);
    if (packed === null && item.encrypted_content != null) {
      this.#report.drop(`${path}.encrypted_content`);
    }
    turn.blocks.push(...(packed?.blocks ?? []));
    turn.signature = packed?.text ?? turn.signature;
    const said = [...listOf(item.summary), ...listOf(item.content)];
    turn.reasoning += said.map((part) => textOf(objectOf(part).text) ?? '').join('\n\n');
  }

  #call(item: JsonObject): JsonObject {
    const id = textOf(item.call_id) ?? '';
    return {
      id,
      type: 'function',
      function: { name: textOf(item.name) ?? '', arguments: textOf(item.arguments) ?? '' },
      ...withBag({ signature: this.#signatures.get(id) }),
    };
  }

  #openTurn(): Turn {
    this.#turn ??= { parts: [], calls: [], blocks: [], reasoning: '', signature: undefined };
    return this.#turn;
  }

  #closeTurn(): void {
    const turn = this.#turn;
    this.#turn = null;
    if (turn === null) return;
    const { parts, calls, blocks, reasoning, signature } = turn;
    if (parts.length === 0 && calls.length === 0) return; // thoughts that led to nothing
    const refusal = parts.every((part) => part.type === 'refusal') ? parts[0]?.refusal : undefined;
    this.#messages.push(
      compact({
        role: 'assistant',
        content: refusal !== undefined || parts.length === 0 ? null : simplest(parts),
        refusal,
        reasoning_content: reasoning === '' ? undefined : reasoning,
        tool_calls: calls.length === 0 ? undefined : calls,
        ...withBag({ thinking_blocks: blocks.length === 0 ? undefined : blocks, signature }),
      }),
    );
  }
}

function simplest(parts: readonly JsonObject[]): JsonValue {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? (textOf(only.text) ?? '') : parts;
}
