/** `esclusa flags list` */
import type { Flag } from '../../app/workspace.ts';
import { type VerbContext, writeJson } from '../context.ts';
import { flagState } from '../flags.ts';
import { writeTable } from '../table.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { columns } = context.say;
  const flags = await context.installation.use((workspace) => workspace.listFlags());
  if (context.isJson) {
    writeJson(context, { data: flags, next: null });
    return;
  }
  writeTable(
    context.terminal,
    [
      { title: columns.flag, value: (flag) => flag.name },
      { title: columns.state, value: (flag) => flagState(context, flag) },
      { title: columns.plan, value: (flag) => planOf(context, flag) },
      { title: columns.changed, value: (flag) => flag.updated_by ?? '–' },
    ],
    flags,
  );
}

/** `10 → [50] → 100 %, running`: the step at which it is stands in brackets. */
function planOf({ say }: VerbContext, { rollout }: Flag): string {
  if (rollout === null) return '–';
  const steps = rollout.steps.map(({ percentage }, at) =>
    at === rollout.step ? `[${percentage}]` : String(percentage),
  );
  const reason = rollout.reason === null ? '' : ` (${rollout.reason})`;
  return `${steps.join(' → ')} %, ${say.flags.status[rollout.status]}${reason}`;
}
