/** `esclusa tenants erase` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, options } = context;
  const [slug = ''] = context.args;
  if (options.yes !== true && !(await context.confirm(say.tenants.confirmErase(slug)))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const ledger = options.withLedger === true ? 'erase' : 'keep';
  const tenant = await context.installation
    .use((workspace) => workspace.eraseTenant(slug, { ledger }))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  if (context.isJson) writeJson(context, tenant);
  else {
    const removed = Object.entries(tenant.job?.removed ?? {}).map(([what, n]) => `${what} ${n}`);
    writeLine(context, say.tenants.erased(slug, removed.join(', ')));
  }
  return undefined;
}
