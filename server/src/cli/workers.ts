/**
 * `esclusa start` with several workers, in the process that starts them: one banner, one end,
 * one exit code for all.
 */
import type { ReadConfiguration } from '../app/configuration.ts';
import { guardProcess } from '../app/process-guard.ts';
import { createTelemetry } from '../app/telemetry.ts';
import type { StopHow } from '../cluster/messages.ts';
import { type Primary, startPrimary } from '../cluster/primary.ts';
import { type Sources, showProblem } from '../config/index.ts';
import { type Announcement, announce, isForPeople } from './announce.ts';
import type { VerbContext } from './context.ts';
import { CliFailure } from './failure.ts';
import { untilStopped } from './until-stopped.ts';

/** Resolves with the exit code when every worker is gone. */
export async function runWorkers(
  context: VerbContext,
  { loaded, read }: ReadConfiguration,
  { files }: Sources,
): Promise<number> {
  const { clock } = context.installation;
  const telemetry = createTelemetry(loaded.config, clock);
  const release = guardProcess(telemetry);
  try {
    const log = telemetry.log.named('cluster');
    if (!isForPeople(context)) {
      for (const warning of loaded.warnings) log.warn(showProblem(warning));
    }
    const primary = startPrimary({ loaded, read, files, clock, log });
    void primary.ready.then((announcement) => {
      if (announcement !== null)
        announce(context, { ...loaded, ...(announcement as Announcement) });
    });
    await untilStopped(context, stoppable(primary), primary.ended);
    return await exitCode(context, primary);
  } finally {
    release();
    await telemetry.close();
  }
}

function stoppable(primary: Primary) {
  return {
    reload: () => primary.reload(),
    async close(how: StopHow) {
      primary.stop(how);
      await primary.ended;
    },
  };
}

async function exitCode({ say }: VerbContext, { ended }: Primary): Promise<number> {
  const end = await ended;
  if (end.kind === 'gave_up') throw new CliFailure(say.start.gaveUp(end.why));
  return end.kind === 'stopped' ? 0 : end.exitCode;
}
