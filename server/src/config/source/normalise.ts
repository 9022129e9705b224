/**
 * Makes a written tree ready for the schema: an empty section is an empty mapping, a boolean or
 * a choice may be spelled as in the environment, and a text that came whole from `${NAME}`
 * becomes the number it is where a number is wanted. Nothing is judged here.
 */
import { z } from 'zod';
import { bare, childOf, memberOf, optionFor, type Path, schemaAt } from '../schema/walk.ts';
import { parseBoolean, parseText } from './parse-text.ts';
import type { Tree } from './yaml-file.ts';

/** Returns a new tree; `references` are the paths whose text came whole from a variable. */
export function normalise(root: z.core.$ZodType, tree: Tree, references: readonly Path[]): Tree {
  let result = visit(root, tree) as Tree;
  for (const path of references) {
    const schema = schemaAt(root, path, result);
    const text = path.reduce(memberOf, result as unknown);
    if (schema === undefined || typeof text !== 'string') continue;
    if (bare(schema).schema instanceof z.ZodNumber) {
      const value = parseText(schema, text);
      if (value !== undefined) result = withValue(result, path, value);
    }
  }
  return result;
}

/** A copy of `tree` with one value set; missing mappings on the way are made. */
export function withValue(tree: Tree, path: Path, value: unknown): Tree {
  return set(tree, path, value) as Tree;
}

function set(node: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const child = set(memberOf(node, key), rest, value);
  if (Array.isArray(node)) return node.with(Number(key), child);
  return { ...(isMapping(node) ? node : {}), [key]: child };
}

function visit(schema: z.core.$ZodType, value: unknown): unknown {
  const inner = optionFor(bare(schema).schema, value);
  if (value === null) return isMappingType(inner) ? {} : null;
  if (Array.isArray(value)) return value.map((item, i) => below(schema, i, item, value));
  if (isMapping(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, below(schema, key, item, value)]));
  }
  if (inner instanceof z.ZodBoolean) return parseBoolean(String(value)) ?? value;
  if (inner instanceof z.ZodEnum && typeof value === 'string') {
    return parseText(schema, value) ?? value;
  }
  return value;
}

function below(
  schema: z.core.$ZodType,
  key: string | number,
  item: unknown,
  parent: unknown,
): unknown {
  const child = childOf(schema, key, parent);
  return child === undefined ? item : visit(child, item);
}

function isMappingType(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodObject || schema instanceof z.ZodRecord;
}

function isMapping(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
