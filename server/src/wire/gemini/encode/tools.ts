/**
 * Canonical tools and the choice among them. Their parameters are JSON Schema on both sides.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { type LossNotes, objectsOf } from '../fields.ts';
import type { Refuse } from './refuse.ts';

export function encodeTools(body: JsonObject, notes: LossNotes, refuse: Refuse): JsonObject {
  const functionDeclarations = objectsOf(body.tools).map((tool, index) => {
    const { function: named } = tool;
    if (tool.type !== 'function' || !isJsonObject(named)) {
      throw refuse({ kind: 'unsupported', field: `tools[${index}].type` });
    }
    if (named.strict === true) notes.drop('tools[].function.strict');
    return declarationOf(named);
  });
  const config = encodeChoice(body.tool_choice, refuse);
  return {
    ...(functionDeclarations.length === 0 ? {} : { tools: [{ functionDeclarations }] }),
    ...(config === null || functionDeclarations.length === 0
      ? {}
      : { toolConfig: { functionCallingConfig: config } }),
  };
}

function declarationOf({ name, description, parameters }: JsonObject): JsonObject {
  return {
    name: name ?? '',
    ...(typeof description === 'string' ? { description } : {}),
    ...(isJsonObject(parameters) ? { parametersJsonSchema: parameters } : {}),
  };
}

/** null where the model chooses, which is this wire's own way as well. */
function encodeChoice(choice: JsonValue | undefined, refuse: Refuse): JsonObject | null {
  switch (choice) {
    case undefined:
    case null:
      return null;
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    default: {
      const named = isJsonObject(choice) && choice.type === 'function' ? choice.function : null;
      if (isJsonObject(named) && typeof named.name === 'string') {
        return { mode: 'ANY', allowedFunctionNames: [named.name] };
      }
      throw refuse({ kind: 'unsupported', field: 'tool_choice' });
    }
  }
}
