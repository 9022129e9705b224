/**
 * Watches one file by asking for its stamp and comparing the hash of its text. Works for editors
 * that replace files and for mounted maps that swap links, and needs no help of the file system.
 *
 * Says that the text differs from what was seen before, also when the file came or went; what
 * to do about it is the caller's business.
 */
import { createHash } from 'node:crypto';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { FileAccess } from './source/files.ts';

/** A file changed this recently may change again without a new stamp, so it is read again. */
const STAMP_UNSURE_MS = 2500;

export interface WatchOptions {
  readonly file: string;
  /** Hash of the text as it is known; null: there was no file. */
  readonly hash: string | null;
  readonly intervalMs: number;
  readonly files: FileAccess;
  readonly clock: Clock;
  /** The file differs; the next look waits until this has settled. */
  readonly changed: () => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

export interface Watch {
  stop(): void;
}

/** The hash by which texts of the file are told apart; null where there is no file. */
export function hashOf(text: string | null): string | null {
  return text === null ? null : createHash('sha256').update(text).digest('hex');
}

/** Begins to look, the first time after one interval. */
export function watchFile(options: WatchOptions): Watch {
  const { file, intervalMs, files, clock, changed, failed } = options;
  let { hash } = options;
  let identity: string | null = null;
  let timer: Timer | null = null;
  let stopped = false;

  async function look(): Promise<void> {
    const stamp = await files.stamp(file);
    const unsure = stamp !== null && clock.wallMs() - stamp.modifiedMs < STAMP_UNSURE_MS;
    if (stamp !== null && stamp.identity === identity && !unsure) return;
    const found = hashOf(stamp === null ? null : await files.read(file));
    identity = stamp?.identity ?? null;
    if (found === hash) return;
    hash = found;
    await changed();
  }

  function schedule(): void {
    if (stopped) return;
    timer = clock.setTimer(intervalMs, () => {
      look().catch(failed).finally(schedule);
    });
  }

  schedule();
  return {
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
