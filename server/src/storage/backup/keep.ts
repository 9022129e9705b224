/**
 * Keeps the newest backups of a folder. Only what has a backup's name and a first page of this
 * installation counts and is removed; what a backup that was cut off left behind goes as well,
 * after a day.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NAME } from './create.ts';
import { moveTo, remove } from './files.ts';
import { type BackupKeys, MANIFEST_FILE, readManifest } from './manifest.ts';

const DAY_MS = 86_400_000;
const LEFT_BEHIND = /^esclusa-\d{8}T\d{6}Z\.[0-9a-f]{12}\.partial$/;

export interface KeepOptions {
  readonly keys: BackupKeys;
  readonly count: number;
  readonly nowMs: number;
}

/** Answers the paths of what was removed, oldest first. */
export async function keepNewest(
  folder: string,
  { keys, count, nowMs }: KeepOptions,
): Promise<readonly string[]> {
  const names = readdirSync(folder).sort();
  const backups = names.filter((name) => NAME.test(name) && isOurs(join(folder, name), keys));
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

/** Another installation may keep its backups in the same folder. */
function isOurs(path: string, keys: BackupKeys): boolean {
  const page = join(path, MANIFEST_FILE);
  if (!existsSync(page)) return false;
  try {
    readManifest(readFileSync(page, 'utf8'), keys);
    return true;
  } catch {
    return false;
  }
}
