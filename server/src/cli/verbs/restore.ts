/** `esclusa restore` */
import { resolve } from 'node:path';
import { backupToJson } from '../backups.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { interruptible } from '../interruptible.ts';

export async function run(context: VerbContext): Promise<number | undefined> {
  const { say, installation, options } = context;
  const path = resolve(context.args[0] ?? '.');
  const mayReplace = options.replace === true;
  const isAsked = mayReplace && options.yes !== true;
  if (isAsked && !(await context.confirm(say.backup.confirmReplace))) {
    writeLine(context, say.cancelled);
    return 1;
  }
  const backups = await installation.backups();
  const restored = await interruptible((signal) => backups.restore(path, mayReplace, signal));
  // Rights of roles are given with the tables' newest form, as after any migration.
  await installation.openDatabase();
  const { manifest, aside, leftAlone } = restored;
  if (context.isJson) {
    const said = { aside, left_alone: leftAlone };
    writeJson(context, { ...backupToJson({ path, manifest }), ...said });
    return undefined;
  }
  writeLine(context, say.backup.restored(manifest.createdAt));
  for (const kept of aside) writeLine(context, say.backup.keptAside(kept));
  for (const slug of leftAlone) writeLine(context, say.backup.leftAlone(slug));
  writeLine(context, context.terminal.style('dim', say.backup.afterwards));
  return undefined;
}
