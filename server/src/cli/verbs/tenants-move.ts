/** `esclusa tenants move` */
import { textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { databaseOption, tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, args, isJson } = context;
  const [slug = ''] = args;
  const kind = textOption(context, 'to') ?? 'postgres';
  const database = databaseOption(context);
  if (kind === 'postgres' && database === undefined) {
    throw new CliFailure(say.tenants.needsDatabase, { exitCode: 2 });
  }
  const tenant = await context.installation
    .use((workspace) => workspace.moveTenant(slug, { to: { kind, ...database } }))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  const { job } = tenant;
  const isMoved = job?.status === 'done';
  if (isJson) writeJson(context, tenant);
  else if (isMoved)
    writeLine(context, say.tenants.moved(slug, tenant.database.kind, job.rows ?? 0));
  else writeLine(context, say.tenants.notMoved(slug, job?.error ?? ''));
  return isMoved ? undefined : 1;
}
