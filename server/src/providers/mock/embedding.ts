/**
 * Embeddings without a model: each word of a text moves a few coordinates, chosen by its hash.
 * Texts that share words lie near each other, equal texts give equal vectors, and every vector
 * has length one.
 */
import { isJsonArray, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { AnswerHead } from './encode-bodies.ts';
import { hashText } from './prose.ts';
import { countTokens } from './tokens.ts';

const DEFAULT_DIMENSIONS = 1_536;
const MAX_DIMENSIONS = 4_096;
const MAX_INPUTS = 2_048;
const COORDINATES_PER_WORD = 8;

export interface EmbeddingProblem {
  readonly field: string;
  readonly message: string;
}

/** What this model does not accept; null where it accepts the request. */
export function checkEmbedding(body: JsonObject): EmbeddingProblem | null {
  const { dimensions, encoding_format: format } = body;
  if (dimensions != null && !isDimensions(dimensions)) {
    const message = `\`dimensions\` must be an integer from 1 to ${MAX_DIMENSIONS}.`;
    return { field: 'dimensions', message };
  }
  if (format != null && format !== 'float' && format !== 'base64') {
    return { field: 'encoding_format', message: '`encoding_format` must be "float" or "base64".' };
  }
  if (inputTexts(body.input).length > MAX_INPUTS) {
    return { field: 'input', message: `\`input\` must hold at most ${MAX_INPUTS} texts.` };
  }
  return null;
}

export function encodeEmbeddings(head: AnswerHead, body: JsonObject): JsonObject {
  const texts = inputTexts(body.input);
  const dimensions = isDimensions(body.dimensions) ? body.dimensions : DEFAULT_DIMENSIONS;
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  return {
    object: 'list',
    data: texts.map((text, index) => {
      const vector = embed(text, dimensions);
      const embedding = body.encoding_format === 'base64' ? toBase64(vector) : [...vector];
      return { object: 'embedding', index, embedding };
    }),
    model: head.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

export function embed(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    let state = hashText(word) || 1;
    for (let i = 0; i < COORDINATES_PER_WORD; i += 1) {
      state = nextState(state);
      const at = state % dimensions;
      sums[at] = (sums[at] ?? 0) + (state & 0x10000 ? 1 : -1);
    }
  }
  let length = Math.hypot(...sums);
  if (length === 0) {
    sums[hashText(text) % dimensions] = 1; // every step was taken back
    length = 1;
  }
  return Float32Array.from(sums, (sum) => sum / length);
}

/** Marsaglia's xorshift over 32 bits, without sign. */
function nextState(state: number): number {
  let next = state ^ (state << 13);
  next ^= next >>> 17;
  next ^= next << 5;
  return next >>> 0;
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString('base64');
}

function isDimensions(value: JsonValue | undefined): value is number {
  const whole = typeof value === 'number' && Number.isInteger(value);
  return whole && value >= 1 && value <= MAX_DIMENSIONS;
}

function inputTexts(input: JsonValue | undefined): string[] {
  if (!isJsonArray(input)) return [String(input)];
  if (typeof input[0] === 'number') return [input.join(' ')];
  return input.map((item) => (isJsonArray(item) ? item.join(' ') : String(item)));
}
