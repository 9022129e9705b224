/**
 * The plans that raise flags, carried on for as long as a process runs.
 */
import { type RolloutEvent, startRollouts } from '../operations/index.ts';
import type { Parts, Undo } from './parts.ts';

const MS_PER_SECOND = 1000;

/** Carries the plans on until the process stops. */
export function carryPlans(
  { clock, storage, telemetry, identity, loaded, flags }: Parts,
  undo: Undo,
): void {
  const tell = ({ flag, kind, ...details }: RolloutEvent): void => {
    void identity.audit.record({
      ...{ tenant: 'default', actor: 'rollout', action: `flags.${kind}`, subject: flag },
      ...{ outcome: 'success', address: null, requestId: null, details },
    });
    telemetry.metrics.rolloutDecisions.child({ decision: kind }).add(1);
  };
  const runner = startRollouts({
    ...{ repository: storage.flags, figures: storage.arms, tell, clock },
    refresh: () => flags.snapshot.refresh(),
    log: telemetry.log.named('rollout'),
    intervalMs: loaded.config.flags.rolloutSeconds * MS_PER_SECOND,
  });
  undo.push(() => runner.stop());
}
