/**
 * Google's own `Schema` (an OpenAPI subset: types in capitals, `nullable`, limits as texts) as
 * the JSON Schema that the canonical form and every other vendor know.
 *
 * The other direction needs no translation: the API takes JSON Schema in fields of its own.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

const LIMITS: ReadonlySet<string> = new Set([
  'maxItems',
  'minItems',
  'maxLength',
  'minLength',
  'maxProperties',
  'minProperties',
]);

/** Members that say nothing about which values fit, or that were translated beside others. */
const LEFT_OUT: ReadonlySet<string> = new Set(['nullable', 'propertyOrdering', 'example', 'type']);

/** Deeper ones are kept as they are: requests have a bound of their own. */
const MAX_DEPTH = 64;

export function toJsonSchema(schema: JsonObject): JsonObject {
  return convert(schema, 0);
}

function convert(schema: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return schema;
  const result: Record<string, JsonValue | undefined> = {};
  const type = typeOf(schema);
  if (type !== undefined) result.type = type;
  for (const [given, value] of Object.entries(schema)) {
    const name = CAMEL[given] ?? given;
    if (!LEFT_OUT.has(name)) result[name] = member(name, value, depth);
  }
  if (schema.nullable === true && type === undefined && isJsonArray(result.anyOf)) {
    result.anyOf = [...result.anyOf, { type: 'null' }];
  }
  if (schema.nullable === true && isJsonArray(result.enum)) result.enum = [...result.enum, null];
  if (result.format === 'enum') delete result.format;
  return result;
}

const CAMEL: Readonly<Record<string, string>> = {
  any_of: 'anyOf',
  max_items: 'maxItems',
  min_items: 'minItems',
  max_length: 'maxLength',
  min_length: 'minLength',
  max_properties: 'maxProperties',
  min_properties: 'minProperties',
  property_ordering: 'propertyOrdering',
};

function member(name: string, value: JsonValue | undefined, depth: number): JsonValue | undefined {
  if (LIMITS.has(name)) return typeof value === 'string' ? Number(value) : value;
  if (name === 'items' && isJsonObject(value)) return convert(value, depth + 1);
  if (name === 'properties' && isJsonObject(value)) {
    const converted = Object.entries(value).map(([key, schema]) => [
      key,
      isJsonObject(schema) ? convert(schema, depth + 1) : schema,
    ]);
    return Object.fromEntries(converted) as JsonObject;
  }
  if (name === 'anyOf' && isJsonArray(value)) {
    return value.map((schema) => (isJsonObject(schema) ? convert(schema, depth + 1) : schema));
  }
  return value;
}

function typeOf(schema: JsonObject): JsonValue | undefined {
  const { type } = schema;
  if (typeof type !== 'string' || type === 'TYPE_UNSPECIFIED') return undefined;
  const name = type.toLowerCase();
  return schema.nullable === true ? [name, 'null'] : name;
}
