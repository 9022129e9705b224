/**
 * Looking for a text that was planted: which files below a folder hold it, byte by byte.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths relative to the folder, sorted; every file is read whole. */
export function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text))
    .map((path) => path.slice(folder.length + 1))
    .sort();
}
