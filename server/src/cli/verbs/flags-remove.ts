/** `esclusa flags remove` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const [name = ''] = context.args;
  await context.installation.use((workspace) => workspace.removeFlag(name));
  if (context.isJson) writeJson(context, { name, is_stored: false });
  else writeLine(context, context.say.flags.removed(name));
}
