/**
 * One schema without its indirections: local references followed, `allOf` merged in, one
 * branch of `anyOf` and `oneOf` chosen.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

export type Schema = JsonObject;

const MAX_STEPS = 32;
/** Schemas looked at in all: references can multiply without end. */
const MAX_WORK = 50_000;
const MAX_NESTING = 32;
const BRANCHES = ['anyOf', 'oneOf'] as const;
/** Keywords of two merged schemas of which the stricter one counts. */
const LARGER = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const SMALLER = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);

export class SchemaResolver {
  readonly #root: JsonValue | undefined;
  #left = MAX_WORK;

  constructor(root: JsonValue | undefined) {
    this.#root = root;
  }

  /** `end` chooses the branch that nests least, so that a recursive schema comes to an end. */
  resolve(value: JsonValue, end: boolean, nesting = 0): Schema {
    if (!this.#work() || nesting > MAX_NESTING) return {};
    let schema = isJsonObject(value) ? value : {};
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const { $ref: ref, allOf, ...rest } = schema;
      if (typeof ref === 'string') schema = merge(this.#follow(ref), { ...rest, ...has(allOf) });
      else if (isJsonArray(allOf)) {
        schema = allOf.reduce<Schema>(
          (all, part) => merge(all, this.resolve(part, end, nesting + 1)),
          rest,
        );
      } else {
        const key = BRANCHES.find((name) => isJsonArray(schema[name]));
        if (key === undefined) break;
        const { [key]: branches, ...without } = schema;
        schema = merge(without, this.#choose(branches as readonly JsonValue[], end));
      }
    }
    return schema;
  }

  /** The first branch that is not null; where it must end, the one that goes least deep. */
  #choose(branches: readonly JsonValue[], end: boolean): Schema {
    const schemas = branches.filter(isJsonObject);
    if (end) {
      const depths = schemas.map((schema) => this.#depth(schema, new Set()));
      return schemas[depths.indexOf(Math.min(...depths))] ?? {};
    }
    return schemas.find((schema) => schema.type !== 'null') ?? schemas[0] ?? {};
  }

  /** Levels that the required part of a schema needs; infinite where it contains itself. */
  #depth(value: JsonValue | undefined, seen: ReadonlySet<string>): number {
    if (!isJsonObject(value)) return 0;
    if (!this.#work() || seen.size > MAX_STEPS) return Number.POSITIVE_INFINITY;
    if (typeof value.$ref === 'string') {
      if (seen.has(value.$ref)) return Number.POSITIVE_INFINITY;
      return this.#depth(this.#follow(value.$ref), new Set([...seen, value.$ref]));
    }
    const branches = value.anyOf ?? value.oneOf;
    if (isJsonArray(branches)) {
      return Math.min(...branches.map((branch) => this.#depth(branch, seen)));
    }
    const inner: number[] = [0];
    const { required, properties, items, minItems } = value;
    for (const name of isJsonArray(required) ? required : []) {
      const property = isJsonObject(properties) ? properties[String(name)] : undefined;
      inner.push(1 + this.#depth(property, seen));
    }
    if (typeof minItems === 'number' && minItems > 0) inner.push(1 + this.#depth(items, seen));
    return Math.max(...inner);
  }

  #work(): boolean {
    this.#left -= 1;
    return this.#left > 0;
  }

  #follow(ref: string): Schema {
    if (!ref.startsWith('#')) return {};
    let value = this.#root;
    for (const token of ref.slice(1).split('/').slice(1)) {
      const key = decodeToken(token);
      if (isJsonArray(value)) value = value[Number(key)];
      else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return isJsonObject(value) ? value : {};
  }
}

function has(allOf: JsonValue | undefined): Schema {
  return allOf === undefined ? {} : { allOf };
}

function decodeToken(token: string): string {
  const plain = token.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

function merge(base: Schema, over: Schema): Schema {
  const merged: Record<string, JsonValue | undefined> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = before === undefined ? value : mergeKeyword(key, before, value);
  }
  return merged;
}

function mergeKeyword(key: string, a: JsonValue, b: JsonValue | undefined): JsonValue | undefined {
  if (key === 'properties' && isJsonObject(a) && isJsonObject(b)) return merge(a, b);
  if (key === 'required' && isJsonArray(a) && isJsonArray(b)) return [...a, ...b];
  if (key === 'allOf' && isJsonArray(a) && isJsonArray(b)) return [...a, ...b];
  if (key === 'enum' && isJsonArray(a) && isJsonArray(b)) {
    return a.filter((item) => b.some((other) => JSON.stringify(other) === JSON.stringify(item)));
  }
  if (typeof a === 'number' && typeof b === 'number') {
    if (LARGER.has(key)) return Math.max(a, b);
    if (SMALLER.has(key)) return Math.min(a, b);
  }
  return b;
}
