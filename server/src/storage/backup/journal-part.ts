/**
 * The journals beside a database: what was acknowledged and is not in the database yet. They
 * are copied before the database is, so that an entry is in the one, in the other, or in both;
 * twice does no harm, because entries are applied by their id.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { claimInstance, listInstances } from '../journal/ownership.ts';
import { listSegments, segmentPath } from '../journal/position.ts';
import { copyPrivately } from './files.ts';

/** Copies every journal below `root`; answers paths within `to`, with `/`. */
export async function copyJournals(
  root: string,
  to: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const instance of listInstances(root)) {
    const directory = join(root, instance);
    for (const segment of segmentsOf(directory)) {
      const from = segmentPath(directory, segment);
      const path = `${instance}/${segmentPath('', segment)}`;
      try {
        await copyPrivately(from, join(to, path), signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        continue; // applied meanwhile: the database has it
      }
      copied.push(path);
    }
  }
  return copied;
}

/** Whether some process that lives writes one of the journals below `root`. */
export function isJournalInUse(root: string): boolean {
  return listInstances(root).some((instance) => {
    const claim = claimInstance(root, instance);
    claim?.release();
    return claim === null && existsSync(join(root, instance));
  });
}

export function hasJournals(root: string): boolean {
  return listInstances(root).some((instance) => readdirSync(join(root, instance)).length > 0);
}

/** None where its owner has just ended well. */
function segmentsOf(directory: string): readonly number[] {
  try {
    return listSegments(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
