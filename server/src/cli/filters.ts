/**
 * The options that say which rows of the ledger are meant.
 */
import type { LedgerFilter } from '../gateway/index.ts';
import { badOption, textOption, type VerbContext } from './context.ts';
import { parseInstant } from './instants.ts';

const OUTCOMES = ['completed', 'failed', 'aborted', 'rejected'] as const;

export function filterOf(context: VerbContext): LedgerFilter {
  const keyId = textOption(context, 'key');
  const model = textOption(context, 'model');
  const provider = textOption(context, 'provider');
  const outcome = outcomeOf(context);
  const sinceMs = instantOf(context, 'since');
  const untilMs = instantOf(context, 'until');
  return {
    tenant: textOption(context, 'tenant') ?? null,
    ...(keyId !== undefined && { keyId }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(outcome !== undefined && { outcome }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
}

function outcomeOf(context: VerbContext): LedgerFilter['outcome'] | undefined {
  const text = textOption(context, 'outcome');
  if (text === undefined) return undefined;
  const outcome = OUTCOMES.find((known) => known === text);
  if (outcome !== undefined) return outcome;
  throw badOption(context, 'outcome', context.say.usage.badChoice(OUTCOMES.join(', ')));
}

function instantOf(context: VerbContext, name: 'since' | 'until'): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const ms = parseInstant(text, context.nowMs());
  if (ms !== null) return ms;
  throw badOption(context, name, context.say.usage.badInstant);
}
