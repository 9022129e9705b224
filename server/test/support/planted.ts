/**
 * Looking for a text that was planted: which files below a folder hold it, byte by byte, and
 * whether a text does, in any of the spellings in which bytes become text.
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

/** As it is, as hexadecimal digits, or in the middle of something in base 64. */
export function holds(text: string, planted: string): boolean {
  const hex = Buffer.from(planted).toString('hex');
  const spellings = [planted, encodeURIComponent(planted), hex, ...base64Cores(planted)];
  return spellings.some((spelling) => text.includes(spelling));
}

/** What stands for its bytes whatever comes before and behind them. */
function base64Cores(planted: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(planted)]);
    const whole = bytes.subarray(before === 0 ? 0 : 3, bytes.length - (bytes.length % 3));
    return [whole.toString('base64'), whole.toString('base64url')];
  });
}
