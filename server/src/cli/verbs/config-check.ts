/** `esclusa config check`: as strict as a start. */
import { ConfigError, showProblem } from '../../config/index.ts';
import { existingFile } from '../config-file.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { loaded } = await context.installation.configuration('left');
  if (loaded.unknownNames.length > 0) throw new ConfigError(loaded.unknownNames);
  const file = await existingFile(loaded.file);
  const warnings = loaded.warnings.map(showProblem);
  if (context.isJson) {
    writeJson(context, { is_valid: true, file, warnings });
    return;
  }
  for (const warning of warnings)
    writeLine(context, context.terminal.style('yellow', `! ${warning}`));
  writeLine(context, context.say.configGood(file ?? context.say.configNoFile));
}
