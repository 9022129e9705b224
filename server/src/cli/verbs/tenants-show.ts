/** `esclusa tenants show` */
import { type VerbContext, writeJson } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [slug = ''] = context.args;
  const tenant = await context.installation
    .use((workspace) => workspace.getTenant(slug))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  writeJson(context, tenant);
}
