/** `esclusa tenants limits` */
import type { Tenant } from '../../app/workspace-tenants.ts';
import { budgetOf, limitsOf } from '../allowance.ts';
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [slug = ''] = context.args;
  const { tenant, isChanged } = await context.installation
    .use(async (workspace) => {
      const before = await workspace.getTenant(slug);
      const body = bodyOf(context, before);
      if (body === null) return { tenant: before, isChanged: false };
      return { tenant: await workspace.updateTenant(slug, body), isChanged: true };
    })
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  const { limits, budget, models } = tenant;
  if (context.isJson || !isChanged) writeJson(context, { slug, limits, budget, models });
  else writeLine(context, context.say.tenants.updated(slug));
}

/** The body that the control plane would take; null where nothing is to be changed. */
function bodyOf(context: VerbContext, before: Tenant): Readonly<Record<string, unknown>> | null {
  const model = textOption(context, 'model');
  const own = model === undefined ? before : before.models[model];
  const limits = limitsOf(context, own?.limits);
  const budget = budgetOf(context);
  if (limits === undefined && budget === undefined) return null;
  const change = {
    ...(limits !== undefined && { limits }),
    ...(budget !== undefined && { budget }),
  };
  if (model === undefined) return change;
  return { models: { ...before.models, [model]: { ...own, ...change } } };
}
