/**
 * An explanation as people read it: what was asked, who would answer in which order and why,
 * who would not and why not, and what becomes of the cache.
 */
import type { RouteExplanation } from '../app/explain-offline.ts';
import { type VerbContext, writeLine } from './context.ts';
import { formatCount, formatUsd } from './format.ts';
import { printable, writeTable } from './table.ts';

const PERCENT = 100;
const MS_PER_SECOND = 1000;

export function showExplanation(context: VerbContext, explanation: RouteExplanation): void {
  const { explain: say } = context.say;
  const { route, refusal, cache } = explanation;
  const { terminal } = context;
  const title = say.title(printable(explanation.model), explanation.tenant, explanation.key_id);
  writeLine(context, terminal.style('bold', title));
  if (route !== null) {
    writeLine(context, say.route(route.name, route.strategy, labelOf(route)));
    if (route.arm !== null) writeLine(context, say.arm(route.arm));
    if (route.prompt !== null) writeLine(context, say.prompt(route.prompt));
  }
  writeLine(
    context,
    say.tokens(
      formatCount(explanation.input_tokens, context.language),
      formatCount(explanation.output_tokens, context.language),
      formatUsd(explanation.reserve_nanousd),
    ),
  );
  if (refusal !== null) {
    const { code, status, message } = refusal;
    writeLine(context, terminal.style('red', say.refused(code, status, printable(message))));
  }
  showTargets(context, explanation);
  showRejected(context, explanation);
  if (cache !== null) writeLine(context, say.cache(cache.detail, cache.lookup, cache.key));
  if (!explanation.live) writeLine(context, terminal.style('dim', say.offline));
}

function labelOf({ sticky, sticky_value }: NonNullable<RouteExplanation['route']>): string | null {
  if (sticky === null) return null;
  return sticky_value === null ? sticky : `${sticky} = ${printable(sticky_value)}`;
}

function showTargets(context: VerbContext, { targets }: RouteExplanation): void {
  if (targets.length === 0) return;
  const { columns, explain: say } = context.say;
  const rows = targets.map((target, at) => ({ ...target, at: at + 1 }));
  writeTable(
    context.terminal,
    [
      { title: '#', value: ({ at }) => String(at), align: 'right' },
      { title: columns.target, value: ({ id }) => id },
      { title: columns.reason, value: ({ reason }) => say.reasons[reason] },
      { title: columns.weight, value: ({ weight }) => String(weight), align: 'right' },
      {
        title: columns.cost,
        value: ({ expected_nanousd }) => formatUsd(expected_nanousd),
        align: 'right',
      },
      {
        title: columns.atMost,
        value: ({ upper_bound_nanousd }) => formatUsd(upper_bound_nanousd),
        align: 'right',
      },
      {
        title: columns.duration,
        value: ({ expected_ms }) => (expected_ms === null ? '?' : String(Math.round(expected_ms))),
        align: 'right',
      },
      { title: columns.waiting, value: ({ waiting }) => String(waiting), align: 'right' },
      {
        title: columns.load,
        value: ({ load }) => `${Math.round(load * PERCENT)} %`,
        align: 'right',
      },
    ],
    rows,
  );
}

function showRejected(context: VerbContext, { rejected }: RouteExplanation): void {
  if (rejected.length === 0) return;
  const { columns, explain: say } = context.say;
  writeTable(
    context.terminal,
    [
      { title: columns.leftOut, value: ({ id }) => id },
      {
        title: columns.reason,
        value({ reason, detail }): string {
          const why: string = say.rejections[reason as keyof typeof say.rejections] ?? reason;
          return detail === null ? why : `${why}: ${detail}`;
        },
      },
      {
        title: columns.retry,
        value: ({ retry_after_ms }) =>
          retry_after_ms === null ? '–' : `${Math.ceil(retry_after_ms / MS_PER_SECOND)} s`,
        align: 'right',
      },
    ],
    rejected,
  );
}
