/**
 * Everything that is kept of a tenant, row by row. No password, key or hash of one leaves.
 */

export type ExportValue = string | number | null | Uint8Array;

export interface ExportRow {
  /** What it is: `api_key`, `user`, `request`, … */
  readonly kind: string;
  readonly row: Readonly<Record<string, ExportValue>>;
}

export interface TenantExporter {
  /** In pages behind the scenes; throws `storage_unavailable` where it is. */
  rows(slug: string): AsyncIterable<ExportRow>;
}
