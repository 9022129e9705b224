/**
 * Everything that is kept of a tenant as lines of JSON, while it is read: nothing is held but
 * the page that is on its way. The last line counts the others and has their digest; without it
 * the export is not whole.
 */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { ExportValue, TenantExporter } from './ports/tenant-exporter.ts';

export async function* exportLines(exporter: TenantExporter, slug: string): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const counts = new Map<string, number>();
  for await (const { kind, row } of exporter.rows(slug)) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const members = Object.entries(row).map(([name, value]) => [name, shown(value)] as const);
    const line = `${JSON.stringify({ kind, ...Object.fromEntries(members) })}\n`;
    hash.update(line);
    yield line;
  }
  const end = { kind: 'end', counts: Object.fromEntries(counts), sha256: hash.digest('hex') };
  yield `${JSON.stringify(end)}\n`;
}

/** Bytes that are text as text, others in base64. */
function shown(value: ExportValue) {
  if (!(value instanceof Uint8Array)) return value;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}
