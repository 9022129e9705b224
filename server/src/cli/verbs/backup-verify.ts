/** `esclusa backup verify` */
import { resolve } from 'node:path';
import { backupToJson, toldSize } from '../backups.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { interruptible } from '../interruptible.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const path = resolve(context.args[0] ?? '.');
  const backups = await context.installation.backups();
  const backup = await interruptible((signal) => backups.verify(path, signal));
  if (context.isJson) writeJson(context, backupToJson(backup));
  else {
    const { createdAt } = backup.manifest;
    writeLine(context, context.say.backup.whole(createdAt, toldSize(context, backup)));
  }
}
