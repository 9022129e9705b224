/** `esclusa tenants test` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { databaseOption, tenantFailure } from '../tenants.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, args, isJson } = context;
  const [slug = ''] = args;
  const database = databaseOption(context);
  const report = await context.installation
    .use((workspace) => workspace.testDatabase(slug, database))
    .catch((error: unknown) => {
      throw tenantFailure(context, slug, error);
    });
  if (isJson) writeJson(context, report);
  else if (report.healthy) {
    const ms = (report.latency_ms ?? 0).toFixed(1);
    writeLine(context, say.tenants.healthy(report.version ?? '', ms));
  } else writeLine(context, say.tenants.unhealthy(report.error ?? ''));
  return report.healthy ? undefined : 1;
}
