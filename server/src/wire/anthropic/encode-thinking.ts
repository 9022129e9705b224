/**
 * How much the model is to think: the extension bag's own setting, or `reasoning_effort` in
 * whichever form the provider's models take it.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { bagOf, compact, listOf, numberOf, objectOf, textOf } from '../values.ts';
import type { EncodeReport } from './encode-report.ts';

/**
 * `effort`: as `output_config.effort`; `budget`: as a number of tokens, as older models do;
 * `none`: not at all, for models that do not think.
 */
export type ReasoningControl = 'effort' | 'budget' | 'none';

export interface EncodedThinking {
  readonly thinking: JsonObject | undefined;
  readonly effort: string | undefined;
}

const EFFORTS: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
};
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 65_536,
};
const USUAL_EFFORT = 'medium';
const SMALLEST_BUDGET = 1024;

export function encodeThinking(
  body: JsonObject,
  control: ReasoningControl,
  maxTokens: number,
  report: EncodeReport,
): EncodedThinking {
  const own = objectOf(bagOf(body).thinking);
  if (control === 'none') return withoutThinking(body, own, report);
  const adapts = own.mode === 'adaptive' && control === 'budget'; // which older models cannot
  const thinking = typeof own.mode === 'string' && !adapts ? settingOf(own) : undefined;
  const effort = textOf(body.reasoning_effort) ?? (adapts ? USUAL_EFFORT : null);
  if (effort === null) return { thinking, effort: undefined };
  if (effort === 'none') return { thinking: thinking ?? { type: 'disabled' }, effort: undefined };
  if (control === 'effort') {
    const known = EFFORTS[effort];
    if (known === undefined) report.drop('reasoning_effort');
    return { thinking, effort: known };
  }
  if (thinking !== undefined) return { thinking, effort: undefined };
  const budget = Math.min(BUDGETS[effort] ?? 0, maxTokens - 1);
  if (budget < SMALLEST_BUDGET || isAmidTools(body)) {
    report.drop('reasoning_effort');
    return { thinking: undefined, effort: undefined };
  }
  return { thinking: { type: 'enabled', budget_tokens: budget }, effort: undefined };
}

function withoutThinking(
  { reasoning_effort: effort }: JsonObject,
  { mode }: JsonObject,
  report: EncodeReport,
): EncodedThinking {
  if (textOf(effort) !== null && effort !== 'none') report.drop('reasoning_effort');
  if (textOf(mode) !== null && mode !== 'disabled') report.drop('thinking');
  return { thinking: undefined, effort: undefined };
}

function settingOf(own: JsonObject): JsonObject {
  const { include_thoughts: shown } = own;
  return compact({
    type: own.mode,
    budget_tokens: own.mode === 'enabled' ? (numberOf(own.budget_tokens) ?? 1024) : undefined,
    display:
      typeof shown === 'boolean' && own.mode !== 'disabled'
        ? shown
          ? 'summarized'
          : 'omitted'
        : undefined,
  });
}

/** Calls whose thoughts are not at hand: a model that thinks would refuse them. */
function isAmidTools(body: JsonObject): boolean {
  const last = listOf(body.messages).findLast((item) => objectOf(item).role === 'assistant');
  const calls = listOf(objectOf(last).tool_calls);
  return calls.length > 0 && listOf(bagOf(last).thinking_blocks).length === 0;
}
