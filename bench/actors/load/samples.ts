/** A bounded list of samples that costs nothing to add to; reduced to percentiles at the end. */
import { percentile } from '../../measure/stats.ts';
import type { Latencies } from '../protocol.ts';

export interface Samples {
  add(value: number): void;
  latencies(): Latencies;
}

/** Keeps the first `limit` samples; the caller chooses a limit that its own bounds imply. */
export function createSamples(limit: number): Samples {
  const values = new Float64Array(limit);
  let count = 0;
  return {
    add(value) {
      if (count === limit) return;
      values[count] = value;
      count += 1;
    },
    latencies() {
      const sorted = values.slice(0, count).sort();
      return {
        count,
        p50: percentile(sorted, 50),
        p90: percentile(sorted, 90),
        p99: percentile(sorted, 99),
        max: percentile(sorted, 100),
      };
    },
  };
}
