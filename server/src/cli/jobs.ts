/**
 * What is in the way of doing something with a background job, in words about jobs.
 */
import type { VerbContext } from './context.ts';
import { codeOf } from './explain.ts';
import { CliFailure } from './failure.ts';

export function jobFailure({ say }: VerbContext, id: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'not_found') return new CliFailure(say.jobs.missing(id), { code });
  if (code === 'conflict') return new CliFailure(say.jobs.notDead(id), { code });
  return error;
}
