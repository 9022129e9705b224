/**
 * Every setting of the file as a flat list, in the order of the schema: for the environment,
 * for reloads that must know what needs a restart, and for documents.
 */
import { z } from 'zod';
import type { Apply, SettingMeta } from './setting.ts';
import { bare, type Path } from './walk.ts';

export interface ListedSetting {
  /** Entries of maps and lists appear as `<name>` and `[]`. */
  readonly path: Path;
  readonly schema: z.core.$ZodType;
  readonly meta: SettingMeta;
  readonly fallback: unknown;
  readonly apply: Apply;
}

export interface ListedGroup {
  readonly path: Path;
  readonly description: string;
}

export interface Listing {
  readonly settings: readonly ListedSetting[];
  readonly groups: readonly ListedGroup[];
}

/** Lists every setting below `root`, those inside maps, lists and unions included. */
export function listSettings(root: z.core.$ZodType): Listing {
  const settings: ListedSetting[] = [];
  const groups: ListedGroup[] = [];

  function visit(schema: z.core.$ZodType, path: Path, inherited: Apply): void {
    const { schema: inner, meta, fallback } = bare(schema);
    const apply = meta.apply ?? inherited;
    const below = (key: string, child: z.core.$ZodType): void =>
      visit(child, [...path, key], apply);
    if (inner instanceof z.ZodObject) {
      groups.push({ path, description: meta.description ?? '' });
      for (const [key, child] of Object.entries(inner.shape)) below(key, child);
    } else if (inner instanceof z.ZodRecord) {
      if (!isLeaf(inner.valueType)) groups.push({ path, description: meta.description ?? '' });
      if (isLeaf(inner.valueType)) settings.push({ path, schema, meta, fallback, apply });
      else below(`<${meta.key ?? 'name'}>`, inner.valueType);
    } else if (inner instanceof z.ZodArray && !isLeaf(inner.element)) {
      settings.push({ path, schema, meta, fallback, apply });
      below('[]', inner.element);
    } else if (inner instanceof z.ZodDiscriminatedUnion) {
      visitUnion(inner, path, apply);
    } else {
      settings.push({ path, schema, meta, fallback, apply });
    }
  }

  function visitUnion(union: z.ZodDiscriminatedUnion, path: Path, apply: Apply): void {
    const seen = new Set<string>();
    for (const option of union.options as readonly z.ZodObject[]) {
      for (const [key, child] of Object.entries(option.shape)) {
        if (seen.has(key)) continue;
        seen.add(key);
        visit(
          key === union.def.discriminator ? discriminator(union) : child,
          [...path, key],
          apply,
        );
      }
    }
  }

  visit(root, [], 'live');
  return { settings, groups };
}

/** All kinds of a union as one enumeration. */
function discriminator(union: z.ZodDiscriminatedUnion): z.ZodType {
  const key = union.def.discriminator;
  const options = union.options as readonly z.ZodObject[];
  const kinds = options.flatMap((option) => [...(option.shape[key] as z.ZodLiteral).values]);
  return z.enum(kinds.map(String) as [string, ...string[]]).meta({ description: 'Its kind.' });
}

function isLeaf(schema: z.core.$ZodType): boolean {
  const { schema: inner } = bare(schema);
  return !(
    inner instanceof z.ZodObject ||
    inner instanceof z.ZodRecord ||
    inner instanceof z.ZodArray ||
    inner instanceof z.ZodDiscriminatedUnion
  );
}
