/**
 * What a tool gave back: a text in the canonical form, an object on this wire.
 *
 * The two functions undo each other, byte for byte, in both directions: an object keeps its
 * members where its compact text is the canonical content; any other text is wrapped as
 * `{"output": text}`, or `{"error": text}` where the tool failed.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';

export interface ToolResult {
  readonly content: string;
  readonly isError: boolean;
}

/** No nesting of results in results goes deeper; what does is wrapped. */
const MAX_DEPTH = 8;

export function toResponse(result: ToolResult): JsonObject {
  return toResponseAt(result, 0);
}

export function toResult(response: JsonObject): ToolResult {
  return toResultAt(response, 0);
}

function toResponseAt({ content, isError }: ToolResult, depth: number): JsonObject {
  if (isError) return { error: content };
  const parsed = depth < MAX_DEPTH ? compactObject(content) : null;
  if (parsed !== null) {
    const back = toResultAt(parsed, depth + 1);
    if (!back.isError && back.content === content) return parsed;
  }
  return { output: content };
}

function toResultAt(response: JsonObject, depth: number): ToolResult {
  const { output, error } = response;
  const single = Object.keys(response).length === 1;
  if (single && typeof error === 'string') return { content: error, isError: true };
  if (single && typeof output === 'string') {
    const wrapped = toResponseAt({ content: output, isError: false }, depth + 1);
    if (wrapped.output === output && Object.keys(wrapped).length === 1) {
      return { content: output, isError: false };
    }
  }
  return { content: JSON.stringify(response), isError: false };
}

/** The object of a text that is its compact form, to the byte. */
function compactObject(text: string): JsonObject | null {
  if (!text.startsWith('{')) return null;
  const value = parseJson(text);
  return isJsonObject(value) && JSON.stringify(value) === text ? value : null;
}
