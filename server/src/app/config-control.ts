/**
 * The configuration as the control plane shows and reloads it.
 */
import type { ConfigReload } from '@esclusa/contracts';
import {
  type Change,
  type ConfigKeeper,
  type Loaded,
  redactSettings,
  showProblem,
} from '../config/index.ts';
import type { ConfigControl } from '../http/index.ts';
import type { Clock } from '../kernel/clock.ts';

export function createConfigControl(
  keeper: ConfigKeeper,
  initial: Loaded,
  clock: Clock,
): ConfigControl {
  let lastReload: ConfigReload | null = null;

  function note(outcome: ConfigReload['outcome'], changes: readonly Change[]): ConfigReload {
    const { current, rejected, needRestart } = keeper;
    lastReload = {
      outcome,
      generation: current.number,
      at: new Date(clock.wallMs()).toISOString(),
      changes: changes.map(changeOf),
      need_restart: needRestart.map(changeOf),
      problems: (rejected?.problems ?? []).map(showProblem),
    };
    return lastReload;
  }

  keeper.subscribe((_generation, changes) => note('applied', changes));
  return {
    state: () => ({
      generation: keeper.current.number,
      file: initial.fileHash === null ? null : initial.file,
      config: redactSettings(keeper.current.settings) as Record<string, unknown>,
      last_reload: keeper.rejected === null ? lastReload : note('rejected', []),
    }),
    async reload() {
      const outcome = await keeper.reload();
      return note(outcome.kind, outcome.kind === 'applied' ? outcome.changes : []);
    },
  };
}

function changeOf({ path, before, after }: Change): ConfigReload['changes'][number] {
  return { path, before, after };
}
