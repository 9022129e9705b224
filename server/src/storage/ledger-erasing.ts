/**
 * What erasing a tenant does to its part of the ledger, as plain statements for both engines:
 * names once, before and behind everything else, and rows along their order, some at a time, so
 * that however many there are each is looked at once and nobody who writes waits long.
 *
 * Keys and people are told apart by the dictionary: another text there makes their rows, and
 * the sums of forgotten ones, nobody's.
 */

export type LedgerErasure = 'keep' | 'erase';

/** A place among the rows of a tenant, in the order of time and id. */
export interface LedgerPlace {
  readonly createdAtMs: number;
  readonly id: string;
}

export interface ErasedRows {
  /** How many rows that concerned. */
  readonly rows: number;
  /** Where to go on; null: there are no more. */
  readonly next: LedgerPlace | null;
}

export const LEDGER_BEGIN: LedgerPlace = { createdAtMs: -1, id: '' };

type Value = string | number;
export type RunStatement = (
  sql: string,
  parameters: readonly Value[],
) => Promise<{
  readonly rows: readonly unknown[];
  readonly count: number;
}>;

const TENANT = '(select id from names where text = ?)';
const OWN_KEYS =
  `select key_id from requests where tenant_id = ${TENANT} ` +
  `union select key_id from usage_days where tenant_id = ${TENANT}`;
/** The keys of the environment and of the command line are the operators', of every tenant. */
const RENAME_KEYS =
  `update names set text = 'erased_' || id where id in (${OWN_KEYS}) ` +
  "and text not in ('key_admin', 'key_operator') and text not like 'erased\\_%' escape '\\'";
const ERASE_DAYS = `delete from usage_days where tenant_id = ${TENANT}`;

const BEHIND = '(created_at_ms, id) > (?, ?)';
const FIND_ROWS =
  `select created_at_ms, id from requests where tenant_id = ${TENANT} and ${BEHIND} ` +
  'order by created_at_ms, id limit ?';
const IN_RANGE = `tenant_id = ${TENANT} and ${BEHIND} and (created_at_ms, id) <= (?, ?)`;
const CHANGE_ROWS: Readonly<Record<LedgerErasure, string>> = {
  keep:
    `update requests set correlation_id = null where ${IN_RANGE} ` +
    'and correlation_id is not null',
  erase: `delete from requests where ${IN_RANGE}`,
};

/** In one transaction. Harmless the second time. */
export async function eraseNames(
  run: RunStatement,
  tenant: string,
  how: LedgerErasure,
): Promise<void> {
  await run(RENAME_KEYS, [tenant, tenant]);
  if (how === 'erase') await run(ERASE_DAYS, [tenant]);
}

/** In one transaction. */
export async function eraseRows(
  run: RunStatement,
  tenant: string,
  how: LedgerErasure,
  { after, limit }: { readonly after: LedgerPlace; readonly limit: number },
): Promise<ErasedRows> {
  const from = [after.createdAtMs, after.id] as const;
  const found = await run(FIND_ROWS, [tenant, ...from, limit]);
  const last = found.rows.at(-1) as { created_at_ms: number; id: string } | undefined;
  if (last === undefined) return { rows: 0, next: null };
  const next = { createdAtMs: last.created_at_ms, id: last.id };
  const { count } = await run(CHANGE_ROWS[how], [tenant, ...from, next.createdAtMs, next.id]);
  return { rows: count, next: found.rows.length < limit ? null : next };
}
