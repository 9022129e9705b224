/**
 * Embeddings in both directions. The canonical form is OpenAI's: a text or a list of texts in,
 * a list of vectors out. This wire has one call for one content and one for many, so the
 * canonical `input` is a text for the one and a list for the other.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ProviderUsage } from '../decoded.ts';
import { field, LossNotes, objectsOf, othersThan } from './fields.ts';
import type { Losses } from './types.ts';

export interface DecodedEmbedding extends Losses {
  readonly body: JsonObject;
}

const CARRIED: ReadonlySet<string> = new Set(['content', 'model', 'outputDimensionality']);

/** `embedContent`: one content. */
export function decodeEmbedRequest(model: string, body: JsonObject): DecodedEmbedding {
  const notes = new LossNotes();
  const input = inputOf(body, '', notes);
  return embedding(model, input, field(body, 'outputDimensionality'), notes);
}

/** `batchEmbedContents`: many; a dimension that is not the same for all cannot be said. */
export function decodeBatchEmbedRequest(model: string, body: JsonObject): DecodedEmbedding {
  const notes = new LossNotes();
  const requests = objectsOf(body.requests);
  const input = requests.map((request, index) => inputOf(request, `requests[${index}].`, notes));
  const dimensions = requests.map((request) => field(request, 'outputDimensionality'));
  if (new Set(dimensions).size > 1) notes.need('requests[].outputDimensionality');
  return embedding(model, input, dimensions[0], notes);
}

/** A canonical answer as `embedContent` gives it. */
export function encodeEmbedAnswer(body: JsonObject): JsonObject {
  const [first] = vectorsOf(body);
  return { embedding: { values: first ?? [] } };
}

/** A canonical answer as `batchEmbedContents` gives it. */
export function encodeBatchEmbedAnswer(body: JsonObject): JsonObject {
  return { embeddings: vectorsOf(body).map((values) => ({ values })) };
}

/** The body of `batchEmbedContents` for canonical input; null for input that is no text. */
export function encodeEmbedRequest(model: string, body: JsonObject): JsonObject | null {
  const { input, dimensions } = body;
  const texts = isJsonArray(input) ? input : [input];
  if (!texts.every((text) => typeof text === 'string')) return null;
  return {
    requests: texts.map((text) => ({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      ...(typeof dimensions === 'number' ? { outputDimensionality: dimensions } : {}),
    })),
  };
}

/** The vectors of an answer of either call; null where it is none. */
export function readVectors(body: JsonObject): readonly JsonValue[] | null {
  const list = isJsonObject(body.embedding) ? [body.embedding] : body.embeddings;
  if (!isJsonArray(list)) return null;
  const vectors = list.map((item) => (isJsonObject(item) ? item.values : undefined));
  return vectors.every(isJsonArray) ? (vectors as readonly JsonValue[]) : null;
}

export interface VectorsAsked {
  readonly model: string;
  /** As numbers of 32 bits in base 64, which is how OpenAI's own client asks for them. */
  readonly isBase64: boolean;
  readonly usage: ProviderUsage | null;
}

/** Vectors as a canonical answer. */
export function decodeVectors(
  vectors: readonly JsonValue[],
  { model, isBase64, usage }: VectorsAsked,
): JsonObject {
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: isBase64 ? toBase64(vector) : vector,
  }));
  if (usage === null) return { object: 'list', data, model };
  const { inputTokens } = usage;
  const told = { prompt_tokens: inputTokens, total_tokens: inputTokens };
  return { object: 'list', data, model, usage: told };
}

const BYTES_PER_NUMBER = 4;

function toBase64(vector: JsonValue): string {
  const numbers = isJsonArray(vector) ? vector : [];
  const bytes = Buffer.alloc(numbers.length * BYTES_PER_NUMBER);
  for (const [index, number] of numbers.entries()) {
    bytes.writeFloatLE(Number(number), index * BYTES_PER_NUMBER);
  }
  return bytes.toString('base64');
}

function embedding(
  model: string,
  input: JsonValue,
  dimensions: JsonValue | undefined,
  { needed, dropped }: LossNotes,
): DecodedEmbedding {
  const body = {
    model,
    input,
    encoding_format: 'float',
    ...(dimensions == null ? {} : { dimensions }),
  };
  return { body, needed, dropped };
}

function inputOf(request: JsonObject, path: string, notes: LossNotes): string {
  if (othersThan(request, CARRIED).length > 0) notes.drop(`${path}(others)`);
  const content = isJsonObject(request.content) ? request.content : {};
  const texts: string[] = [];
  for (const part of objectsOf(content.parts)) {
    if (typeof part.text === 'string') texts.push(part.text);
    else notes.need(`${path}content.parts`);
  }
  return texts.join('\n');
}

function vectorsOf(body: JsonObject): readonly JsonValue[] {
  return objectsOf(body.data).map(({ embedding: values }) => values ?? []);
}
