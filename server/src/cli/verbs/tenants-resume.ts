/** `esclusa tenants resume` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [slug = ''] = context.args;
  const tenant = await context.installation
    .use((workspace) => workspace.resumeTenant(slug))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  if (context.isJson) writeJson(context, tenant);
  else writeLine(context, context.say.tenants.resumed(slug));
}
