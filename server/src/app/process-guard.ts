/**
 * The last resort of a process that is this program's alone: what nobody caught is told in one
 * line that passed the redactor. Node's own report is not used, because it prints whatever hangs
 * on an error, headers and bodies included.
 *
 * A rejection that nobody handled belongs to one thing that was being done, and the process goes
 * on. After an exception that nobody caught nothing is certain any more: the process ends with 1,
 * what it acknowledged is in the journal, and whoever supervises it starts another.
 */
import type { Telemetry } from './telemetry.ts';

const FAILED = 1;

/** Answers the way to undo it. */
export function guardProcess({ log }: Telemetry): () => void {
  const told = log.named('process');
  const onException = (error: unknown): void => {
    told.error('the process ends: nobody caught an error', { error });
    log.flushSync();
    process.exit(FAILED);
  };
  const onRejection = (error: unknown): void => {
    told.error('nobody caught the rejection of a promise', { error });
  };
  process.on('uncaughtException', onException).on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException).off('unhandledRejection', onRejection);
  };
}
