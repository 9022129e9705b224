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
