/**
 * Limits and budgets as words of the command line.
 */
import { badOption, textOption, type VerbContext } from './context.ts';

type Body = Readonly<Record<string, unknown>>;

/** Takes a limit or a budget away. */
const NONE = 'none';
const LIMITS = [
  ['requests_per_minute', 'requestsPerMinute'],
  ['tokens_per_minute', 'tokensPerMinute'],
  ['concurrency', 'concurrency'],
] as const;

/** What was given, with the limits of `before` that were not; undefined where none was. */
export function limitsOf(context: VerbContext, before: Body = {}): Body | undefined {
  const given = LIMITS.flatMap(([name, option]) => {
    const text = textOption(context, option);
    return text === undefined ? [] : [[name, text === NONE ? undefined : Number(text)] as const];
  });
  if (given.length === 0) return undefined;
  const members = Object.entries({ ...before, ...Object.fromEntries(given) });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** null: there is to be none; undefined: nothing was said. */
export function budgetOf(context: VerbContext): Body | null | undefined {
  const text = textOption(context, 'budget');
  if (text === undefined || text === NONE) return text === undefined ? undefined : null;
  const [limit_usd, period, soft, ...rest] = text.split('/');
  const isWhole = period !== undefined && rest.length === 0;
  if (!isWhole || (soft !== undefined && soft !== 'soft')) {
    throw badOption(context, 'budget', context.say.refusals.budget);
  }
  return soft === undefined ? { limit_usd, period } : { limit_usd, period, soft: true };
}

/** What to change of limits and the budget; null where nothing was said. */
export function allowanceChange(context: VerbContext, before: Body): Body | null {
  const limits = limitsOf(context, before);
  const budget = budgetOf(context);
  if (limits === undefined && budget === undefined) return null;
  return { ...(limits !== undefined && { limits }), ...(budget !== undefined && { budget }) };
}
