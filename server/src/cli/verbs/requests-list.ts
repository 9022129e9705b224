/** `esclusa requests list` */
import { numberOption, textOption, type VerbContext } from '../context.ts';
import { filterOf } from '../filters.ts';
import { formatCount, formatInstant, formatUsd } from '../format.ts';
import { writePage } from '../page.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 50;
  const beforeId = textOption(context, 'before') ?? null;
  const filter = filterOf(context);
  const page = { limit: limit + 1, beforeId };
  const rows = await context.installation.use((workspace) => workspace.listRequests(filter, page));
  const { columns } = context.say;
  const count = (value: number): string => formatCount(value, context.language);
  writePage(context, rows, limit, [
    { title: columns.time, value: (row) => formatInstant(Date.parse(row.created_at)) },
    { title: columns.id, value: (row) => row.id },
    { title: columns.tenant, value: (row) => row.tenant },
    { title: columns.model, value: (row) => row.model },
    { title: columns.provider, value: (row) => row.provider ?? '–' },
    { title: columns.outcome, value: (row) => row.error_code ?? row.outcome },
    { title: columns.status, value: (row) => String(row.status), align: 'right' },
    { title: columns.cache, value: (row) => row.cache },
    { title: columns.input, value: (row) => count(row.usage.input_tokens), align: 'right' },
    { title: columns.output, value: (row) => count(row.usage.output_tokens), align: 'right' },
    { title: columns.cost, value: (row) => formatUsd(row.cost_nanousd), align: 'right' },
    { title: columns.duration, value: (row) => count(Math.round(row.duration_ms)), align: 'right' },
  ]);
}
