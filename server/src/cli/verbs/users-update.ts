/** `esclusa users update` */
import { badOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { rolesOption, userFailure } from '../people.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { say, args } = context;
  const [who = ''] = args;
  const members = {
    roles: rolesOption(context),
    is_active: activeOption(context),
    password: textOption(context, 'password'),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new CliFailure(say.people.nothing, { exitCode: 2 });
  const body = Object.fromEntries(given);
  const user = await context.installation
    .use((workspace) => workspace.updateUser(who, body))
    .catch((error: unknown) => {
      throw userFailure(context, who, error);
    });
  if (context.isJson) writeJson(context, user);
  else writeLine(context, say.people.updated(user.email));
}

function activeOption(context: VerbContext): boolean | undefined {
  const text = textOption(context, 'active');
  if (text === undefined) return undefined;
  if (/^(yes|true|sí|si)$/i.test(text)) return true;
  if (/^(no|false)$/i.test(text)) return false;
  throw badOption(context, 'active', context.say.people.yesOrNo);
}
