/**
 * What becomes of a plan that raises a flag: pure decisions over the figures of both arms.
 *
 * 1. A step is left upwards only after its time, with its samples, and within its guards.
 * 2. A guard that breaks takes the flag back to nobody, at any step, and for good: only a person
 *    begins again.
 * 3. A guard judges when the step has its samples. Failures are judged earlier where they are so
 *    many that chance does not explain them (lower bound of Wilson's interval, 95 %).
 * 4. Slowness is judged by the bounds between which both 95th percentiles lie: by what chance
 *    does not explain.
 * 5. Where the old arm gets next to nothing any more, the new one is compared with what the old
 *    one last did.
 */
import type { Rollout, RolloutPlan } from '@esclusa/contracts';
import type { FlagRecord } from '../ports/flag-repository.ts';

export type ArmFigures = NonNullable<Rollout['candidate']>;

export interface Figures {
  readonly candidate: ArmFigures;
  readonly control: ArmFigures;
}

export type Guard = keyof RolloutPlan['guards'];

export type Decision =
  | { readonly kind: 'hold' }
  | { readonly kind: 'advance' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'roll_back'; readonly guard: Guard };

/** Fewer calls say nothing, however many of them fail. */
const EARLY_SAMPLES = 5;
/** Fewer calls of the old arm are stragglers, and nothing to compare with. */
const CONTROL_SAMPLES = 20;
/** Of the normal distribution, for 95 % on one side. */
const Z = 1.645;

export function beginRollout(plan: RolloutPlan, nowMs: number): Rollout {
  const base = {
    status: 'running',
    step: 0,
    reason: null,
    candidate: null,
    control: null,
  } as const;
  return { ...plan, ...base, step_since: new Date(nowMs).toISOString() };
}

export function decide(rollout: Rollout, figures: Figures, nowMs: number): Decision {
  const step = rollout.steps[rollout.step];
  if (rollout.status !== 'running' || step === undefined) return { kind: 'hold' };
  const guard = brokenGuard(rollout, figures, step.min_samples);
  if (guard !== null) return { kind: 'roll_back', guard };
  const soakedMs = nowMs - Date.parse(rollout.step_since);
  const isSoaked = soakedMs >= step.soak_seconds * 1000;
  if (!isSoaked || figures.candidate.samples < step.min_samples) return { kind: 'hold' };
  return rollout.step + 1 < rollout.steps.length ? { kind: 'advance' } : { kind: 'complete' };
}

/** The flag as the decision leaves it; null where it changes nothing. */
export function applied(
  record: FlagRecord,
  decision: Decision,
  figures: Figures,
  nowMs: number,
): FlagRecord | null {
  const { rollout } = record;
  if (rollout === null) return null;
  const stamp = { updatedAtMs: nowMs, updatedBy: 'rollout', version: record.version + 1 };
  const control = comparable(rollout, figures.control);
  const told = { ...rollout, candidate: figures.candidate, control };
  switch (decision.kind) {
    case 'hold':
      return null;
    case 'roll_back':
      return {
        ...{ ...record, ...stamp, percentage: 0 },
        rollout: { ...told, status: 'rolled_back', reason: decision.guard },
      };
    case 'complete':
      return { ...record, ...stamp, rollout: { ...told, status: 'completed', reason: null } };
    case 'advance': {
      const step = rollout.step + 1;
      const percentage = rollout.steps[step]?.percentage ?? record.percentage;
      const step_since = new Date(nowMs).toISOString();
      return { ...record, ...stamp, percentage, rollout: { ...told, step, step_since } };
    }
  }
}

function brokenGuard(rollout: Rollout, figures: Figures, needed: number): Guard | null {
  const { guards } = rollout;
  const { candidate } = figures;
  if (candidate.samples === 0) return null;
  const control = comparable(rollout, figures.control);
  const isEnough = candidate.samples >= Math.max(1, needed);
  if (guards.error_rate !== null) {
    const allowed = (control === null ? 0 : rateOf(control)) + guards.error_rate;
    const early = candidate.samples >= EARLY_SAMPLES && lowerBound(candidate) > allowed;
    if (early || (isEnough && rateOf(candidate) > allowed)) return 'error_rate';
  }
  if (!isEnough || control === null) return null;
  const { latency_ratio: slower } = guards;
  if (exceeds(candidate.p95_low_ms, control.p95_high_ms, slower)) return 'latency_ratio';
  const [own, other] = [candidate.mean_cost_nanousd, control.mean_cost_nanousd];
  return exceeds(own, other, guards.cost_ratio) ? 'cost_ratio' : null;
}

/** What the old arm does, or did when it last did enough; null: too little is known of it. */
function comparable(rollout: Rollout, control: ArmFigures): ArmFigures | null {
  return [control, rollout.control].find((arm) => (arm?.samples ?? 0) >= CONTROL_SAMPLES) ?? null;
}

function exceeds(own: number | null, other: number | null, ratio: number | null): boolean {
  return ratio !== null && own !== null && other !== null && other > 0 && own > other * ratio;
}

function rateOf({ failures, samples }: ArmFigures): number {
  return samples === 0 ? 0 : failures / samples;
}

/** The least rate of failures that these are compatible with. */
function lowerBound({ failures, samples }: ArmFigures): number {
  const rate = failures / samples;
  const square = Z * Z;
  const centre = rate + square / (2 * samples);
  const spread = Z * Math.sqrt((rate * (1 - rate) + square / (4 * samples)) / samples);
  return Math.max(0, (centre - spread) / (1 + square / samples));
}
