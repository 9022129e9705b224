/** `esclusa jobs retry` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { jobFailure } from '../jobs.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const id = context.args[0] ?? '';
  const job = await context.installation
    .use((workspace) => workspace.retryJob(id))
    .catch((error: unknown) => {
      throw jobFailure(context, id, error);
    });
  if (context.isJson) writeJson(context, job);
  else writeLine(context, context.say.jobs.retried(id));
}
