/** `esclusa flags rollout`: every step alike, with the guards that hold where none are named. */
import {
  badOption,
  numberOption,
  textOption,
  type VerbContext,
  writeJson,
  writeLine,
} from '../context.ts';

const STEPS = '10,50,100';
const SOAK_SECONDS = 3600;
const SAMPLES = 100;
const YEAR_SECONDS = 31_536_000;
const SAMPLES_MAX = 1_000_000;

export async function run(context: VerbContext): Promise<undefined> {
  const { say, args, options, installation } = context;
  const [name = ''] = args;
  if (options.cancel === true) {
    const flag = await installation.use((workspace) => workspace.cancelFlag(name));
    if (context.isJson) writeJson(context, flag);
    else writeLine(context, say.flags.cancelled(name));
    return;
  }
  const soak = numberOption(context, 'soak', { min: 0, max: YEAR_SECONDS }) ?? SOAK_SECONDS;
  const samples = numberOption(context, 'samples', { min: 0, max: SAMPLES_MAX }) ?? SAMPLES;
  const shares = sharesOf(context);
  const steps = shares.map((percentage) => ({
    percentage,
    soak_seconds: soak,
    min_samples: samples,
  }));
  const flag = await installation.use((workspace) => workspace.rollFlag(name, { steps }));
  if (context.isJson) writeJson(context, flag);
  else writeLine(context, say.flags.rolling(name, shares.join(' → ')));
}

function sharesOf(context: VerbContext): readonly number[] {
  const text = textOption(context, 'steps') ?? STEPS;
  const shares = text.split(',').map((part) => Number(part.trim() || Number.NaN));
  const isGood = shares.every((share) => Number.isInteger(share) && share >= 1 && share <= 100);
  if (isGood) return shares;
  throw badOption(context, 'steps', context.say.usage.badNumber(1, 100));
}
