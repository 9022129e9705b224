/**
 * What the verbs about tenants share.
 */
import { readFileSync } from 'node:fs';
import { textOption, type VerbContext } from './context.ts';
import { codeOf } from './explain.ts';
import { CliFailure } from './failure.ts';

/** The operators' own. */
const OWN = 'default';

/** Words what a person cannot know from the code alone. */
export function tenantFailure({ say }: VerbContext, slug: string, error: unknown): unknown {
  if (codeOf(error) === 'not_found')
    return new CliFailure(say.tenants.missing(slug), { code: 'not_found' });
  const isRefused = codeOf(error) === 'conflict' || codeOf(error) === 'invalid_request';
  if (slug === OWN && isRefused && isOf(error, 'slug'))
    return new CliFailure(say.tenants.own(slug), { code: 'conflict' });
  if (codeOf(error) !== 'conflict' || !(error instanceof Error)) return error;
  return new CliFailure(error.message, { code: 'conflict' });
}

function isOf(error: unknown, field: string): boolean {
  return error instanceof Error && 'field' in error && error.field === field;
}

/** `a, b` as a list, an empty text as none; undefined where it was not given. */
export function listOption(context: VerbContext, name: string): readonly string[] | undefined {
  return textOption(context, name)
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** What the file of `--database` says, unchecked; undefined where it was not given. */
export function databaseOption(context: VerbContext): object | undefined {
  const file = textOption(context, 'database');
  if (file === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // said below
  }
  throw new CliFailure(context.say.tenants.badFile(file), { exitCode: 2 });
}
