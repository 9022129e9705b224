/** `esclusa users limits` */
import { allowanceChange } from '../allowance.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { userFailure } from '../people.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [who = ''] = context.args;
  const { user, isChanged } = await context.installation
    .use(async (workspace) => {
      const before = await workspace.getUser(who);
      const body = allowanceChange(context, before.limits);
      if (body === null) return { user: before, isChanged: false };
      return { user: await workspace.updateUser(who, body), isChanged: true };
    })
    .catch((error: unknown) => {
      throw userFailure(context, who, error);
    });
  const { id, email, limits, budget } = user;
  if (context.isJson || !isChanged) writeJson(context, { id, limits, budget });
  else writeLine(context, context.say.people.updated(email));
}
