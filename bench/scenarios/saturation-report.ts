/** The table of a saturation scenario, and what its samples say about their own worth. */
import { pairedRatio, type Summary, summarise } from '../measure/stats.ts';
import { NO_FIGURE, percent, spread } from '../report/format.ts';
import type { Variant, VariantId } from '../subjects/subject.ts';
import type { Rounds } from './rounds.ts';
import type { SaturationSample } from './saturation.ts';
import type { Table } from './scenario.ts';

type Samples = Rounds<SaturationSample>['samples'];

/** Above this share of a core the generator may be what limits a subject that is not busy. */
const BUSY = 0.9;

export function summariseBy(
  samples: Samples,
  id: VariantId,
  value: (sample: SaturationSample) => number,
): Summary | null {
  return summarise(valuesOf(samples, id, value));
}

/** CPU of one variant as a multiple of another's, round by round. */
export function cpuRatio(samples: Samples, part: VariantId, whole: VariantId): Summary | null {
  const cpu = (id: VariantId) => valuesOf(samples, id, (sample) => sample.cpuUsPerCall);
  return pairedRatio(cpu(part), cpu(whole));
}

export function saturationTable(
  samples: Samples,
  variants: readonly Variant[],
  call: string,
): Table {
  const rows = variants.map(({ id, label }) => {
    const busy = summariseBy(samples, id, (sample) => sample.generatorAndUpstreamBusy);
    return [
      label,
      spread(
        summariseBy(samples, id, (sample) => sample.cpuUsPerCall),
        1,
      ),
      id === 'pass-through' ? '1' : spread(cpuRatio(samples, id, 'pass-through'), 2),
      spread(
        summariseBy(samples, id, (sample) => sample.callsPerSecond),
        0,
      ),
      spread(
        summariseBy(samples, id, (sample) => sample.rssMb),
        0,
      ),
      busy === null ? NO_FIGURE : percent(busy.median),
    ];
  });
  return {
    columns: [
      'variant',
      `CPU µs/${call}`,
      '× pass-through',
      `${call}s/s, one core`,
      'RSS MB',
      'load core',
    ],
    rows,
  };
}

/** Says where the generator was the limit: throughput is then a lower bound. */
export function saturationNotes(samples: Samples, variants: readonly Variant[]): string[] {
  return variants.flatMap(({ id, label }) => {
    const generator = summariseBy(samples, id, (sample) => sample.generatorAndUpstreamBusy);
    const subject = summariseBy(samples, id, (sample) => sample.subjectBusy);
    if (generator === null || subject === null) return [];
    if (generator.median < BUSY && subject.median < BUSY) {
      return [
        `${label}: neither its core (${percent(subject.median)}) nor the generator's was busy: ` +
          'something else used the machine, or the subject waited.',
      ];
    }
    if (generator.median < BUSY || subject.median >= BUSY) return [];
    return [
      `${label}: generator and upstream were saturated first (${percent(generator.median)} of ` +
        `their core, the subject ${percent(subject.median)}); throughput is a lower bound.`,
    ];
  });
}

function valuesOf(
  samples: Samples,
  id: VariantId,
  value: (sample: SaturationSample) => number,
): (number | null)[] {
  return (samples.get(id) ?? []).map((sample) => (sample === null ? null : value(sample)));
}
