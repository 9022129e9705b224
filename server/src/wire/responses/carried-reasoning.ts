/**
 * What other vendors want to see again beside a model's reasoning (signed and hidden thoughts,
 * the signatures of tool calls and of the text), packed into the `encrypted_content` of a
 * reasoning item: the one place of this dialect for what a client keeps and sends back without
 * reading it.
 *
 * It is packed, not encrypted: the provider that signed it judges it when it comes back.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import { listOf, objectOf } from '../values.ts';

export interface CarriedReasoning {
  /** Pieces as the canonical bag holds them in `thinking_blocks`. */
  readonly blocks: readonly JsonObject[];
  /** Signatures by the id of their tool call. */
  readonly calls: Readonly<Record<string, JsonValue | undefined>>;
  /** Signature of the text of the same turn. */
  readonly text?: string;
}

const MARK = 'esclusa.1.';

export function packReasoning({ blocks, calls, text }: CarriedReasoning): string {
  return MARK + Buffer.from(JSON.stringify({ blocks, calls, text })).toString('base64url');
}

/** null for what was not packed here: another vendor's own. */
export function unpackReasoning(value: JsonValue | undefined): CarriedReasoning | null {
  if (typeof value !== 'string' || !value.startsWith(MARK)) return null;
  const packed = parseJson(Buffer.from(value.slice(MARK.length), 'base64url').toString('utf8'));
  if (!isJsonObject(packed)) return null;
  const { blocks, calls, text } = packed;
  return {
    ...{ blocks: listOf(blocks).map(objectOf), calls: objectOf(calls) },
    ...(typeof text === 'string' ? { text } : {}),
  };
}
