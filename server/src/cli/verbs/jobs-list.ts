/** `esclusa jobs list` */
import type { Job } from '../../app/workspace-jobs.ts';
import { badOption, numberOption, textOption, type VerbContext } from '../context.ts';
import { formatInstant } from '../format.ts';
import { writePage } from '../page.ts';

const STATES = ['waiting', 'running', 'dead'] as const;

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 50;
  const beforeId = textOption(context, 'before') ?? null;
  const page = { state: stateOf(context), limit: limit + 1, beforeId };
  const rows = await context.installation.use((workspace) => workspace.listJobs(page));
  const { columns, jobs: words } = context.say;
  writePage(context, rows, limit, [
    { title: columns.id, value: (job) => job.id },
    { title: words.kind, value: (job) => job.kind },
    { title: words.state, value: (job) => words.states[job.state] },
    { title: words.attempts, value: (job) => `${job.attempts}/${job.attempts_max}` },
    { title: words.due, value: (job) => formatInstant(Date.parse(job.run_at)) },
    { title: words.lastError, value: (job) => job.last_error ?? '–' },
  ]);
}

function stateOf(context: VerbContext): Job['state'] | null {
  const text = textOption(context, 'state');
  if (text === undefined) return null;
  const state = STATES.find((known) => known === text);
  if (state !== undefined) return state;
  throw badOption(context, 'state', context.say.usage.badChoice(STATES.join(', ')));
}
