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
  return {
    body: {
      model,
      messages: instruction === null ? contents : [instruction, ...contents],
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

function noteOthers(body: JsonObject, notes: LossNotes): void {
  if (field(body, 'cachedContent') !== undefined) notes.need('cachedContent');
  if (body.continuationToken != null) notes.need('continuationToken');
  if (field(body, 'safetySettings') !== undefined) notes.drop('safetySettings');
  const told = new Set<string>([...CARRIED, ...NEEDED, 'safetySettings']);
  if (othersThan(body, told).length > 0) notes.drop('(others)');
}
