/** `esclusa keys limits` */
import { allowanceChange } from '../allowance.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { codeOf } from '../explain.ts';
import { CliFailure } from '../failure.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [id = ''] = context.args;
  const { say } = context;
  const { key, isChanged } = await context.installation
    .use(async (workspace) => {
      const before = await workspace.getKey(id);
      const body = allowanceChange(context, before.limits);
      if (body === null) return { key: before, isChanged: false };
      return { key: await workspace.updateKey(id, body), isChanged: true };
    })
    .catch((error: unknown) => {
      throw codeOf(error) === 'not_found'
        ? new CliFailure(say.keyMissing(id), { code: 'not_found' })
        : error;
    });
  const { limits, budget } = key;
  if (context.isJson || !isChanged) writeJson(context, { id, limits, budget });
  else writeLine(context, say.limits.keyChanged(id));
}
