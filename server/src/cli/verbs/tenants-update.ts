/** `esclusa tenants update` */
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { listOption, tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { say, args } = context;
  const [slug = ''] = args;
  const members = { name: textOption(context, 'name'), hosts: listOption(context, 'hosts') };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new CliFailure(say.tenants.nothing, { exitCode: 2 });
  const tenant = await context.installation
    .use((workspace) => workspace.updateTenant(slug, Object.fromEntries(given)))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  if (context.isJson) writeJson(context, tenant);
  else writeLine(context, say.tenants.updated(slug));
}
