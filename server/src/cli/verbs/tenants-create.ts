/** `esclusa tenants create` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { codeOf } from '../explain.ts';
import { CliFailure } from '../failure.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [slug = '', name] = context.args;
  const tenant = await context.installation
    .use((workspace) => workspace.createTenant({ slug, name }))
    .catch((error: unknown) => {
      throw codeOf(error) === 'conflict'
        ? new CliFailure(context.say.tenants.taken(slug), { code: 'conflict' })
        : error;
    });
  if (context.isJson) writeJson(context, tenant);
  else writeLine(context, context.say.tenants.created(tenant.slug));
}
