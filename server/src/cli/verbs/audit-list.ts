/** `esclusa audit list` */
import { numberOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { formatInstant } from '../format.ts';
import { writeTable } from '../table.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 50;
  const before = numberOption(context, 'before', { min: 1, max: 9_999_999_999 }) ?? null;
  const tenant = textOption(context, 'tenant');
  const page = { limit: limit + 1, before };
  const rows = await context.installation.use((workspace) => workspace.listAudit(page, tenant));
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? (shown.at(-1)?.sequence ?? null) : null;
  if (context.isJson) {
    writeJson(context, { data: shown, next });
    return;
  }
  const { columns } = context.say;
  writeTable(
    context.terminal,
    [
      { title: columns.number, value: (entry) => String(entry.sequence), align: 'right' },
      { title: columns.time, value: (entry) => formatInstant(Date.parse(entry.at)) },
      { title: columns.tenant, value: (entry) => entry.tenant },
      { title: columns.actor, value: (entry) => entry.actor },
      { title: columns.action, value: (entry) => entry.action },
      { title: columns.subject, value: (entry) => entry.subject ?? '–' },
      { title: columns.outcome, value: (entry) => entry.outcome },
      { title: columns.address, value: (entry) => entry.address ?? '–' },
    ],
    shown,
  );
  if (next !== null) writeLine(context, context.say.more(`--before ${next}`));
}
