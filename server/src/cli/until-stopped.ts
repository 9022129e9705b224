/**
 * Waits for people and machines to say that it is enough: the first SIGTERM drains; the first
 * SIGINT, which no balancer stands behind, only lets running requests end; the second of either
 * hurries. SIGHUP reads the configuration again.
 */
import { type VerbContext, writeLine } from './context.ts';

export interface Stoppable {
  /** Resolves when it has stopped; harmless the second time, `now` hurries the first. */
  close(how: 'drain' | 'finish' | 'now'): Promise<void>;
  reload(): Promise<void>;
}

/** A package manager passes one Ctrl-C on a second time; that is not a person in a hurry. */
const SAME_SIGNAL_MS = 1000;

/** Resolves when it has stopped, also where it did so by itself: then `gone` resolves. */
export async function untilStopped(
  context: VerbContext,
  server: Stoppable,
  gone: Promise<unknown> = new Promise(() => undefined),
): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  let stoppingSinceMs: number | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    const isFirst = stoppingSinceMs === null;
    stoppingSinceMs ??= context.nowMs();
    if (!isFirst && context.nowMs() - stoppingSinceMs < SAME_SIGNAL_MS) return;
    if (isFirst && context.terminal.isInteractive) writeLine(context, context.say.start.stopping);
    const gently = signal === 'SIGINT' ? 'finish' : 'drain';
    server.close(isFirst ? gently : 'now').then(stopped.resolve, stopped.reject);
  };
  const reload = (): void => {
    server.reload().catch(stopped.reject);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  try {
    await Promise.race([stopped.promise, gone]);
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload);
  }
}
