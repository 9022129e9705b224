/**
 * What the verbs about people share.
 */
import { textOption, type VerbContext } from './context.ts';
import { codeOf } from './explain.ts';
import { CliFailure } from './failure.ts';

/** `--roles a,b`; undefined where it was not given. */
export function rolesOption(context: VerbContext): readonly string[] | undefined {
  return textOption(context, 'roles')
    ?.split(',')
    .map((role) => role.trim());
}

/** Words what a person cannot know from the code alone. */
export function userFailure({ say }: VerbContext, who: string, error: unknown): unknown {
  if (codeOf(error) === 'not_found')
    return new CliFailure(say.people.missing(who), { code: 'not_found' });
  if (codeOf(error) !== 'conflict' || !(error instanceof Error)) return error;
  return new CliFailure(error.message, { code: 'conflict' });
}
