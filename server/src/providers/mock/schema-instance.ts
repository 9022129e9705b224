/**
 * A value that is valid against a JSON schema: what the mock gives for structured output and
 * for the arguments of tools. Deterministic; every property that the schema names is filled
 * until it nests too deep, then only required ones.
 *
 * Understood: types, enum, const, bounds, formats and simple patterns, arrays, objects, local
 * `$ref`, and the combinations allOf, anyOf, oneOf (a branch is chosen, never checked against
 * the others). Work is bounded by depth and by the number of values made.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { numberFor } from './number-instance.ts';
import { type Schema, SchemaResolver } from './schema-resolver.ts';
import { textFor } from './text-instance.ts';

/** From here on only what is required is filled in. */
const FULL_DEPTH = 4;
const MAX_DEPTH = 24;
const MAX_VALUES = 5_000;
const MAX_ITEMS = 1_000;

/** `hint` is the text for strings that the schema leaves free; null: the property's name. */
export function schemaInstance(schema: JsonValue | undefined, hint: string | null): JsonValue {
  return new Maker(schema, hint).make(schema ?? true, { name: 'value', index: 0, depth: 0 });
}

interface Place {
  /** The property's name, or the list's. */
  readonly name: string;
  /** Position in a list: makes items differ. */
  readonly index: number;
  readonly depth: number;
}

class Maker {
  readonly #resolver: SchemaResolver;
  readonly #hint: string | null;
  #left = MAX_VALUES;

  constructor(root: JsonValue | undefined, hint: string | null) {
    this.#resolver = new SchemaResolver(root);
    this.#hint = hint;
  }

  make(value: JsonValue, place: Place): JsonValue {
    this.#left -= 1;
    const schema = this.#resolver.resolve(value, this.#mustEnd(place));
    if (schema.const !== undefined) return schema.const;
    if (isJsonArray(schema.enum) && schema.enum.length > 0) {
      return schema.enum[place.index % schema.enum.length] ?? null;
    }
    if (place.depth >= MAX_DEPTH || this.#left <= -MAX_VALUES) return null;
    switch (this.#type(schema, place)) {
      case 'object':
        return this.#object(schema, place);
      case 'array':
        return this.#array(schema, place);
      case 'integer':
        return numberFor(schema, place.index, true);
      case 'number':
        return numberFor(schema, place.index, false);
      case 'boolean':
        return place.index % 2 === 0;
      case 'null':
        return null;
      default:
        return textFor(schema, { name: place.name, index: place.index, hint: this.#hint });
    }
  }

  #mustEnd(place: Place): boolean {
    return place.depth > FULL_DEPTH || this.#left <= 0;
  }

  #type(schema: Schema, place: Place): string {
    const named = isJsonArray(schema.type) ? schema.type : [schema.type];
    const types = named.filter((type) => typeof type === 'string');
    if (this.#mustEnd(place) && types.includes('null')) return 'null';
    return types.find((type) => type !== 'null') ?? types[0] ?? typeByKeywords(schema);
  }

  #object(schema: Schema, place: Place): JsonObject {
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const required = isJsonArray(schema.required) ? schema.required.map(String) : [];
    const names = this.#mustEnd(place) ? required : [...Object.keys(properties), ...required];
    const members = new Map<string, JsonValue>();
    const fill = (name: string, value: JsonValue): void => {
      members.set(name, this.make(value, { name, index: 0, depth: place.depth + 1 }));
    };
    const others = schema.additionalProperties ?? true;
    for (const name of new Set(names)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : others;
      if (own !== undefined && (own !== false || required.includes(name))) fill(name, own);
    }
    const wanted = Math.min(asCount(schema.minProperties) ?? 0, MAX_ITEMS);
    for (const name of Object.keys(properties)) {
      if (members.size < wanted && !members.has(name)) fill(name, properties[name] ?? true);
    }
    for (let i = 1; members.size < wanted && others !== false; i += 1) fill(`key${i}`, others);
    return Object.fromEntries(members);
  }

  #array(schema: Schema, place: Place): JsonValue[] {
    const fixed = isJsonArray(schema.prefixItems) ? schema.prefixItems : [];
    const items = isJsonArray(schema.items) ? true : (schema.items ?? true);
    const first = schema.contains;
    const most = items === false ? fixed.length : (asCount(schema.maxItems) ?? MAX_ITEMS);
    const usual = this.#mustEnd(place) ? 0 : Math.max(fixed.length, schema.items === false ? 0 : 1);
    const least = Math.max(asCount(schema.minItems) ?? 0, first === undefined ? 0 : 1);
    const length = Math.min(Math.max(usual, least), most, MAX_ITEMS);
    return Array.from({ length }, (_, index) => {
      const item = fixed[index] ?? (index === fixed.length && first !== undefined ? first : items);
      return this.make(item, { name: place.name, index, depth: place.depth + 1 });
    });
  }
}

function typeByKeywords(schema: Schema): string {
  const has = (...names: string[]): boolean => names.some((name) => schema[name] !== undefined);
  if (has('properties', 'required', 'additionalProperties', 'minProperties')) return 'object';
  if (has('items', 'prefixItems', 'minItems', 'contains')) return 'array';
  if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) {
    return 'number';
  }
  return 'string';
}

function asCount(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && value >= 0 ? Math.ceil(value) : null;
}
