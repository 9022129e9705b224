/** `esclusa audit verify`: names the first entry that does not fit, and exits with 1. */
import { badOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<number> {
  const { say, terminal } = context;
  const anchor = anchorOption(context);
  const verdict = await context.installation.use((workspace) => workspace.verifyAudit(anchor));
  const isWhole = verdict.kind === 'whole';
  if (context.isJson) {
    writeJson(context, verdict);
  } else if (isWhole) {
    const { sequence, hash } = verdict.head;
    writeLine(context, say.audit.whole(verdict.entries));
    writeLine(context, `  ${terminal.style('bold', `${sequence}:${hash}`)}`);
  } else {
    const told = say.audit.broken[verdict.problem](verdict.sequence);
    writeLine(context, terminal.style('red', told));
  }
  return isWhole ? 0 : 1;
}

function anchorOption(context: VerbContext) {
  const text = textOption(context, 'anchor');
  if (text === undefined) return null;
  const [, sequence, hash] = /^(\d{1,10}):([0-9a-f]{64}|)$/.exec(text) ?? [];
  if (sequence !== undefined && hash !== undefined) return { sequence: Number(sequence), hash };
  throw badOption(context, 'anchor', context.say.people.badAnchor);
}
