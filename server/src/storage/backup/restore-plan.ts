/**
 * Puts files in their places so that all of them are the new ones or none is. The moves are
 * written down before the first; whoever finds that note knows that they were cut off, takes
 * back what was done, and until then nobody works on what is half one and half the other.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupError } from './failure.ts';
import { moveTo, remove, sync, writePrivately } from './files.ts';

export interface Move {
  readonly from: string;
  readonly to: string;
}

const PLAN_FILE = 'restore.json';

/** Throws `restore_unfinished` where a restore was cut off between two moves. */
export function requireNoUnfinishedRestore(dataDir: string): void {
  if (existsSync(join(dataDir, PLAN_FILE))) {
    throw new BackupError('restore_unfinished', { where: dataDir });
  }
}

/**
 * Makes the moves and then does `work`, which belongs to them. Throws what it or the disk said,
 * with everything where it was.
 */
export async function carryOut(
  dataDir: string,
  moves: readonly Move[],
  work: () => Promise<void>,
): Promise<void> {
  requireSound(moves);
  const plan = join(dataDir, PLAN_FILE);
  const draft = `${plan}.new`;
  await remove(draft);
  await writePrivately(draft, `${JSON.stringify({ moves })}\n`);
  await moveTo(draft, plan);
  try {
    for (const { from, to } of moves) await moveTo(from, to);
    await work();
  } catch (error) {
    await takeBack(moves);
    await forget(dataDir, plan);
    throw error;
  }
  await forget(dataDir, plan);
}

/** Takes back what a restore that was cut off had done. */
export async function undoUnfinished(dataDir: string): Promise<void> {
  const plan = join(dataDir, PLAN_FILE);
  if (!existsSync(plan)) return;
  const { moves } = JSON.parse(readFileSync(plan, 'utf8')) as { readonly moves: readonly Move[] };
  await takeBack(moves);
  await forget(dataDir, plan);
}

/** What is where must tell afterwards which moves were made. */
function requireSound(moves: readonly Move[]): void {
  const vacated = new Set<string>();
  for (const { from, to } of moves) {
    if (!existsSync(from)) throw new Error(`${from} is missing`);
    if (existsSync(to) && !vacated.has(to)) throw new Error(`${to} is there already`);
    vacated.add(from);
  }
}

/** Moves that were not made are told by what is where. */
async function takeBack(moves: readonly Move[]): Promise<void> {
  for (const { from, to } of moves.toReversed()) {
    if (existsSync(to) && !existsSync(from)) await moveTo(to, from);
  }
}

async function forget(dataDir: string, plan: string): Promise<void> {
  await remove(plan);
  await sync(dataDir);
}
