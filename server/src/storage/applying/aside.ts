/**
 * The file `unreadable.log` beside the journals: lines that never become rows of the ledger, for
 * people to look at.
 *
 * Lines are put aside before the ledger's position moves past them, and a database that refuses,
 * or a crash, brings them back: what stands at the file's end already is not written again.
 */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** More than the lines of one batch, so that they are found however often it is repeated. */
const COMPARED_BYTES = 1_048_576;
const LINE_FEED = '\n';

/** Answers how many of the lines were not there yet. Throws what the disk said. */
export function putAside(path: string, lines: readonly Buffer[]): number {
  const end = endOf(path);
  const known = new Set(end.split(LINE_FEED));
  const fresh = lines.filter((line) => !known.has(line.toString('latin1')));
  if (fresh.length === 0) return 0;
  const isTorn = end !== '' && !end.endsWith(LINE_FEED);
  const text = fresh.map((line) => line.toString('latin1') + LINE_FEED).join('');
  appendFileSync(path, (isTorn ? LINE_FEED : '') + text, { encoding: 'latin1', mode: 0o600 });
  return fresh.length;
}

/** Byte for byte as characters; nothing where there is no file. */
function endOf(path: string): string {
  const fd = openSync(path, 'a+', 0o600);
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, COMPARED_BYTES));
    const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('latin1', 0, read);
  } finally {
    closeSync(fd);
  }
}
