/**
 * The ledger's queries behind their first call: they need the query builder, which costs more
 * to load than a start should wait for.
 */
import type { LedgerQueries } from '../../gateway/ports/ledger-query.ts';
import type { Engine } from '../engine.ts';

export function lazyLedgerQueries(engine: Engine, settle: () => Promise<void>): LedgerQueries {
  let loading: Promise<LedgerQueries> | null = null;
  const load = (): Promise<LedgerQueries> => {
    loading ??= import('./ledger-queries.ts').then(({ createLedgerQueries }) =>
      createLedgerQueries(engine, settle),
    );
    return loading;
  };
  return {
    get: async (...question) => (await load()).get(...question),
    list: async (...question) => (await load()).list(...question),
    usage: async (...question) => (await load()).usage(...question),
  };
}
