/** `esclusa jobs remove` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { jobFailure } from '../jobs.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, installation, options } = context;
  const id = context.args[0] ?? '';
  if (options.yes !== true && !(await context.confirm(say.jobs.confirmRemove(id)))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const job = await installation
    .use((workspace) => workspace.removeJob(id))
    .catch((error: unknown) => {
      throw jobFailure(context, id, error);
    });
  if (context.isJson) writeJson(context, job);
  else writeLine(context, say.jobs.removed(id));
  return undefined;
}
