/**
 * A client's body with the names of models in it replaced, where it repeats what the path says:
 * outermost, within what is to be counted, and in each request of a batch. A body without any
 * is the very same buffer.
 */
import { type JsonEdit, type JsonMember, scanObject, spliceBytes } from '../../kernel/json.ts';
import { jsonItems } from '../../kernel/json-source.ts';

const MAX_DEPTH = 128;
const NESTED: ReadonlySet<string> = new Set(['generateContentRequest', 'generate_content_request']);

export function rewriteModels(
  bytes: Buffer,
  members: readonly JsonMember[],
  model: string,
): Buffer {
  const edits = members.flatMap((member) => editOf(bytes, member, model));
  return edits.length === 0 ? bytes : spliceBytes(bytes, edits);
}

function editOf(bytes: Buffer, member: JsonMember, model: string): readonly JsonEdit[] {
  const { key, valueStart: start, valueEnd: end } = member;
  if (key === 'model') return [{ start, end, text: JSON.stringify(`models/${model}`) }];
  const value = (): string => bytes.toString('utf8', start, end);
  if (NESTED.has(key)) return [{ start, end, text: renamed(value(), model) }];
  if (key !== 'requests') return [];
  const items = jsonItems(value()).map((item) => renamed(item, model));
  return [{ start, end, text: `[${items.join(',')}]` }];
}

function renamed(text: string, model: string): string {
  const bytes = Buffer.from(text);
  const scan = scanObject(bytes, MAX_DEPTH);
  if (scan.kind !== 'members') return text;
  const named = scan.members.filter(({ key }) => key === 'model');
  const edits = named.flatMap((member) => editOf(bytes, member, model));
  return edits.length === 0 ? text : spliceBytes(bytes, edits).toString('utf8');
}
