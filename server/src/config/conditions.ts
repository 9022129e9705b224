/**
 * Conditions and sticky labels from the words of the file to those of the code, in the shape of
 * the gateway's `Condition` and `StickyBy`: one text becomes a list of one.
 */
import type { ModelSettings } from './effective.ts';

/** Clients ask for a role as `role/<name>`; no provider has this name. */
export const ROLE_PREFIX = 'role';

type WhenSettings = NonNullable<ModelSettings['when']>;
type Texts = readonly string[];

export interface ConditionConfig {
  readonly tenant?: Texts;
  readonly key?: Texts;
  readonly user?: Texts;
  readonly operation?: Texts;
  readonly header?: Readonly<Record<string, Texts>>;
  readonly metadata?: Readonly<Record<string, Texts>>;
  readonly stream?: boolean;
  readonly hasTools?: boolean;
  readonly hasImages?: boolean;
  readonly hasFiles?: boolean;
  readonly hasJsonSchema?: boolean;
  readonly minInputTokens?: number;
  readonly maxInputTokens?: number;
}

export type StickyConfig =
  | { readonly kind: 'tenant' | 'key' | 'user' }
  | { readonly kind: 'header' | 'metadata'; readonly name: string };

/** The conditions of a target: those of its alias, then its own; nothing where there are none. */
export function conditionsOf(...settings: readonly (WhenSettings | undefined)[]): {
  readonly when?: readonly ConditionConfig[];
} {
  const written = settings.filter((when) => when !== undefined);
  return written.length === 0 ? {} : { when: written.map(conditionOf) };
}

function conditionOf(when: WhenSettings): ConditionConfig {
  const { tenant, key, user, operation, header, metadata } = when;
  const { has_tools, has_images, has_files, has_json_schema } = when;
  const { stream, min_input_tokens, max_input_tokens } = when;
  return {
    ...(tenant !== undefined && { tenant: listOf(tenant) }),
    ...(key !== undefined && { key: listOf(key) }),
    ...(user !== undefined && { user: listOf(user) }),
    ...(operation !== undefined && { operation: listOf(operation) }),
    ...(header !== undefined && { header: listsOf(header) }),
    ...(metadata !== undefined && { metadata: listsOf(metadata) }),
    ...(stream !== undefined && { stream }),
    ...(has_tools !== undefined && { hasTools: has_tools }),
    ...(has_images !== undefined && { hasImages: has_images }),
    ...(has_files !== undefined && { hasFiles: has_files }),
    ...(has_json_schema !== undefined && { hasJsonSchema: has_json_schema }),
    ...(min_input_tokens !== undefined && { minInputTokens: min_input_tokens }),
    ...(max_input_tokens !== undefined && { maxInputTokens: max_input_tokens }),
  };
}

/** `sticky` has a form that the schema checked. */
export function stickyOf(sticky: string): StickyConfig {
  const dot = sticky.indexOf('.');
  if (dot < 0) return { kind: sticky as 'tenant' | 'key' | 'user' };
  return { kind: sticky.slice(0, dot) as 'header' | 'metadata', name: sticky.slice(dot + 1) };
}

function listOf(value: string | readonly string[]): Texts {
  return typeof value === 'string' ? [value] : value;
}

function listsOf(
  map: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, Texts>> {
  const entries = Object.entries(map).map(([name, value]) => [name, listOf(value)] as const);
  return Object.fromEntries(entries);
}
