/**
 * Runs the checks at start, all at once, each with its own time, and sums up what they found.
 *
 * Invariants: results stand in the order of the checks, most important first; the whole ends
 * with its slowest check, and at the latest when `budgetMs` are over; nothing here throws.
 */
import type { Startup, StartupResult } from '@esclusa/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import { fail, type StartupCheck, type Verdict } from './check.ts';

export interface ValidationOptions {
  readonly clock: Clock;
  /** When the start began, on the monotonic clock. */
  readonly startedMs: number;
  /** For everything since then, the checks included. */
  readonly budgetMs: number;
  readonly failOnWarning: boolean;
}

/** A check gets this much even where what came before took all the time there was. */
const TIMEOUT_LEAST_MS = 250;

export async function validateStart(
  checks: readonly StartupCheck[],
  options: ValidationOptions,
): Promise<Startup> {
  const { clock, startedMs, budgetMs } = options;
  const leftMs = Math.max(TIMEOUT_LEAST_MS, startedMs + budgetMs - clock.monotonicMs());
  const results = await Promise.all(checks.map((check) => resultOf(check, leftMs, clock)));
  return summaryOf(results, clock.monotonicMs() - startedMs, options.failOnWarning);
}

export function summaryOf(
  results: readonly StartupResult[],
  totalMs: number,
  failOnWarning: boolean,
): Startup {
  const count = (status: StartupResult['status']): number =>
    results.filter((result) => result.status === status).length;
  const failures = count('fail');
  const warnings = count('warning');
  const isBad = failures > 0 || (failOnWarning && warnings > 0);
  return {
    status: isBad ? 'unhealthy' : 'healthy',
    total_duration_ms: rounded(totalMs),
    total_checks: results.length,
    passed: count('pass'),
    warnings,
    critical_failures: failures,
    results: [...results],
  };
}

export const SKIPPED: Startup = {
  ...summaryOf([], 0, false),
  status: 'skipped',
  reason: 'feature_flag_disabled',
};

export const STARTING: Startup = { ...summaryOf([], 0, false), status: 'starting' };

async function resultOf(check: StartupCheck, leftMs: number, clock: Clock): Promise<StartupResult> {
  const { name, critical } = check;
  const startedMs = clock.monotonicMs();
  const verdict = await verdictOf(check, Math.min(check.timeoutMs, leftMs), clock);
  const status = verdict.status === 'fail' && !critical ? 'warning' : verdict.status;
  const duration_ms = rounded(clock.monotonicMs() - startedMs);
  return { name, status, message: verdict.message, critical, duration_ms };
}

async function verdictOf(check: StartupCheck, timeoutMs: number, clock: Clock): Promise<Verdict> {
  const work = new AbortController();
  const over = new AbortController();
  const timeout = sleep(clock, timeoutMs, over.signal).then(
    () => check.late ?? fail(`did not answer within ${Math.round(timeoutMs)} ms`),
    () => fail('stopped'),
  );
  try {
    return await Promise.race([check.run(work.signal), timeout]);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    over.abort();
    work.abort();
  }
}

function rounded(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}
