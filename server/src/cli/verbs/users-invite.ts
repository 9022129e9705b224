/** `esclusa users invite` */
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { formatInstant } from '../format.ts';
import { rolesOption } from '../people.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { say, terminal } = context;
  const members = {
    email: textOption(context, 'email'),
    roles: rolesOption(context),
    tenant: textOption(context, 'tenant'),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  const body = Object.fromEntries(given);
  const made = await context.installation.use((workspace) => workspace.invite(body));
  if (context.isJson) {
    writeJson(context, made);
    return;
  }
  writeLine(context, say.people.invited(formatInstant(Date.parse(made.expires_at))));
  writeLine(context, `  ${terminal.style('bold', made.invitation)}`);
}
