/**
 * Keeps the newest backups of a folder. Only what has a backup's name and its first page counts
 * and is removed; what a backup that was cut off left behind goes as well, after a day.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NAME } from './create.ts';
import { isThere, moveTo, remove } from './files.ts';
import { MANIFEST_FILE } from './manifest.ts';

const DAY_MS = 86_400_000;
const LEFT_BEHIND = /^esclusa-\d{8}T\d{6}Z\.[0-9a-f]{12}\.partial$/;

/** Answers the paths of what was removed, oldest first. */
export async function keepNewest(
  folder: string,
  count: number,
  nowMs: number,
): Promise<readonly string[]> {
  const names = readdirSync(folder).sort();
  const backups = names.filter(
    (name) => NAME.test(name) && isThere(join(folder, name, MANIFEST_FILE)),
  );
  const old = backups.slice(0, Math.max(0, backups.length - count));
  for (const name of old) {
    // Under another name first: half of a backup must not look like one.
    const going = join(folder, `${name}.000000000000.partial`);
    await remove(going);
    await moveTo(join(folder, name), going);
    await remove(going);
  }
  for (const name of names.filter((each) => LEFT_BEHIND.test(each))) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && nowMs - stat.mtimeMs > DAY_MS) await remove(path);
  }
  return old.map((name) => join(folder, name));
}
