/** `esclusa requests show` */
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { printable } from '../table.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const id = context.args[0] ?? '';
  const row = await context.installation.use((workspace) => workspace.getRequest(id));
  if (row === null) throw new CliFailure(context.say.requestMissing(id), { code: 'not_found' });
  if (context.isJson) {
    writeJson(context, row);
    return;
  }
  const { usage, ...rest } = row;
  const members = Object.entries({ ...rest, ...usage });
  const width = Math.max(...members.map(([name]) => name.length));
  for (const [name, value] of members) {
    const text = printable(value === null ? '–' : String(value));
    writeLine(context, `${context.terminal.style('dim', name.padEnd(width))}  ${text}`);
  }
}
