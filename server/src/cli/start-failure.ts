/**
 * A start that was refused, in words: what the checks found, what the configuration lacks, and
 * what the system says of an address that cannot be had.
 */
import type { RunningServer } from '../app/start.ts';
import { ConfigError } from '../config/index.ts';
import { StartupValidationError, summaryOf } from '../operations/index.ts';
import type { VerbContext } from './context.ts';
import { CliFailure } from './failure.ts';
import { startupFrame } from './startup-frame.ts';

type Startup = RunningServer['startup'];

/** The error to throw in the place of this one; people are told what it does not hold. */
export function inWords(context: VerbContext, error: unknown): unknown {
  const { say } = context;
  if (error instanceof StartupValidationError) return refusal(context, error.summary);
  if (error instanceof ConfigError) tellProblems(context, error);
  if (!(error instanceof Error) || !('code' in error) || !('port' in error)) return error;
  const host = 'address' in error ? `${String(error.address)}:` : '';
  const address = `${host}${String(error.port)}`;
  if (error.code === 'EADDRINUSE')
    return new CliFailure(say.start.taken(address), { code: 'address_taken' });
  return error.code === 'EACCES' ? new CliFailure(say.start.forbidden(address)) : error;
}

function refusal(context: VerbContext, summary: Startup): CliFailure {
  const isOurs = ({ status }: Startup['results'][number]): boolean =>
    status === 'fail' || (status === 'warning' && summary.critical_failures === 0);
  tell(context, summary);
  const names = summary.results
    .filter(isOurs)
    .map(({ name, message }) => (context.isJson ? `${name}: ${message ?? ''}` : name));
  return new CliFailure(context.say.startup.refused(names.join('; ')));
}

/** The names of what is wrong; the error itself says everything. */
function tellProblems(context: VerbContext, { problems }: ConfigError): void {
  const names = problems.map(({ place, path }) => {
    if ('name' in place) return place.name;
    return path.length === 0 && 'file' in place ? place.file : path.join('.');
  });
  const message = [...new Set(names)].join(', ');
  const result = { name: 'environment_variables', status: 'fail', critical: true } as const;
  tell(context, summaryOf([{ ...result, message, duration_ms: 0 }], 0, false));
}

/** Programs get one line of JSON, and read the log. */
function tell(context: VerbContext, summary: Startup): void {
  if (!context.isJson) context.terminal.writeError(startupFrame(context, summary));
}
