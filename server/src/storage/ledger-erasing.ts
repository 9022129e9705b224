/**
 * What erasing a tenant does to its rows of the ledger, as plain statements for both engines;
 * each is done for some rows at a time, or for few.
 *
 * Keys and people are told apart by the dictionary: another text there makes their rows, and
 * the sums of forgotten ones, nobody's.
 */

export type LedgerErasure = 'keep' | 'erase';

export interface ErasingStatement {
  readonly sql: string;
  /** In their order; `limit`: how many rows at a time. */
  readonly parameters: readonly ('tenant' | 'limit')[];
  /** Its rows are counted; one that takes as many as the limit is done again. */
  readonly isCounted: boolean;
}

const TENANT = '(select id from names where text = ?)';
const OWN_KEYS =
  `select key_id from requests where tenant_id = ${TENANT} ` +
  `union select key_id from usage_days where tenant_id = ${TENANT}`;

const DELETE_ROWS =
  'delete from requests where id in ' +
  `(select id from requests where tenant_id = ${TENANT} limit ?)`;
const FORGET_CORRELATION =
  'update requests set correlation_id = null where id in ' +
  `(select id from requests where tenant_id = ${TENANT} and correlation_id is not null limit ?)`;
/** The keys of the environment and of the command line are the operators', of every tenant. */
const RENAME_KEYS =
  `update names set text = 'erased_' || id where id in (${OWN_KEYS}) ` +
  "and text not in ('key_admin', 'key_operator') and text not like 'erased\\_%' escape '\\'";

export const ERASING: Readonly<Record<LedgerErasure, readonly ErasingStatement[]>> = {
  keep: [
    { sql: RENAME_KEYS, parameters: ['tenant', 'tenant'], isCounted: false },
    { sql: FORGET_CORRELATION, parameters: ['tenant', 'limit'], isCounted: true },
  ],
  erase: [
    { sql: RENAME_KEYS, parameters: ['tenant', 'tenant'], isCounted: false },
    {
      sql: `delete from usage_days where tenant_id = ${TENANT}`,
      parameters: ['tenant'],
      isCounted: false,
    },
    { sql: DELETE_ROWS, parameters: ['tenant', 'limit'], isCounted: true },
  ],
};

export function parametersOf(
  { parameters }: ErasingStatement,
  tenant: string,
  limit: number,
): readonly (string | number)[] {
  return parameters.map((name) => (name === 'tenant' ? tenant : limit));
}
