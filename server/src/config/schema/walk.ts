/**
 * Reading the schema back: what stands at a path, every setting there is, and the accepted
 * values in words. The one place that knows how zod keeps its types.
 */
import { z } from 'zod';
import { metaOf, type SettingMeta } from './setting.ts';

export type Path = readonly (string | number)[];

/** A type without its wrappers, and everything that was noted on the way in. */
export interface Bare {
  readonly schema: z.core.$ZodType;
  readonly meta: SettingMeta;
  /** undefined: there is none. */
  readonly fallback: unknown;
  readonly optional: boolean;
}

export function bare(schema: z.core.$ZodType): Bare {
  let current = schema;
  let meta = metaOf(current);
  let fallback: unknown;
  let optional = false;
  while (isWrapper(current)) {
    if (current instanceof z.ZodDefault) fallback = current.def.defaultValue;
    optional = true;
    current = current.unwrap();
    meta = { ...metaOf(current), ...meta };
  }
  return { schema: current, meta, fallback, optional };
}

type Wrapper = z.ZodDefault | z.ZodPrefault | z.ZodOptional;

function isWrapper(schema: z.core.$ZodType): schema is Wrapper {
  return (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional
  );
}

/** The type below `schema` for one step of a path; `value` picks the member of a union. */
export function childOf(
  schema: z.core.$ZodType,
  key: string | number,
  value: unknown,
): z.core.$ZodType | undefined {
  const inner = optionFor(bare(schema).schema, value);
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (!(inner instanceof z.ZodObject)) return undefined;
  return Object.hasOwn(inner.shape, key) ? inner.shape[key] : undefined;
}

/** The type at the end of a path through `tree`; undefined where the schema knows none. */
export function schemaAt(
  root: z.core.$ZodType,
  path: Path,
  tree: unknown,
): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  let value = tree;
  for (const key of path) {
    if (schema === undefined) return undefined;
    schema = childOf(schema, key, value);
    value = memberOf(value, key);
  }
  return schema;
}

/** Own members only: a key such as `constructor` finds nothing it should not. */
export function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

/** The member of a union that `value` chooses by its discriminator; the type itself otherwise. */
export function optionFor(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator } = schema.def;
  const chosen = memberOf(value, discriminator);
  const options = schema.options as readonly z.ZodObject[];
  return options.find((option) => isLiteral(option.shape[discriminator], chosen)) ?? schema;
}

function isLiteral(schema: unknown, value: unknown): boolean {
  return schema instanceof z.ZodLiteral && schema.values.has(value as z.core.util.Literal);
}

/** The names a mapping may have, where the schema fixes them. */
export function keysOf(schema: z.core.$ZodType, value: unknown): readonly string[] {
  const inner = optionFor(bare(schema).schema, value);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** The values of an enumeration, a literal, or a union's discriminator. */
export function valuesOf(schema: z.core.$ZodType): readonly string[] {
  const inner = bare(schema).schema;
  if (inner instanceof z.ZodEnum) return inner.options.map(String);
  if (inner instanceof z.ZodLiteral) return [...inner.values].map(String);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return [];
  const options = inner.options as readonly z.ZodObject[];
  return options.flatMap((option) => valuesOf(option.shape[inner.def.discriminator] as z.ZodType));
}

/** The accepted values in words: `a whole number from 0 to 65535`, `fallback, weighted`. */
export function acceptedBy(schema: z.core.$ZodType): string {
  const { schema: inner, meta } = bare(schema);
  if (meta.accepts !== undefined) return meta.accepts;
  if (inner instanceof z.ZodNumber) {
    const range = `from ${inner.minValue} to ${inner.maxValue}`;
    return `${inner.isInt ? 'a whole number' : 'a number'} ${range}`;
  }
  if (inner instanceof z.ZodBoolean) return 'true, 1, yes, on, false, 0, no, off';
  if (inner instanceof z.ZodString) return 'text';
  if (inner instanceof z.ZodArray) return 'a list';
  if (inner instanceof z.ZodRecord && meta.key !== undefined) {
    const accepted = acceptedBy(inner.valueType);
    return accepted === 'a mapping' ? accepted : `a mapping of ${meta.key} to ${accepted}`;
  }
  const values = valuesOf(inner);
  return values.length > 0 && !(inner instanceof z.ZodDiscriminatedUnion)
    ? values.join(', ')
    : 'a mapping';
}

/** `models.fast.targets[0].provider`; names that need it stand in quotes. */
export function showPath(path: Path): string {
  let shown = '';
  for (const key of path) {
    if (typeof key === 'number') shown += `[${key}]`;
    else if (key === '[]') shown += key;
    else if (!/^[\w<>:-]+$/.test(key)) shown += `[${JSON.stringify(key)}]`;
    else shown += shown === '' ? key : `.${key}`;
  }
  return shown;
}
