/**
 * The settings that keep one provider's trouble from becoming everyone's: breaker, time limits,
 * retries, concurrency; and the same again for one provider or one model.
 */
import { decimal, flag, group, overrideOf, overridesOf, whole } from './setting.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

const breaker = group(
  { description: 'The breaker of each target.' },
  {
    enabled: flag(true, {
      env: ['ENABLE_CIRCUIT_BREAKER'],
      killSwitch: true,
      description: 'Stops calling a target that keeps failing.',
    }),
    failure_threshold: whole(
      5,
      { min: 1, max: 10_000 },
      {
        description: 'Failures within the window that open the breaker.',
      },
    ),
    success_threshold: whole(
      2,
      { min: 1, max: 1000 },
      {
        description: 'Successful probes that close it again.',
      },
    ),
    open_seconds: decimal(
      60,
      { min: 0.05, max: DAY_SECONDS },
      {
        description: 'How long it stays open before probes are let through.',
      },
    ),
    half_open_max_calls: whole(
      3,
      { min: 1, max: 1000 },
      {
        description: 'Probes that may run at once while it is half open.',
      },
    ),
    minimum_calls: whole(
      5,
      { min: 1, max: 10_000 },
      {
        description: 'Calls within the window below which it never opens.',
      },
    ),
    slow_call_ms: whole(
      30_000,
      { min: 0, max: HOUR_MS },
      {
        description:
          'A streamed call whose first token takes this long is slow; 0: no call is. ' +
          'A target opened for slowness is only avoided: without another one it is still called.',
      },
    ),
    slow_call_rate: decimal(
      1,
      { min: 0.01, max: 1 },
      {
        description: 'Share of slow calls within the window that opens the breaker.',
      },
    ),
  },
);

const timeouts = group(
  { description: 'Time limits of one call.' },
  {
    connect_ms: whole(
      5000,
      { min: 1, max: HOUR_MS },
      {
        description: 'To open a connection to the provider.',
      },
    ),
    first_token_ms: whole(
      60_000,
      { min: 1, max: HOUR_MS },
      {
        description:
          'From sending a streamed request to the first byte of its answer, as long as little ' +
          'is known of the target.',
      },
    ),
    first_token_adaptive: flag(true, {
      description:
        'Lets a target’s own first tokens move that limit: a quick target is given up sooner, ' +
        'a healthy slow one later.',
    }),
    first_token_min_ms: whole(
      10_000,
      { min: 1, max: HOUR_MS },
      {
        description: 'The shortest that limit becomes, `first_token_ms` if that is shorter.',
      },
    ),
    first_token_max_ms: whole(
      180_000,
      { min: 1, max: HOUR_MS },
      {
        description: 'The longest that limit becomes, `first_token_ms` if that is longer.',
      },
    ),
    idle_ms: whole(
      30_000,
      { min: 1, max: HOUR_MS },
      {
        description: 'The longest silence between two pieces of an answer.',
      },
    ),
    total_ms: whole(
      600_000,
      { min: 1, max: 24 * HOUR_MS },
      {
        description: 'From the first byte of the client’s request to the last byte of the answer.',
      },
    ),
  },
);

const retry = group(
  { description: 'Attempts at one target.' },
  {
    attempts: whole(
      2,
      { min: 1, max: 10 },
      {
        description: 'Attempts at one target, the first included.',
      },
    ),
    budget_ratio: decimal(
      0.2,
      { min: 0, max: 1 },
      {
        description: 'Retries allowed as a share of requests; 0.2 is one in five.',
      },
    ),
  },
);

const maxConcurrency = whole(
  512,
  { min: 1, max: 100_000 },
  {
    description: 'Calls that may run at one provider at once.',
  },
);

export const resilienceGroup = group(
  { apply: 'live', description: 'What keeps a provider’s trouble from spreading.' },
  {
    breaker: breaker.prefault({}),
    timeouts: timeouts.prefault({}),
    retry: retry.prefault({}),
    max_concurrency: maxConcurrency,
  },
);

const breakerNames = [
  'failure_threshold',
  'success_threshold',
  'open_seconds',
  'half_open_max_calls',
  'minimum_calls',
  'slow_call_ms',
  'slow_call_rate',
] as const;
const timeoutNames = [
  'connect_ms',
  'first_token_ms',
  'first_token_adaptive',
  'first_token_min_ms',
  'first_token_max_ms',
  'idle_ms',
  'total_ms',
] as const;

/** What a model may set again. */
export const modelOverrides = {
  breaker: overridesOf(breaker, breakerNames, { description: 'Overrides `resilience.breaker`.' }),
  timeouts: overridesOf(timeouts, timeoutNames, {
    description: 'Overrides `resilience.timeouts`.',
  }),
  retry: overridesOf(retry, ['attempts', 'budget_ratio'], {
    description: 'Overrides `resilience.retry`.',
  }),
};

/** What a provider may set again. */
export const providerOverrides = {
  ...modelOverrides,
  max_concurrency: overrideOf(maxConcurrency),
};
