/**
 * Meters as everyone may use them: numbers under fixed names with fixed labels. The adapter
 * (telemetry) holds the one table of names; a domain receives the few meters it moves.
 */

export interface Counter {
  add(amount: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export interface Histogram {
  record(value: number): void;
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** How the figures of several processes become one. */
export type Aggregation = 'sum' | 'max' | 'min' | 'first';

/** One line of the exposition; `metricName` where it differs from the family's. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** One metric with all its series, as data that can be sent. */
export interface MetricReport {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregation;
  readonly values: Sample[];
}
