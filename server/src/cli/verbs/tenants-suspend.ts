/** `esclusa tenants suspend` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, options } = context;
  const [slug = ''] = context.args;
  if (options.yes !== true && !(await context.confirm(say.tenants.confirmSuspend(slug)))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const tenant = await context.installation
    .use((workspace) => workspace.suspendTenant(slug))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  if (context.isJson) writeJson(context, tenant);
  else writeLine(context, say.tenants.suspended(slug));
  return undefined;
}
