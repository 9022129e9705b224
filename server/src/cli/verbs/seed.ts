/**
 * `esclusa seed`: a believable tenant to look at. Seeding again makes what is missing (keys
 * that were revoked, days that passed) and changes nothing else.
 */
import type { Configuration, WritableWorkspace } from '../../app/installation.ts';
import { priceOf } from '../../config/targets.ts';
import {
  type Application,
  demonstrationPlan,
  generateEntries,
  type SeedPlan,
} from '../../operations/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';

const ROWS_PER_WRITE = 200;
const KEYS_MAX = 1000;

interface SeededKey {
  readonly application: Application;
  readonly id: string;
  /** null where the key was there already. */
  readonly secret: string | null;
}

export async function run(context: VerbContext): Promise<undefined> {
  const configuration = await context.installation.configuration();
  const { environment } = configuration.loaded.config;
  if (environment === 'production' && context.options.force !== true) {
    throw new CliFailure(context.say.seed.production);
  }
  const plan = demonstrationPlan;
  const nowMs = context.nowMs();
  const seeded = await context.installation.useWritable(async (workspace) => {
    await workspace.ensureTenant(plan.tenant);
    const keys = await ensureKeys(workspace, plan);
    const entries = generateEntries({
      plan,
      keyIds: new Map(keys.map(({ application, id }) => [application.name, id])),
      prices: await savePrices(workspace, plan, configuration, nowMs),
      nowMs,
    });
    for (let at = 0; at < entries.length; at += ROWS_PER_WRITE) {
      await workspace.append(entries.slice(at, at + ROWS_PER_WRITE));
    }
    return { keys, rows: entries.length };
  });
  report(context, plan, seeded);
}

async function ensureKeys(
  workspace: WritableWorkspace,
  { tenant, applications }: SeedPlan,
): Promise<readonly SeededKey[]> {
  const all = await workspace.listKeys({ limit: KEYS_MAX, beforeId: null }, tenant.slug);
  const existing = all.filter((key) => key.status === 'active');
  const seeded: SeededKey[] = [];
  for (const application of applications) {
    const { name, limits, budget, calls } = application;
    const found = existing.find((key) => key.name === name);
    if (found !== undefined) {
      seeded.push({ application, id: found.id, secret: null });
      continue;
    }
    const models = calls.map(({ model }) => model);
    const made = await workspace.createKey({ name, tenant: tenant.slug, models, limits, budget });
    seeded.push({ application, id: made.id, secret: made.key });
  }
  return seeded;
}

/** Prices of the catalogue, under the very identifiers that calls would be booked with. */
async function savePrices(
  workspace: WritableWorkspace,
  { applications }: SeedPlan,
  { catalogue }: Configuration,
  nowMs: number,
) {
  const targets = applications.flatMap(({ calls }) => calls);
  const rows = targets.flatMap(({ provider, provider_model: model }) => {
    const figures = catalogue.find(provider, model, nowMs)?.figures;
    if (figures === undefined) return [];
    return [{ ...priceOf(provider, model, figures), provider, model, effectiveFromMs: nowMs }];
  });
  await workspace.savePrices([...new Map(rows.map((row) => [row.id, row])).values()]);
  return new Map(rows.map((row) => [`${row.provider}/${row.model}`, row]));
}

function report(
  context: VerbContext,
  { tenant, days }: SeedPlan,
  { keys, rows }: { readonly keys: readonly SeededKey[]; readonly rows: number },
): void {
  if (context.isJson) {
    const shown = keys.map(({ application, id, secret }) => ({
      id,
      name: application.name,
      key: secret,
    }));
    writeJson(context, { tenant: tenant.slug, requests: rows, days, keys: shown });
    return;
  }
  const { say, terminal } = context;
  const made = keys.filter(({ secret }) => secret !== null);
  const width = Math.max(...made.map(({ application }) => application.name.length), 0);
  if (made.length > 0) writeLine(context, say.seed.keys);
  for (const { application, secret } of made) {
    const name = application.name.padEnd(width);
    writeLine(context, `  ${name}  ${terminal.style('bold', secret ?? '')}`);
  }
  writeLine(context, say.seed.done(rows, days));
  writeLine(context, terminal.style('dim', say.seed.look));
}
