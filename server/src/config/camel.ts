/**
 * From the words of the file to those of the code: `ttl_seconds` becomes `ttlSeconds`, a
 * setting that may be left out becomes null where it was. Names that operators chose stay.
 */
import { z } from 'zod';
import { bare, memberOf } from './schema/walk.ts';

type CamelName<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelName<Tail>>}`
  : S;

type CamelKey<K> = K extends string ? (string extends K ? K : CamelName<K>) : K;

/** The type of a settings tree in the words of the code. */
export type Camel<T> = T extends readonly (infer U)[]
  ? readonly Camel<U>[]
  : T extends object
    ? { readonly [K in keyof T as CamelKey<K>]-?: CamelMember<T[K]> }
    : T;

type CamelMember<V> = undefined extends V ? Camel<Exclude<V, undefined>> | null : Camel<V>;

/** Renames the settings of one group; `value` must fit `schema`. */
export function camel<T extends z.ZodType>(schema: T, value: z.output<T>): Camel<z.output<T>> {
  return convert(schema, value) as Camel<z.output<T>>;
}

function convert(schema: z.core.$ZodType, value: unknown): unknown {
  const { schema: inner } = bare(schema);
  if (!(inner instanceof z.ZodObject)) return value;
  const entries = Object.entries(inner.shape as Record<string, z.core.$ZodType>);
  return Object.fromEntries(
    entries.map(([key, child]) => {
      const member = memberOf(value, key);
      return [camelName(key), member === undefined ? null : convert(child, member)];
    }),
  );
}

function camelName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
