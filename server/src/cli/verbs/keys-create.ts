/** `esclusa keys create` */
import { budgetOf, limitsOf } from '../allowance.ts';
import { badOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { parseInstant } from '../instants.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const body = bodyOf(context);
  const key = await context.installation.use((workspace) => workspace.createKey(body));
  if (context.isJson) {
    writeJson(context, key);
    return;
  }
  const { say, terminal } = context;
  writeLine(context, say.keyCreated(key.name, key.tenant));
  writeLine(context, `  ${terminal.style('bold', key.key)}`);
  writeLine(context, terminal.style('dim', `${key.id} · ${say.keyShownOnce}`));
}

/** The body that the control plane would take; what was not said is left out. */
function bodyOf(context: VerbContext): Readonly<Record<string, unknown>> {
  const members = {
    name: context.args[0],
    tenant: textOption(context, 'tenant'),
    role: textOption(context, 'role'),
    models: textOption(context, 'models')
      ?.split(',')
      .map((name) => name.trim()),
    cache: textOption(context, 'cache'),
    limits: limitsOf(context),
    budget: budgetOf(context),
    expires_at: expiryOf(context),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function expiryOf(context: VerbContext): string | undefined {
  const text = textOption(context, 'expires');
  if (text === undefined) return undefined;
  const ms = parseInstant(text, context.nowMs());
  if (ms === null) throw badOption(context, 'expires', context.say.usage.badInstant);
  return new Date(ms).toISOString();
}
