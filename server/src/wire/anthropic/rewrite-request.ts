/**
 * The client's own bytes with the little changed that the provider must see differently: the
 * model's name, and a limit of the answer where the client gave none, which the provider
 * demands. Where nothing changes the very same buffer is returned.
 */
import { type JsonMember, spliceBytes } from '../../kernel/json.ts';

export interface RewritableRequest {
  readonly model: string;
  readonly bytes: Buffer;
  readonly members: readonly JsonMember[];
}

export interface RequestChanges {
  /** The model's name at the provider. */
  readonly model: string;
  /** Added where the client has no such member; null: never. */
  readonly maxTokens: number | null;
}

export function rewriteRequest(request: RewritableRequest, changes: RequestChanges): Buffer {
  const { members, bytes } = request;
  const edits = members
    .filter(({ key }) => key === 'model' && changes.model !== request.model)
    .map(({ valueStart, valueEnd }) => ({
      start: valueStart,
      end: valueEnd,
      text: JSON.stringify(changes.model),
    }));
  const last = members.at(-1);
  const hasLimit = members.some(({ key }) => key === 'max_tokens');
  if (changes.maxTokens !== null && !hasLimit && last !== undefined) {
    const text = `,"max_tokens":${changes.maxTokens}`;
    edits.push({ start: last.valueEnd, end: last.valueEnd, text });
  }
  return edits.length === 0 ? bytes : spliceBytes(bytes, edits);
}
