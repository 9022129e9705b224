/**
 * What whoever runs the machine may do with feature flags: in the shapes of the control plane,
 * and written down. A running server knows of it within five seconds.
 */
import { type Flag, flagNameSchema, flagUpdateSchema, rolloutPlanSchema } from '@esclusa/contracts';
import { flagToWire } from '../http/shapes/flags.ts';
import { operator } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createFlagUseCases } from '../operations/index.ts';
import type { Repositories } from '../storage/index.ts';
import { checked } from './checked.ts';
import type { Identity } from './identity.ts';
import { byOperator } from './workspace-people.ts';

export type { Flag } from '@esclusa/contracts';

/** Bodies are checked: `invalid_request` names the member at fault. */
export interface FlagWorkspace {
  listFlags(): Promise<readonly Flag[]>;
  setFlag(name: string, change: unknown): Promise<Flag>;
  rollFlag(name: string, plan: unknown): Promise<Flag>;
  /** Ends its plan. Throws `conflict` where none is running. */
  cancelFlag(name: string): Promise<Flag>;
  /** Throws `not_found`. */
  removeFlag(name: string): Promise<void>;
}

export function createFlagWorkspace(
  { audit }: Identity,
  repositories: Repositories,
  {
    clock,
    isForcedOff,
  }: { readonly clock: Clock; readonly isForcedOff: (name: string) => boolean },
): FlagWorkspace {
  const refresh = async (): Promise<void> => undefined;
  const flags = createFlagUseCases({ repository: repositories.flags, refresh, clock });
  const by = operator.keyId;
  const note = (action: string, subject: string) =>
    audit.record({ ...byOperator, tenant: operator.tenant, action, subject });
  return {
    listFlags: async () => (await flags.list()).map((view) => flagToWire(view, isForcedOff)),
    async setFlag(name, change) {
      const wanted = checked(flagUpdateSchema, change);
      const view = await flags.update(checked(flagNameSchema, name), wanted, by);
      await note('flags.update', name);
      return flagToWire(view, isForcedOff);
    },
    async rollFlag(name, plan) {
      const wanted = checked(rolloutPlanSchema, plan);
      const view = await flags.roll(checked(flagNameSchema, name), wanted, by);
      await note('flags.rollout', name);
      return flagToWire(view, isForcedOff);
    },
    async cancelFlag(name) {
      const view = await flags.cancel(name, by);
      await note('flags.cancel', name);
      return flagToWire(view, isForcedOff);
    },
    async removeFlag(name) {
      await flags.remove(name);
      await note('flags.remove', name);
    },
  };
}
