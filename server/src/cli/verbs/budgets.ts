/** `esclusa budgets` */
import type { BookedBudget } from '../../app/workspace-budgets.ts';
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { formatDollars, formatInstant } from '../format.ts';
import { writeTable } from '../table.ts';

const NANOUSD_PER_USD = 1_000_000_000;

export async function run(context: VerbContext): Promise<undefined> {
  const tenant = textOption(context, 'tenant');
  const rows = await context.installation.use((workspace) => workspace.listBudgets(tenant));
  const { columns, limits: words } = context.say;
  if (context.isJson) writeJson(context, { data: rows, next: null });
  else if (rows.length === 0) writeLine(context, words.noBudgets);
  else {
    writeTable(
      context.terminal,
      [
        { title: words.scope, value: (row) => row.scope },
        { title: columns.id, value: (row) => row.id },
        { title: columns.name, value: (row) => row.name },
        { title: columns.tenant, value: (row) => row.tenant },
        { title: columns.budget, value: budgetText },
        { title: words.spent, value: (row) => formatDollars(dollars(row.booked_nanousd)) },
        { title: words.share, value: shareText },
        { title: words.renews, value: (row) => renewsText(context, row) },
      ],
      rows,
    );
  }
}

function budgetText({ budget }: BookedBudget): string {
  const soft = budget.soft === true ? '/soft' : '';
  return `${formatDollars(budget.limit_usd)}/${budget.period}${soft}`;
}

function shareText({ booked_nanousd: booked, limit_nanousd: limit }: BookedBudget): string {
  return limit === 0 ? '–' : `${Math.floor((booked / limit) * 100)} %`;
}

function renewsText({ say }: VerbContext, { renews_at }: BookedBudget): string {
  return renews_at === null ? say.limits.never : formatInstant(Date.parse(renews_at));
}

function dollars(nanousd: number): string {
  return String(nanousd / NANOUSD_PER_USD);
}
