/** `esclusa flags set` */
import { numberOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { flagState } from '../flags.ts';

const ALL = 100;

export async function run(context: VerbContext): Promise<undefined> {
  const { say, args, options } = context;
  const [name = ''] = args;
  if (options.on === true && options.off === true)
    throw new CliFailure(say.flags.both, { exitCode: 2 });
  const isOn = options.on === true ? true : options.off === true ? false : undefined;
  const tenants = textOption(context, 'tenants');
  const members = {
    enabled: isOn,
    percentage:
      numberOption(context, 'percentage', { min: 0, max: ALL }) ??
      (isOn === true ? ALL : undefined),
    by: textOption(context, 'by'),
    tenants: tenants?.split(',').map((slug) => slug.trim()),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new CliFailure(say.flags.nothing, { exitCode: 2 });
  const flag = await context.installation.use((workspace) =>
    workspace.setFlag(name, Object.fromEntries(given)),
  );
  if (context.isJson) writeJson(context, flag);
  else writeLine(context, say.flags.set(name, flagState(context, flag)));
}
