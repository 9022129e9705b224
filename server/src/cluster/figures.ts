/**
 * The figures of all members, as they last told them, and what those that ended had counted.
 *
 * Counters and histograms of one that ended stay in the sum, as of its last report: a sum that
 * falls would look to Prometheus like a restart of everything. Its gauges end with it. Bounded
 * by the members and by the series that a member may have.
 */
import type { MetricReport, Sample } from '../kernel/meter.ts';

export type Reports = readonly MetricReport[];

export interface FiguresBook {
  take(member: number, reports: Reports): void;
  end(member: number): void;
  /** One list for each member, and one for those that ended. */
  all(): readonly Reports[];
}

export function createFiguresBook(): FiguresBook {
  const latest = new Map<number, Reports>();
  const ended = new Map<string, Ended>();
  return {
    take: (member, reports) => void latest.set(member, reports),
    end(member) {
      for (const report of latest.get(member) ?? []) {
        if (report.type !== 'gauge') addTo(ended, report);
      }
      latest.delete(member);
    },
    all() {
      const left = [...ended.values()].map(({ report, values }) => ({
        ...report,
        values: [...values.values()],
      }));
      return left.length === 0 ? [...latest.values()] : [...latest.values(), left];
    },
  };
}

interface Ended {
  readonly report: MetricReport;
  readonly values: Map<string, Sample>;
}

function addTo(ended: Map<string, Ended>, report: MetricReport): void {
  const sum = ended.get(report.name) ?? { report, values: new Map<string, Sample>() };
  ended.set(report.name, sum);
  for (const sample of report.values) {
    const key = JSON.stringify([sample.metricName, sample.labels]);
    const before = sum.values.get(key)?.value ?? 0;
    sum.values.set(key, { ...sample, value: before + sample.value });
  }
}
