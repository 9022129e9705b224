/**
 * What is seeded: a small university with four applications, as data.
 */
import type { BudgetBody, LimitsBody } from '@esclusa/contracts';
import type { Dialect, Operation } from '../../gateway/index.ts';
import plan from './plan.json' with { type: 'json' };

export interface SeedPlan {
  readonly tenant: { readonly slug: string; readonly name: string };
  readonly dialect: Dialect;
  readonly days: number;
  readonly requests_per_weekday: number;
  /** Of a weekday's requests. */
  readonly weekend_share: number;
  readonly utc_offset_hours: number;
  readonly applications: readonly Application[];
}

export interface Application {
  readonly name: string;
  /** Of all requests. */
  readonly share: number;
  readonly limits: LimitsBody;
  readonly budget: BudgetBody;
  readonly calls: readonly CallPattern[];
}

/** One way in which an application calls a model; tokens are medians, shares are 0 to 1. */
export interface CallPattern {
  readonly model: string;
  readonly provider: string;
  readonly provider_model: string;
  readonly operation: Operation;
  readonly share: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly ms_per_output_token: number;
  readonly stream: number;
  readonly prompt_cached: number;
  readonly answer_cached: number;
}

export const demonstrationPlan = plan as SeedPlan;
