/**
 * A request of this dialect in the canonical form, beside what that form could not hold. The
 * request was checked before (`read-request.ts`).
 *
 * Counting tokens has the same members, in the body or within `generateContentRequest`.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { jsonSource } from '../../../kernel/json-source.ts';
import { field, LossNotes, nameOf, objectField, objectsOf, othersThan } from '../fields.ts';
import type { Losses } from '../types.ts';
import { decodeConfig } from './config.ts';
import { decodeContents, decodeInstruction } from './contents.ts';
import { decodeTools } from './tools.ts';

export interface DecodedRequest extends Losses {
  readonly body: JsonObject;
}

export interface RequestSource {
  /** The model as the path names it. */
  readonly model: string;
  readonly stream: boolean;
  readonly body: JsonObject;
  /** The text of the body. */
  text(): string;
}

const CARRIED: ReadonlySet<string> = new Set([
  'contents',
  'generateContentRequest',
  'generationConfig',
  'model',
  'systemInstruction',
  'toolConfig',
  'tools',
]);

/** Members of a request that its answer cannot do without. */
const NEEDED = ['cachedContent', 'continuationToken'] as const;

export function decodeRequest({ model, stream, body, text }: RequestSource): DecodedRequest {
  const notes = new LossNotes();
  const config = objectField(body, 'generationConfig');
  const instruction = decodeInstruction(field(body, 'systemInstruction'), notes);
  const contents = decodeContents(
    objectsOf(body.contents),
    () => jsonSource(text(), ['contents']),
    notes,
  );
  noteOthers(body, notes);
  const before = [cachedMessage(body), instruction].filter((message) => message !== null);
  return {
    body: {
      model,
      messages: [...before, ...contents],
      ...decodeTools(body, notes),
      ...(config === null ? {} : decodeConfig(config, notes)),
      ...(stream ? { stream: true } : {}),
    },
    needed: notes.needed,
    dropped: notes.dropped,
  };
}

/** As a request for an answer: what is to be counted may stand one level deeper. */
export function decodeCountRequest(source: RequestSource): DecodedRequest {
  const name = nameOf(source.body, 'generateContentRequest');
  const inner: JsonValue | undefined = name === null ? undefined : source.body[name];
  if (name === null || !isJsonObject(inner)) return decodeRequest(source);
  const text = (): string => jsonSource(source.text(), [name]) ?? '{}';
  return decodeRequest({ ...source, body: inner, text });
}

/** A prompt that Google keeps stands before everything else, and its tokens are reckoned with. */
function cachedMessage(body: JsonObject): JsonObject | null {
  const name = field(body, 'cachedContent');
  if (name === undefined) return null;
  const file = { type: 'file', file: typeof name === 'string' ? { file_id: name } : {} };
  return { role: 'system', content: [file] };
}

function noteOthers(body: JsonObject, notes: LossNotes): void {
  if (field(body, 'cachedContent') !== undefined) notes.need('cachedContent');
  if (body.continuationToken != null) notes.need('continuationToken');
  if (field(body, 'safetySettings') !== undefined) notes.drop('safetySettings');
  const told = new Set<string>([...CARRIED, ...NEEDED, 'safetySettings']);
  if (othersThan(body, told).length > 0) notes.drop('(others)');
}
