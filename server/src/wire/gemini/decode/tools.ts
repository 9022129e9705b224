/**
 * Tools and the choice among them, as canonical ones. Functions are all that the canonical form
 * knows; tools that Google runs itself are needed by who asks for them, and only Google has them.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../../../kernel/json.ts';
import { field, type LossNotes, nameOf, objectField, objectsOf, othersThan } from '../fields.ts';
import { toJsonSchema } from '../schema.ts';

const TOOL_MEMBERS: ReadonlySet<string> = new Set(['functionDeclarations']);
const FUNCTION_MEMBERS: ReadonlySet<string> = new Set([
  'name',
  'description',
  'parameters',
  'parametersJsonSchema',
]);
const CONFIG_MEMBERS: ReadonlySet<string> = new Set(['functionCallingConfig']);

export function decodeTools(body: JsonObject, notes: LossNotes): JsonObject {
  const functions = objectsOf(body.tools).flatMap((tool, index) =>
    decodeTool(tool, `tools[${index}]`, notes),
  );
  const toolConfig = objectField(body, 'toolConfig');
  if (toolConfig !== null && othersThan(toolConfig, CONFIG_MEMBERS).length > 0) {
    notes.drop('toolConfig (others)');
  }
  if (functions.length === 0) return {};
  const config = toolConfig === null ? null : objectField(toolConfig, 'functionCallingConfig');
  if (config === null) return { tools: functions };
  return choose(functions, config, notes);
}

function decodeTool(tool: JsonObject, path: string, notes: LossNotes): readonly JsonObject[] {
  if (othersThan(tool, TOOL_MEMBERS).length > 0) notes.need(path);
  return objectsOf(field(tool, 'functionDeclarations')).map((declaration, index) => {
    const at = `${path}.functionDeclarations[${index}]`;
    if (othersThan(declaration, FUNCTION_MEMBERS).length > 0) notes.drop(`${at} (others)`);
    const name = typeof declaration.name === 'string' ? declaration.name : '';
    const parameters = parametersOf(declaration);
    return {
      type: 'function',
      function: {
        name,
        ...(typeof declaration.description === 'string'
          ? { description: declaration.description }
          : {}),
        ...(parameters === null ? {} : { parameters }),
      },
    };
  });
}

function parametersOf(declaration: JsonObject): JsonObject | null {
  const schema = field(declaration, 'parametersJsonSchema');
  if (isJsonObject(schema)) return schema;
  return isJsonObject(declaration.parameters) ? toJsonSchema(declaration.parameters) : null;
}

/**
 * A choice among some of the functions is one among all of a shorter list; that of a single one
 * names it, and the others stay.
 */
function choose(
  functions: readonly JsonObject[],
  config: JsonObject,
  notes: LossNotes,
): JsonObject {
  const allowed = field(config, 'allowedFunctionNames');
  const names = isJsonArray(allowed) ? allowed : [];
  const mode = typeof config.mode === 'string' ? config.mode : 'AUTO';
  const offered = names.length === 0 ? functions : functions.filter(isAmong(names));
  const [only] = offered;
  if (mode === 'ANY' && names.length > 0 && offered.length === 1 && only !== undefined) {
    return { tools: functions, tool_choice: named(only) };
  }
  const tools = mode === 'ANY' || mode === 'VALIDATED' ? offered : functions;
  if (tools.length === 0) {
    notes.need(`toolConfig.functionCallingConfig.${nameOf(config, 'allowedFunctionNames')}`);
  }
  if (mode === 'VALIDATED') notes.drop('toolConfig.functionCallingConfig.mode');
  return { tools, tool_choice: choiceOf(mode, tools) };
}

function isAmong(names: readonly JsonValue[]): (tool: JsonObject) => boolean {
  return (tool) => isJsonObject(tool.function) && names.includes(tool.function.name ?? null);
}

function choiceOf(mode: string, tools: readonly JsonObject[]): JsonValue {
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return 'auto';
  const [only] = tools;
  return tools.length === 1 && only !== undefined ? named(only) : 'required';
}

function named({ function: described }: JsonObject): JsonObject {
  const name = isJsonObject(described) ? described.name : undefined;
  return { type: 'function', function: { name: name ?? '' } };
}
