/** `esclusa users create` */
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { rolesOption } from '../people.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { say, terminal, args } = context;
  const [email = ''] = args;
  const members = {
    email,
    username: textOption(context, 'username') ?? email.split('@')[0],
    roles: rolesOption(context),
    tenant: textOption(context, 'tenant'),
    password: textOption(context, 'password'),
    password_hash: textOption(context, 'passwordHash'),
  };
  if (members.password !== undefined && members.password_hash !== undefined)
    throw new CliFailure(say.people.oneSecret, { exitCode: 2 });
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  const body = Object.fromEntries(given);
  const user = await context.installation.use((workspace) => workspace.createUser(body));
  if (context.isJson) {
    writeJson(context, user);
    return;
  }
  writeLine(context, say.people.created(user.email, user.tenant));
  if (user.password === undefined) return;
  writeLine(context, say.people.password);
  writeLine(context, `  ${terminal.style('bold', user.password)}`);
}
