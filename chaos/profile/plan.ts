/**
 * The load profile that is asked for: how many requests a second arrive in each phase, and what
 * they are. The phases keep their rates and their order; each lasts a sixth of what it would
 * in full (14 minutes), and the rate that one instance must bear is held behind them.
 */

export interface Phase {
  readonly name: string;
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
  readonly seconds: number;
}

export const PHASES: readonly Phase[] = [
  { name: 'warm-up', fromPerSecond: 5, toPerSecond: 5, seconds: 20 },
  { name: 'ramp', fromPerSecond: 5, toPerSecond: 50, seconds: 30 },
  { name: 'steady 50/s', fromPerSecond: 50, toPerSecond: 50, seconds: 50 },
  { name: 'steady 100/s', fromPerSecond: 100, toPerSecond: 100, seconds: 30 },
  { name: 'spike 200/s', fromPerSecond: 200, toPerSecond: 200, seconds: 10 },
  { name: 'held 250/s', fromPerSecond: 250, toPerSecond: 250, seconds: 60 },
];

/** The phase that the bars are about. */
export const HELD = 'held 250/s';

/**
 * The words of the profile as routes of the gateway: an interaction is a chat, a session is a
 * response that is kept, the path of a session is what was booked lately.
 */
export const WEIGHTS = {
  health: 10,
  'create session': 20,
  'get session': 15,
  interaction: 40,
  list: 10,
  path: 5,
} as const;

export type Kind = keyof typeof WEIGHTS;

/** What a provider takes to answer. */
export const PROVIDER_MS = 250;
/** Of a hundred interactions so many ask what was asked before. */
export const REPEATED_PERCENT = 78;
/** How many different questions those are. */
export const QUESTIONS = 50;

export const BARS = {
  p50Ms: 120,
  p95Ms: 350,
  errorRate: 0.001,
  rssMb: 500,
  /** Of routes that call no model. */
  plainP95Ms: 100,
} as const;

export const RESTART = { processes: 3, perSecond: 50, seconds: 30, drainDelaySeconds: 5 };
