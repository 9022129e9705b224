/**
 * The words in which a setting is written down: a zod type with its default and its range, and
 * beside it what zod does not know (environment variable, live or restart, description).
 *
 * Everything else — parsing, messages, the settings page, the JSON Schema — is read back from
 * here, so nothing about a setting stands twice. Units are the last word of a setting's name.
 */
import { z } from 'zod';

/** `live`: a reload applies it. `restart`: a reload reports it and keeps the running value. */
export type Apply = 'live' | 'restart';

export interface SettingMeta {
  readonly description?: string;
  /** Environment variables, the first that is set wins. */
  readonly env?: readonly string[];
  /** Inherited from the group where absent. */
  readonly apply?: Apply;
  /** The accepted values in words, where the type alone does not say them. */
  readonly accepts?: string;
  readonly secret?: boolean;
  /** Where the name does not end in the unit. */
  readonly unit?: string;
  /** Other spellings that the environment may use, lower-case. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** `false` in the environment turns it off; `true` leaves what the file says. */
  readonly killSwitch?: boolean;
  /** What an entry of a map is called in documents: `providers.<name>`. */
  readonly key?: string;
  /** The feature that will use it; accepted and checked, but without effect until then. */
  readonly usedBy?: string;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within a range, both ends included. */
export function whole(fallback: number, { min, max }: Range, meta: SettingMeta) {
  return note(z.int().check(z.gte(min), z.lte(max)).default(fallback), meta);
}

/** A number with fractions within a range, both ends included. */
export function decimal(fallback: number, { min, max }: Range, meta: SettingMeta) {
  return note(z.number().check(z.gte(min), z.lte(max)).default(fallback), meta);
}

export function flag(fallback: boolean, meta: SettingMeta) {
  return note(z.boolean().default(fallback), meta);
}

export function choice<const T extends readonly [string, ...string[]]>(
  fallback: T[number],
  values: T,
  meta: SettingMeta,
) {
  return note(
    z.enum(values).default(() => fallback),
    meta,
  );
}

/** Text of a form, with a default; `pattern` must be described by `meta.accepts`. */
export function text(fallback: string, pattern: RegExp, meta: SettingMeta) {
  return note(z.string().regex(pattern).default(fallback), meta);
}

/** Text of a form that may be left out; there is no default. */
export function optionalText(pattern: RegExp, meta: SettingMeta) {
  return note(z.string().regex(pattern).optional(), meta);
}

/** Several settings under one name; unknown names in it are refused. */
export function group<T extends z.core.$ZodShape>(meta: SettingMeta, shape: T) {
  return note(z.strictObject(shape), meta);
}

/** One setting without its default, to be set again for one provider or one model. */
export function overrideOf<T extends z.ZodType>(setting: z.ZodDefault<T>): z.ZodOptional<T> {
  const { env: _global, killSwitch: _too, ...meta } = metaOf(setting);
  return note((setting.unwrap() as T).optional(), meta);
}

type Shape = Readonly<Record<string, z.ZodDefault<z.ZodType>>>;
type Inner<S> = S extends z.ZodDefault<infer T> ? z.ZodOptional<T> : never;

/** Some settings of a group without their defaults, as a group that may be left out. */
export function overridesOf<T extends Shape, const N extends keyof T & string>(
  base: z.ZodObject<T, z.core.$strict>,
  names: readonly N[],
  meta: SettingMeta,
) {
  const entries = names.map(
    (name) => [name, overrideOf(base.shape[name] as z.ZodDefault<z.ZodType>)] as const,
  );
  const shape = Object.fromEntries(entries) as unknown as { [K in N]: Inner<T[K]> };
  return note(z.strictObject(shape).optional(), meta);
}

/** What is written down beside a type; empty where nothing is. */
export function metaOf(schema: z.core.$ZodType): SettingMeta {
  return (z.globalRegistry.get(schema) ?? {}) as SettingMeta;
}

/** Writes `meta` beside `schema` and returns the same schema, not a copy. */
export function note<T extends z.core.$ZodType>(schema: T, meta: SettingMeta): T {
  z.globalRegistry.add(schema, { ...meta });
  return schema;
}
