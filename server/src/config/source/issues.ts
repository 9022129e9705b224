/**
 * What zod found, in our words: the value, the accepted values, and what was probably meant.
 */
import { z } from 'zod';
import type { Problem } from '../problem.ts';
import { redactUrl } from '../redact.ts';
import {
  acceptedBy,
  bare,
  keysOf,
  memberOf,
  type Path,
  schemaAt,
  valuesOf,
} from '../schema/walk.ts';
import type { Origin } from './origin.ts';
import { hint } from './suggest.ts';

type Issue = z.core.$ZodIssue;

const SHOWN_MAX = 80;

/** One problem per issue; an issue over several unknown names gives one for each. */
export function problemsOf(
  root: z.core.$ZodType,
  tree: unknown,
  issues: readonly Issue[],
  origin: Origin,
): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code !== 'unrecognized_keys') {
      const place = origin.placeOf(path);
      return [{ place, path, message: wordingOf(root, tree, path, issue) }];
    }
    const schema = schemaAt(root, path, tree);
    const known = schema === undefined ? [] : keysOf(schema, path.reduce(memberOf, tree));
    return issue.keys.map((key) => ({
      place: origin.placeOfKey([...path, key]),
      path: [...path, key],
      message: `is not a setting${hint(key, known)}; accepted here: ${known.join(', ')}`,
    }));
  });
}

function wordingOf(root: z.core.$ZodType, tree: unknown, path: Path, issue: Issue): string {
  const parent = schemaAt(root, path.slice(0, -1), tree);
  const last = path.at(-1) ?? '';
  const inner = parent === undefined ? undefined : bare(parent).schema;
  if (issue.code === 'invalid_key' && inner instanceof z.ZodRecord) {
    const key = inner.keyType as z.core.$ZodType;
    return `${JSON.stringify(last)} is not accepted; accepted: ${acceptedBy(key)}`;
  }
  const value = path.reduce(memberOf, tree);
  const schema = schemaAt(root, path, tree);
  if (schema === undefined && inner instanceof z.ZodDiscriminatedUnion) {
    return refusal(value, false, valuesOf(inner).join(', '), valuesOf(inner));
  }
  if (schema === undefined) return issue.message;
  const secret = bare(schema).meta.secret === true;
  return refusal(value, secret, acceptedBy(schema), valuesOf(schema));
}

function refusal(
  value: unknown,
  secret: boolean,
  accepted: string,
  candidates: readonly string[],
): string {
  if (value === undefined) return `is missing; accepted: ${accepted}`;
  const help = typeof value === 'string' && !secret ? hint(value, candidates) : '';
  return `${secret ? 'the value' : show(value)} is not accepted${help}; accepted: ${accepted}`;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (value === null) return 'an empty value';
  const text = redactUrl(JSON.stringify(value));
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
