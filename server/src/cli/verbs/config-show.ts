/** `esclusa config show` */
import { redactSettings } from '../../config/index.ts';
import { type VerbContext, writeJson } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { loaded } = await context.installation.configuration();
  const shown = redactSettings(loaded.settings);
  if (context.isJson) {
    writeJson(context, shown);
    return;
  }
  const { stringify } = await import('yaml');
  context.terminal.write(stringify(shown));
}
