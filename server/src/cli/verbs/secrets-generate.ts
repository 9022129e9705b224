/** `esclusa secrets generate` */
import { generateMasterSecret } from '../../identity/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const secret = generateMasterSecret(context.installation.random);
  if (context.isJson) {
    writeJson(context, { ESCLUSA_MASTER_SECRET: secret });
    return;
  }
  writeLine(context, `ESCLUSA_MASTER_SECRET=${secret}`);
  if (context.terminal.isInteractive) {
    writeLine(context, context.terminal.style('dim', context.say.masterSecretHint));
  }
}
