/** `esclusa tenants list` */
import { numberOption, type VerbContext, writeJson } from '../context.ts';
import { formatInstant } from '../format.ts';
import { writeTable } from '../table.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 200;
  const rows = await context.installation.use((workspace) => workspace.listTenants(limit + 1));
  const data = rows.slice(0, limit);
  const { columns, tenants } = context.say;
  if (context.isJson) {
    writeJson(context, { data, next: rows.length > limit ? (data.at(-1)?.slug ?? null) : null });
    return;
  }
  writeTable(
    context.terminal,
    [
      { title: columns.slug, value: (tenant) => tenant.slug },
      { title: columns.name, value: (tenant) => tenant.name },
      { title: columns.status, value: ({ status }) => tenants.status[status] },
      { title: columns.created, value: (tenant) => formatInstant(Date.parse(tenant.created_at)) },
    ],
    data,
  );
}
