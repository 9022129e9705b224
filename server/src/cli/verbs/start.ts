/**
 * `esclusa start`: runs the gateway until it is told to stop. The first SIGTERM or SIGINT
 * drains it, the second hurries; SIGHUP reads the configuration again.
 */
import { withOptions } from '../../app/installation.ts';
import type { RunningServer } from '../../app/start.ts';
import { ConfigError } from '../../config/index.ts';
import { StartupValidationError, summaryOf } from '../../operations/index.ts';
import { banner } from '../banner.ts';
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { startupFrame } from '../startup-frame.ts';

type Startup = RunningServer['startup'];

/** Longest delay a timer takes; only there so that the process waits for the end of the drain. */
const HEARTBEAT_MS = 2_147_483_647;

/** A package manager passes one Ctrl-C on a second time; that is not a person in a hurry. */
const SAME_SIGNAL_MS = 1000;

export async function run(context: VerbContext): Promise<undefined> {
  const heartbeat = setInterval(() => undefined, HEARTBEAT_MS);
  try {
    const server = await start(context);
    announce(context, server);
    await untilStopped(context, server);
  } finally {
    clearInterval(heartbeat);
  }
}

async function start(context: VerbContext): Promise<RunningServer> {
  const { startServer } = await import('../../app/start.ts');
  const sources = withOptions(await context.installation.sources(), {
    '--host': textOption(context, 'host'),
    '--port': textOption(context, 'port'),
  });
  try {
    return await startServer({ sources, tellsWarnings: isForPeople(context) });
  } catch (error) {
    throw worded(context, error);
  }
}

/** What the checks found, and what the system says of an address that cannot be had. */
function worded(context: VerbContext, error: unknown): unknown {
  const { say } = context;
  if (error instanceof StartupValidationError) return refusal(context, error.summary);
  if (error instanceof ConfigError) tellProblems(context, error);
  if (!(error instanceof Error) || !('code' in error) || !('port' in error)) return error;
  const host = 'address' in error ? `${String(error.address)}:` : '';
  const address = `${host}${String(error.port)}`;
  if (error.code === 'EADDRINUSE') return new CliFailure(say.start.taken(address));
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
    return 'name' in place ? place.name : path.join('.');
  });
  const message = [...new Set(names)].join(', ');
  const result = { name: 'environment_variables', status: 'fail', critical: true } as const;
  tell(context, summaryOf([{ ...result, message, duration_ms: 0 }], 0, false));
}

/** Programs get one line of JSON, and read the log. */
function tell(context: VerbContext, summary: Startup): void {
  if (!context.isJson) context.terminal.writeError(startupFrame(context, summary));
}

/** Otherwise the log tells what a person would be told here. */
function isForPeople({ isJson, terminal }: VerbContext): boolean {
  return !isJson && terminal.isInteractive;
}

function announce(context: VerbContext, server: RunningServer): void {
  const { url, firstKey, firstAdmin, config, startup } = server;
  const model = Object.keys(config.models)[0] ?? null;
  const curl = firstKey === null || model === null ? null : curlLine(url, firstKey, model);
  if (context.isJson) {
    writeJson(context, { url, key: firstKey, admin: firstAdmin, try: curl });
    return;
  }
  const warnings = isForPeople(context) ? server.warnings : [];
  if (isForPeople(context) && startup.warnings > 0) tell(context, startup);
  context.terminal.write(banner(context, { url, firstKey, firstAdmin, curl, warnings }));
}

function curlLine(url: string, key: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hola' }] });
  return (
    `curl ${url}/v1/chat/completions -H 'authorization: Bearer ${key}' ` +
    `-H 'content-type: application/json' -d '${body}'`
  );
}

function untilStopped(context: VerbContext, server: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    let stoppingSinceMs: number | null = null;
    const stop = (): void => {
      const isFirst = stoppingSinceMs === null;
      stoppingSinceMs ??= context.nowMs();
      if (!isFirst && context.nowMs() - stoppingSinceMs < SAME_SIGNAL_MS) return;
      if (isFirst && context.terminal.isInteractive) {
        writeLine(context, context.say.start.stopping);
      }
      server.close(isFirst ? 'drain' : 'now').then(finish, reject);
    };
    const reload = (): void => {
      server.reload().catch(reject);
    };
    const finish = (): void => {
      process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload);
      resolve();
    };
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  });
}
