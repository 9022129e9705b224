/** `esclusa users list` */
import { numberOption, textOption, type VerbContext } from '../context.ts';
import { formatInstant } from '../format.ts';
import { writePage } from '../page.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 50;
  const tenant = textOption(context, 'tenant');
  const page = { limit: limit + 1, beforeId: textOption(context, 'before') ?? null };
  const rows = await context.installation.use((workspace) => workspace.listUsers(page, tenant));
  const { columns } = context.say;
  writePage(context, rows, limit, [
    { title: columns.id, value: (user) => user.id },
    { title: columns.email, value: (user) => user.email },
    { title: columns.username, value: (user) => user.username },
    { title: columns.tenant, value: (user) => user.tenant },
    { title: columns.roles, value: (user) => user.roles.join(',') },
    { title: columns.active, value: (user) => (user.is_active ? '✓' : '–') },
    { title: columns.created, value: (user) => instant(user.created_at) },
    { title: columns.lastLogin, value: (user) => instant(user.last_login_at) },
  ]);
}

function instant(text: string | null): string {
  return formatInstant(text === null ? null : Date.parse(text));
}
