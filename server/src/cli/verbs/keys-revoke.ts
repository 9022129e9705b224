/** `esclusa keys revoke` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { codeOf } from '../explain.ts';
import { CliFailure } from '../failure.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, installation, options } = context;
  const id = context.args[0] ?? '';
  if (options.yes !== true && !(await context.confirm(say.confirmRevoke(id)))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const key = await installation
    .use((workspace) => workspace.revokeKey(id))
    .catch((error: unknown) => {
      throw codeOf(error) === 'not_found'
        ? new CliFailure(say.keyMissing(id), { code: 'not_found' })
        : error;
    });
  if (context.isJson) writeJson(context, key);
  else writeLine(context, say.keyRevoked(id));
  return undefined;
}
