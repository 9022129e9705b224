/**
 * The ledger rows of the seeded tenant: days with working hours, quiet weekends, answers from
 * the cache, errors of providers, clients that leave, limits that are reached.
 *
 * Pure: the same plan, day and keys give the same rows, whatever the hour they are made at.
 */
import type { CacheStatus, ErrorCode, LedgerEntry, Usage } from '../../gateway/index.ts';
import { createIdSource } from '../../kernel/id.ts';
import { type Nanousd, nanousdFromPicousd } from '../../kernel/money.ts';
import { createDice, type Dice } from './dice.ts';
import type { Application, CallPattern, SeedPlan } from './plan.ts';

export interface SeedPrice {
  readonly id: string;
  readonly inputPicousd: number;
  readonly cachedInputPicousd: number;
  readonly outputPicousd: number;
}

export interface SeedInput {
  readonly plan: SeedPlan;
  /** By the application's name. */
  readonly keyIds: ReadonlyMap<string, string>;
  /** By `provider/model`; what is missing is unpriced. */
  readonly prices: ReadonlyMap<string, SeedPrice>;
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NO_TOKENS = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
const NO_USAGE: Usage = { ...NO_TOKENS, source: 'provider' };

/** How busy each local hour is. */
const HOURS = [1, 0, 0, 0, 0, 0, 1, 3, 8, 10, 11, 10, 6, 5, 8, 10, 10, 9, 7, 6, 8, 9, 6, 3];

/** Rows of the last days up to now, oldest first. */
export function generateEntries(input: SeedInput): readonly LedgerEntry[] {
  const today = Math.floor(input.nowMs / DAY_MS);
  const entries: LedgerEntry[] = [];
  for (let day = today - input.plan.days + 1; day <= today; day += 1) {
    entries.push(...entriesOfDay(input, day));
  }
  return entries.filter((entry) => entry.createdAtMs <= input.nowMs);
}

function entriesOfDay(input: SeedInput, day: number): LedgerEntry[] {
  const { plan } = input;
  const dice = createDice(day);
  const weekday = (day + 4) % 7; // the epoch began on a Thursday; 0 is Sunday
  const isWeekend = weekday === 0 || weekday === 6;
  const share = isWeekend ? plan.weekend_share : 1;
  const count = Math.round(plan.requests_per_weekday * share * (0.8 + 0.4 * dice.float()));
  const times = Array.from({ length: count }, () => timeOf(plan, day, dice)).sort((a, b) => a - b);
  let nowMs = 0;
  const clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer: () => ({ cancel: () => undefined }),
  };
  const ids = createIdSource(clock, dice);
  return times.map((createdAtMs) => {
    nowMs = createdAtMs;
    return entryOf(input, dice, createdAtMs, ids.next('req'));
  });
}

function timeOf(plan: SeedPlan, day: number, dice: Dice): number {
  const hours = HOURS.map((share, hour) => ({ share, hour }));
  const utcHour = (dice.pick(hours).hour - plan.utc_offset_hours + 24) % 24;
  return day * DAY_MS + utcHour * HOUR_MS + Math.floor(dice.float() * HOUR_MS);
}

function entryOf(input: SeedInput, dice: Dice, createdAtMs: number, id: string): LedgerEntry {
  const application = dice.pick(input.plan.applications);
  const call = dice.pick(application.calls);
  return {
    id,
    createdAtMs,
    tenant: input.plan.tenant.slug,
    keyId: input.keyIds.get(application.name) ?? '',
    correlationId: id,
    dialect: input.plan.dialect,
    operation: call.operation,
    model: call.model,
    stream: dice.chance(call.stream),
    configGeneration: 1,
    ...endOf(input, dice, application, call),
  };
}

type End = Pick<
  LedgerEntry,
  | 'provider'
  | 'providerModel'
  | 'status'
  | 'outcome'
  | 'errorCode'
  | 'cache'
  | 'attempts'
  | 'usage'
  | 'costNanousd'
  | 'priceId'
  | 'durationMs'
  | 'firstTokenMs'
>;

function endOf(input: SeedInput, dice: Dice, application: Application, call: CallPattern): End {
  if (dice.chance(0.012)) return rejected('rate_limited', 429);
  if (application.budget.period === 'day' && dice.chance(0.01)) {
    return rejected('budget_exceeded', 402);
  }
  const answerer = { provider: call.provider, providerModel: call.provider_model };
  if (dice.chance(call.answer_cached)) {
    const free = { usage: NO_USAGE, costNanousd: 0, priceId: null, attempts: 0 };
    const times = { durationMs: 1 + Math.round(dice.float() * 4), firstTokenMs: 1 };
    return { ...answerer, ...completed('HIT'), ...free, ...times };
  }
  if (dice.chance(0.018)) return failed(dice, answerer);
  const usage = usageOf(dice, call);
  const price = input.prices.get(`${call.provider}/${call.provider_model}`) ?? null;
  const firstTokenMs = dice.spread(420);
  const money = {
    costNanousd: price === null ? null : costOf(usage, price),
    priceId: price?.id ?? null,
  };
  const durationMs = firstTokenMs + Math.round(usage.outputTokens * call.ms_per_output_token);
  const sent = { attempts: dice.chance(0.03) ? 2 : 1, usage, ...money, durationMs, firstTokenMs };
  if (dice.chance(0.02)) {
    const left = { status: 499, outcome: 'aborted', errorCode: 'client_closed' } as const;
    return { ...answerer, ...left, cache: 'MISS', ...sent };
  }
  return { ...answerer, ...completed('MISS'), ...sent };
}

function completed(cache: CacheStatus) {
  return { status: 200, outcome: 'completed', errorCode: null, cache } as const;
}

function rejected(errorCode: ErrorCode, status: number): End {
  return {
    ...{ provider: null, providerModel: null, status, outcome: 'rejected', errorCode },
    ...{ cache: 'BYPASS', attempts: 0, usage: NO_USAGE, costNanousd: 0, priceId: null },
    ...{ durationMs: 1, firstTokenMs: null },
  };
}

function failed(dice: Dice, answerer: Pick<End, 'provider' | 'providerModel'>): End {
  const isLimited = dice.chance(0.4);
  return {
    ...answerer,
    status: isLimited ? 429 : 502,
    outcome: 'failed',
    errorCode: isLimited ? 'upstream_rate_limited' : 'upstream_failed',
    ...{ cache: 'MISS', attempts: 3, usage: NO_USAGE, costNanousd: 0, priceId: null },
    ...{ durationMs: dice.spread(2600), firstTokenMs: null },
  };
}

function usageOf(dice: Dice, call: CallPattern): Usage {
  const inputTokens = dice.spread(call.input_tokens);
  const cachedShare = dice.chance(call.prompt_cached) ? 0.4 + 0.4 * dice.float() : 0;
  return {
    inputTokens,
    cachedInputTokens: Math.floor(inputTokens * cachedShare),
    outputTokens: dice.spread(call.output_tokens),
    reasoningTokens: 0,
    source: 'provider',
  };
}

function costOf(usage: Usage, price: SeedPrice): Nanousd {
  const freshTokens = usage.inputTokens - usage.cachedInputTokens;
  return nanousdFromPicousd(
    freshTokens * price.inputPicousd +
      usage.cachedInputTokens * price.cachedInputPicousd +
      usage.outputTokens * price.outputPicousd,
  );
}
