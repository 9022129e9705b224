/**
 * What the arms of an experiment did, out of the ledger: counted over their newest exchanges,
 * so that an experiment of any size costs the same to look at.
 */
import type { ArmFiguresReader } from '../../operations/ports/arm-figures.ts';
import { CACHE_STATUSES, codeOf, OUTCOMES } from '../codes.ts';
import type { Engine } from '../engine.ts';

const NEWEST_MAX = 2000;
const US_PER_MS = 1000;
const P95 = 0.95;
/** Of the normal distribution, for 95 % on one side. */
const Z = 1.645;

interface Row {
  readonly outcome: number;
  readonly duration_us: number;
  readonly cost_nanousd: number | null;
}

export function createArmFigures(engine: Engine, settle: () => Promise<void>): ArmFiguresReader {
  const failed = codeOf(OUTCOMES, 'failed');
  const evidence = [codeOf(OUTCOMES, 'completed'), failed];
  const asked = [codeOf(CACHE_STATUSES, 'MISS'), codeOf(CACHE_STATUSES, 'BYPASS')];
  const sql =
    'select outcome, duration_us, cost_nanousd from requests ' +
    'where arm_id = (select id from names where text = ?) and created_at_ms >= ? ' +
    'and outcome in (?, ?) and cache in (?, ?) ' +
    `order by created_at_ms desc limit ${NEWEST_MAX}`;

  async function figuresOf(arm: string, sinceMs: number) {
    const parameters = [arm, sinceMs, ...evidence, ...asked];
    const rows = await engine.read<Row>(null, sql, parameters);
    const failures = rows.filter(({ outcome }) => outcome === failed).length;
    const good = rows.filter(({ outcome }) => outcome !== failed);
    const costs = good.flatMap(({ cost_nanousd: cost }) => (cost === null ? [] : [cost]));
    const durations = good.map(({ duration_us }) => duration_us).sort((a, b) => a - b);
    const total = costs.reduce((sum, cost) => sum + cost, 0);
    return {
      samples: rows.length,
      failures,
      ...percentiles(durations),
      mean_cost_nanousd: costs.length === 0 ? null : total / costs.length,
    };
  }

  return {
    async read(flag, sinceMs) {
      await settle();
      const [candidate, control] = await Promise.all([
        figuresOf(`${flag}/candidate`, sinceMs),
        figuresOf(`${flag}/control`, sinceMs),
      ]);
      return { candidate, control };
    },
  };
}

/** Of rising times; the bounds are those of the binomial distribution of ranks. */
function percentiles(risingUs: readonly number[]) {
  const { length } = risingUs;
  const rank = length * P95;
  const spread = Z * Math.sqrt(rank * (1 - P95));
  const at = (wanted: number): number | null => {
    const place = Math.min(length, Math.max(1, wanted));
    const foundUs = risingUs[place - 1];
    return foundUs === undefined ? null : foundUs / US_PER_MS;
  };
  return {
    p95_ms: at(Math.ceil(rank)),
    p95_low_ms: at(Math.floor(rank - spread)),
    p95_high_ms: at(Math.ceil(rank + spread)),
  };
}
