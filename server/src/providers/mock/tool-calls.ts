/**
 * Decides which tools the mock calls, and with what arguments.
 *
 * A tool is called when `tool_choice` demands it, or when the user's text names it or a word of
 * its name (`get_weather`: "weather"); several that are named are called together, unless
 * `parallel_tool_calls` is false. Results of tools are answered in words, so that a loop of
 * tools ends.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { schemaInstance } from './schema-instance.ts';

export interface ToolCall {
  readonly name: string;
  /** JSON, valid against the tool's parameters. */
  readonly argumentsText: string;
}

interface Tool {
  readonly name: string;
  readonly parameters: JsonValue | undefined;
}

const SHORTEST_WORD = 4;
const MAX_CALLS = 16;
const VERBS = new Set(['call', 'create', 'fetch', 'find', 'list', 'make', 'read', 'send', 'with']);

/** Those in `called` have had their turn. */
export function chooseToolCalls(
  body: JsonObject,
  text: string,
  called: readonly string[] = [],
): ToolCall[] {
  const { mode, tools } = readChoice(body);
  if (mode === 'none') return [];
  const named = tools.filter((tool) => isNamedIn(tool.name, text));
  const chosen = mode === 'required' && named.length === 0 ? tools.slice(0, 1) : named;
  const most = body.parallel_tool_calls === false ? 1 : MAX_CALLS;
  const left = chosen.filter(({ name }) => !called.includes(name));
  return left.slice(0, most).map(({ name, parameters }) => ({
    name,
    argumentsText: JSON.stringify(parameters === undefined ? {} : argumentsFor(parameters, text)),
  }));
}

interface Choice {
  readonly mode: 'none' | 'auto' | 'required';
  readonly tools: readonly Tool[];
}

function readChoice(body: JsonObject): Choice {
  const tools = readTools(body.tools);
  const choice = body.tool_choice;
  if (choice === 'none' || tools.length === 0) return { mode: 'none', tools: [] };
  if (choice === 'required') return { mode: 'required', tools };
  if (!isJsonObject(choice)) return { mode: 'auto', tools };
  if (isJsonObject(choice.function)) {
    const { name } = choice.function;
    return { mode: 'required', tools: tools.filter((tool) => tool.name === name) };
  }
  if (!isJsonObject(choice.allowed_tools)) return { mode: 'auto', tools };
  const allowed = new Set(readTools(choice.allowed_tools.tools).map((tool) => tool.name));
  const mode = choice.allowed_tools.mode === 'required' ? 'required' : 'auto';
  return { mode, tools: tools.filter((tool) => allowed.has(tool.name)) };
}

function readTools(value: JsonValue | undefined): Tool[] {
  const tools: Tool[] = [];
  for (const tool of isJsonArray(value) ? value : []) {
    const inner = isJsonObject(tool) ? tool.function : undefined;
    if (!isJsonObject(inner) || typeof inner.name !== 'string') continue;
    tools.push({ name: inner.name, parameters: inner.parameters });
  }
  return tools;
}

function isNamedIn(name: string, text: string): boolean {
  const plainText = plain(text);
  if (plainText.includes(plain(name))) return true;
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/);
  return words.some((word) => {
    const lower = plain(word);
    return lower.length >= SHORTEST_WORD && !VERBS.has(lower) && plainText.includes(lower);
  });
}

function argumentsFor(parameters: JsonValue, text: string): JsonValue {
  const place = /\b(?:in|at|for|to|en|a|para|de) (\p{Lu}[\p{L}]{1,40}(?: \p{Lu}\p{L}{1,40})?)/u;
  return schemaInstance(parameters, place.exec(text)?.[1] ?? null);
}

/** Lower case, without accents. */
function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
