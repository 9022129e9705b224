/** `esclusa users remove` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { userFailure } from '../people.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, installation, options, args } = context;
  const [who = ''] = args;
  if (options.yes !== true && !(await context.confirm(say.people.confirmRemove(who)))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const user = await installation
    .use((workspace) => workspace.removeUser(who))
    .catch((error: unknown) => {
      throw userFailure(context, who, error);
    });
  if (context.isJson) writeJson(context, user);
  else writeLine(context, say.people.removed(user.email));
  return undefined;
}
