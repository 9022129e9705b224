/**
 * The metrics of this process: one family for each row of the table, and their exposition in
 * Prometheus' text format, also over several processes.
 *
 * The exposition library is loaded at the first scrape: a start does not need it. It has its
 * own registry, never the global one.
 */
import type { Registry } from '@prometheus-io/client';
import type { MetricReport, Sample } from '../kernel/meter.ts';
import {
  type CounterFamily,
  createCounterFamily,
  createGaugeFamily,
  createHistogramFamily,
  type GaugeFamily,
  type HistogramFamily,
} from './metric-family.ts';
import { METRICS, type MetricKey } from './metric-table.ts';

/** Series of one metric before outside labels collapse; a histogram's each have 14 lines. */
const MAX_SERIES = 500;

type LabelOf<Key extends MetricKey> = (typeof METRICS)[Key]['labels'][number];
type FamilyOf<Key extends MetricKey> = (typeof METRICS)[Key]['type'] extends 'counter'
  ? CounterFamily<LabelOf<Key>>
  : (typeof METRICS)[Key]['type'] extends 'gauge'
    ? GaugeFamily<LabelOf<Key>>
    : HistogramFamily<LabelOf<Key>>;

export type MetricFamilies = { readonly [Key in MetricKey]: FamilyOf<Key> };

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export interface Metrics extends MetricFamilies {
  /** What `/metrics` answers. */
  expose(): Promise<Exposition>;
  /** The same as data, to be sent to the process that aggregates. */
  reports(): Promise<readonly MetricReport[]>;
}

export function createMetrics(maxSeries: number = MAX_SERIES): Metrics {
  const families = createFamilies(maxSeries);
  const list = Object.values(families);
  let registry: Promise<Registry> | null = null;
  return {
    ...families,
    async expose() {
      registry ??= registryOf(list);
      return exposition(await registry);
    },
    reports: () => Promise.all(list.map((family) => family.get())),
  };
}

/** One exposition of several processes' figures, each metric joined as its row says. */
export async function exposeTogether(
  reports: readonly (readonly MetricReport[])[],
): Promise<Exposition> {
  const { Registry } = await import('@prometheus-io/client');
  return exposition(Registry.aggregate(withWorstBreakers(reports)));
}

/** Breaker states by how bad they are: half open is a larger number than open, and better. */
const BREAKER_STATES = [0, 2, 1];

/** One list of all breakers, each in the worst of its states, in place of one for each process. */
function withWorstBreakers(reports: readonly (readonly MetricReport[])[]): MetricReport[][] {
  const { name } = METRICS.breakerState;
  const worst = new Map<string, Sample>();
  for (const sample of reports.flat().flatMap((each) => (each.name === name ? each.values : []))) {
    const key = JSON.stringify(sample.labels);
    const before = BREAKER_STATES.indexOf(worst.get(key)?.value ?? 0);
    if (BREAKER_STATES.indexOf(sample.value) >= before) worst.set(key, sample);
  }
  const joined = [...worst.values()];
  return reports.map((report, at) =>
    report.map((each) => (each.name === name ? { ...each, values: at === 0 ? joined : [] } : each)),
  );
}

/** A reader for `family.sample` of a metric without labels. */
export function single(read: () => number): () => readonly Sample[] {
  return () => [{ labels: {}, value: read() }];
}

function createFamilies(maxSeries: number): MetricFamilies {
  const families: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(METRICS)) {
    if (spec.type === 'counter') families[key] = createCounterFamily(spec, maxSeries);
    else if (spec.type === 'gauge') families[key] = createGaugeFamily(spec, maxSeries);
    else families[key] = createHistogramFamily(spec, maxSeries);
  }
  return families as MetricFamilies; // one family per key of the same table, by its type
}

interface Registrable {
  get(): Promise<MetricReport>;
}

async function registryOf(families: readonly Registrable[]): Promise<Registry> {
  const { Registry } = await import('@prometheus-io/client');
  const registry = new Registry();
  for (const family of families) {
    // The registry asks a metric for its name and `get()`; its type also lists what moves it.
    registry.registerMetric(family as unknown as Parameters<Registry['registerMetric']>[0]);
  }
  return registry;
}

async function exposition(registry: Registry): Promise<Exposition> {
  return { contentType: registry.contentType, text: await registry.metrics() };
}
