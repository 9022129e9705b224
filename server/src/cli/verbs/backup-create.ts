/** `esclusa backup create`, or `esclusa backup` alone. */
import { resolve } from 'node:path';
import { backupToJson, toldSize } from '../backups.ts';
import { numberOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { interruptible } from '../interruptible.ts';

const KEPT_MAX = 10_000;

export async function run(context: VerbContext): Promise<undefined> {
  const { say, installation, args } = context;
  const folder = resolve(args[0] ?? '.');
  const keep = numberOption(context, 'keep', { min: 1, max: KEPT_MAX }) ?? null;
  const backups = await installation.backups();
  const made = await interruptible((signal) => backups.create(folder, keep, signal));
  if (context.isJson) {
    writeJson(context, { ...backupToJson(made), removed: made.removed });
    return;
  }
  writeLine(context, say.backup.made(made.path, toldSize(context, made)));
  for (const path of made.removed) writeLine(context, say.backup.removed(path));
  writeLine(context, context.terminal.style('dim', say.backup.secretApart));
}
