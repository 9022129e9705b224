/** `esclusa keys list` */
import type { Key } from '../../app/workspace.ts';
import { numberOption, textOption, type VerbContext } from '../context.ts';
import { formatCount, formatDollars, formatInstant } from '../format.ts';
import { writePage } from '../page.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 50;
  const tenant = textOption(context, 'tenant');
  const beforeId = textOption(context, 'before') ?? null;
  const page = { limit: limit + 1, beforeId };
  const rows = await context.installation.use((workspace) => workspace.listKeys(page, tenant));
  const { columns } = context.say;
  writePage(context, rows, limit, [
    { title: columns.id, value: (key) => key.id },
    { title: columns.name, value: (key) => key.name },
    { title: columns.tenant, value: (key) => key.tenant },
    { title: columns.role, value: (key) => key.role },
    { title: columns.status, value: (key) => key.status },
    { title: columns.key, value: (key) => key.hint },
    { title: columns.models, value: (key) => key.models?.join(',') ?? '*' },
    { title: columns.cache, value: (key) => key.cache },
    { title: columns.limits, value: (key) => limitsText(context, key) },
    { title: columns.budget, value: budgetText },
    { title: columns.created, value: (key) => formatInstant(Date.parse(key.created_at)) },
  ]);
}

function limitsText({ say, language }: VerbContext, { limits }: Key): string {
  const { requests_per_minute, tokens_per_minute, concurrency } = limits;
  const part = (limit: number | undefined, word: string): readonly string[] =>
    limit === undefined ? [] : [`${formatCount(limit, language)} ${word}`];
  const parts = [
    ...part(requests_per_minute, 'rpm'),
    ...part(tokens_per_minute, 'tpm'),
    ...part(concurrency, say.atOnce),
  ];
  return parts.join(', ') || '–';
}

function budgetText({ budget }: Key): string {
  return budget === null ? '–' : `${formatDollars(budget.limit_usd)}/${budget.period}`;
}
