/**
 * Counts the rows in what `pg_restore` writes of an archive, as it comes and without keeping
 * it: a table's rows stand between its line `COPY …` and a line `\.`.
 */
import type { Readable } from 'node:stream';

/** By the table's name with its schema, quoted as the server does. */
export type RowCounts = Readonly<Record<string, number>>;

const LINE_FEED = 0x0a;
/** Longer lines are rows: neither a heading nor an end has so many bytes. */
const LINE_KEPT_BYTES = 16_384;
/** Of a row no more is looked at than tells it from the end. */
const END_KEPT_BYTES = 3;
const END = '\\.';
const HEADING = /^COPY (.+?) \(.*\) FROM stdin;$/;

export async function countRows(text: Readable): Promise<RowCounts> {
  const counts: Record<string, number> = {};
  let table: string | null = null;
  let kept: Buffer[] = [];
  let keptBytes = 0;

  function keep(piece: Buffer): void {
    const most = table === null ? LINE_KEPT_BYTES : END_KEPT_BYTES;
    if (keptBytes < most) kept.push(Buffer.from(piece.subarray(0, most)));
    keptBytes += piece.length;
  }

  function endLine(): void {
    const line = keptBytes < LINE_KEPT_BYTES ? Buffer.concat(kept).toString() : '';
    kept = [];
    keptBytes = 0;
    if (table !== null && line !== END) counts[table] = (counts[table] ?? 0) + 1;
    else if (table !== null) table = null;
    else table = HEADING.exec(line)?.[1] ?? null;
  }

  for await (const chunk of text) {
    const bytes = chunk as Buffer;
    let at = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, at)) {
      keep(bytes.subarray(at, end));
      endLine();
      at = end + 1;
    }
    keep(bytes.subarray(at));
  }
  return counts;
}
