/**
 * `esclusa start`: runs the gateway until it is told to stop. The first SIGTERM or SIGINT
 * drains it, the second hurries; SIGHUP reads the configuration again.
 *
 * With more than one worker this process only starts, replaces and stops them; each of them
 * runs this verb again, and knows by its parent that it is one.
 */
import { type ReadConfiguration, readConfiguration } from '../../app/configuration.ts';
import { withOptions } from '../../app/installation.ts';
import type { RunningServer, StartOptions } from '../../app/start.ts';
import type { Member } from '../../cluster/member.ts';
import type { StopHow } from '../../cluster/messages.ts';
import type { Sources } from '../../config/index.ts';
import { announce, isForPeople } from '../announce.ts';
import { textOption, type VerbContext } from '../context.ts';
import { inWords } from '../start-failure.ts';
import { untilStopped } from '../until-stopped.ts';

/** Longest delay a timer takes; only there so that the process waits for the end of the drain. */
const HEARTBEAT_MS = 2_147_483_647;

export async function run(context: VerbContext): Promise<number | undefined> {
  const heartbeat = setInterval(() => undefined, HEARTBEAT_MS);
  try {
    const sources = withOptions(await context.installation.sources(), {
      '--host': textOption(context, 'host'),
      '--port': textOption(context, 'port'),
      '--workers': textOption(context, 'workers'),
    });
    const member = await joinIfChild(context);
    if (member !== null) return await serveAmongOthers(member, sources);
    const configuration = await readConfiguration(sources, context.installation.clock);
    if (configuration.loaded.config.workers === 1) {
      return await serveAlone(context, configuration, sources);
    }
    const { runWorkers } = await import('../workers.ts');
    return await runWorkers(context, configuration, sources);
  } catch (error) {
    throw inWords(context, error);
  } finally {
    clearInterval(heartbeat);
  }
}

/** Only a process that can talk to its parent can be a worker. */
async function joinIfChild({ installation }: VerbContext): Promise<Member | null> {
  if (process.send === undefined) return null;
  const { join } = await import('../../cluster/member.ts');
  return join(installation.clock);
}

async function serveAlone(
  context: VerbContext,
  configuration: ReadConfiguration,
  sources: Sources,
): Promise<undefined> {
  const tellsWarnings = isForPeople(context);
  const server = await start({ sources, configuration, tellsWarnings, ownsProcess: true });
  // Who reads the announcement may send a signal: it is listened for before.
  const stopped = untilStopped(context, server);
  announce(context, server);
  await stopped;
}

async function serveAmongOthers(member: Member, sources: Sources): Promise<undefined> {
  try {
    const server = await start({ sources, member, tellsWarnings: true, ownsProcess: true });
    const { url, firstKey, firstAdmin, startup } = server;
    const stopped = Promise.withResolvers<void>();
    const stop = (how: StopHow): void => {
      server.close(how).then(stopped.resolve, stopped.reject);
    };
    member.onStop(stop);
    let isAsked = false;
    process.on('SIGTERM', () => {
      stop(isAsked ? 'now' : 'drain');
      isAsked = true;
    });
    member.ready({ url, firstKey, firstAdmin, startup });
    await stopped.promise;
  } finally {
    member.leave();
  }
}

async function start(options: StartOptions): Promise<RunningServer> {
  const { startServer } = await import('../../app/start.ts');
  return startServer(options);
}
