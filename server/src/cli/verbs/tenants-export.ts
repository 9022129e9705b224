/** `esclusa tenants export` */
import type { VerbContext } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [slug = ''] = context.args;
  await context.installation
    .use(async (workspace) => {
      for await (const line of await workspace.exportTenant(slug)) context.terminal.write(line);
    })
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
}
