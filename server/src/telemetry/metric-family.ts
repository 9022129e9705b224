/**
 * One metric with all its series: what meters move, and what the exposition reads.
 *
 * A child is a plain number (or array of numbers) that its holder keeps and moves directly:
 * looking a series up by its labels costs more than a whole exchange's metrics may. The
 * exposition library reads the family through `get()` in its own shape.
 *
 * Invariant: at most `maxSeries` children plus, for labels with outside values, those where
 * these read `other`; a value that is not finite or would lower a counter is left out.
 */
import type {
  Counter,
  Gauge,
  Histogram,
  MetricReport,
  MetricType,
  Sample,
} from '../kernel/meter.ts';
import type { MetricSpec } from './metric-spec.ts';

export type LabelValues<Label extends string> = Readonly<Record<Label, string>>;

export interface Family<Label extends string, Meter> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** The series of these labels, made at first sight; keep it where it is moved often. */
  child(labels: LabelValues<Label>): Meter;
  /** Read at every scrape and added to the children: figures that others keep. */
  sample(read: () => readonly Sample[]): void;
  get(): Promise<MetricReport>;
}

const OTHER = 'other';

interface Series {
  samples(name: string, labels: LabelValues<string>): Sample[];
}

function createFamily<Label extends string, Meter extends Series>(
  spec: MetricSpec<Label>,
  maxSeries: number,
  create: () => Meter,
): Family<Label, Meter> {
  const children = new Map<
    string,
    { readonly labels: LabelValues<Label>; readonly meter: Meter }
  >();
  const readers: (() => readonly Sample[])[] = [];

  function child(labels: LabelValues<Label>): Meter {
    const key = spec.labels.map((label) => labels[label]).join('\u0000');
    const known = children.get(key);
    if (known !== undefined) return known.meter;
    const collapses = spec.open.some((label) => labels[label] !== OTHER);
    if (children.size >= maxSeries && collapses) return child(collapsed(spec, labels));
    const meter = create();
    children.set(key, { labels: { ...labels }, meter });
    return meter;
  }

  return {
    name: spec.name,
    help: spec.help,
    type: spec.type,
    child,
    sample: (read) => void readers.push(read),
    async get() {
      const values = [...children.values()].flatMap(({ labels, meter }) =>
        meter.samples(spec.name, labels),
      );
      values.push(...readers.flatMap((read) => read()));
      const { name, help, type, aggregation: aggregator } = spec;
      return { name, help, type, aggregator, values };
    },
  };
}

function collapsed<Label extends string>(
  spec: MetricSpec<Label>,
  labels: LabelValues<Label>,
): LabelValues<Label> {
  const copy: Record<Label, string> = { ...labels };
  for (const label of spec.open) copy[label] = OTHER;
  return copy;
}

class CounterSeries implements Counter, Series {
  #value = 0;

  add(amount: number): void {
    if (amount > 0 && amount < Number.POSITIVE_INFINITY) this.#value += amount;
  }

  samples(_: string, labels: LabelValues<string>): Sample[] {
    return [{ labels, value: this.#value }];
  }
}

class GaugeSeries implements Gauge, Series {
  #value = 0;

  set(value: number): void {
    if (Number.isFinite(value)) this.#value = value;
  }

  samples(_: string, labels: LabelValues<string>): Sample[] {
    return [{ labels, value: this.#value }];
  }
}

class HistogramSeries implements Histogram, Series {
  readonly #bounds: readonly number[];
  /** One more than the bounds: the last counts what lies above them all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    if (!Number.isFinite(value)) return;
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  samples(name: string, labels: LabelValues<string>): Sample[] {
    if (this.#counts.every((count) => count === 0)) return []; // made ahead, not used yet
    let below = 0;
    const buckets = this.#counts.map((count, at) => {
      below += count;
      const bound = this.#bounds[at] ?? '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}

export type CounterFamily<Label extends string> = Family<Label, Counter>;
export type GaugeFamily<Label extends string> = Family<Label, Gauge>;
export type HistogramFamily<Label extends string> = Family<Label, Histogram>;

export function createCounterFamily<Label extends string>(
  spec: MetricSpec<Label>,
  maxSeries: number,
): CounterFamily<Label> {
  return createFamily(spec, maxSeries, () => new CounterSeries());
}

export function createGaugeFamily<Label extends string>(
  spec: MetricSpec<Label>,
  maxSeries: number,
): GaugeFamily<Label> {
  return createFamily(spec, maxSeries, () => new GaugeSeries());
}

export function createHistogramFamily<Label extends string>(
  spec: MetricSpec<Label>,
  maxSeries: number,
): HistogramFamily<Label> {
  return createFamily(spec, maxSeries, () => new HistogramSeries(spec.buckets));
}
