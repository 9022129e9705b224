/**
 * The start as it is checked: runs the checks before anything listens, tells what they found
 * (one line of the log, the meters, `/health/startup`), and ends the start where that is wanted.
 */
import type { Startup } from '@esclusa/contracts';
import type { Config } from '../../config/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import {
  SKIPPED,
  type StartupCheck,
  StartupValidationError,
  summaryOf,
  validateStart,
} from '../../operations/index.ts';
import type { Telemetry } from '../telemetry.ts';

export interface ValidationDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: Config['startup'];
  /** When the start began, on the monotonic clock. */
  readonly startedMs: number;
}

/** For the whole start: the ledger promises five seconds. */
const BUDGET_MS = 4500;
/** Of it, how long a database that is not there is waited for. */
export const DATABASE_WAIT_MS = 2000;

/** Throws a `StartupValidationError` where a critical check failed and the mode is `fail`. */
export async function validate(
  checks: readonly StartupCheck[],
  { clock, telemetry, settings, startedMs }: ValidationDeps,
): Promise<Startup> {
  const log = telemetry.log.named('startup');
  if (!settings.validation) {
    log.info('start-up checks are switched off', { reason: SKIPPED.reason });
    return SKIPPED;
  }
  const failOnWarning = settings.failOnWarning;
  const summary = await validateStart(checks, {
    ...{ clock, startedMs, failOnWarning, budgetMs: BUDGET_MS },
  });
  publish(summary, telemetry);
  if (summary.status === 'unhealthy' && settings.mode === 'fail') {
    throw new StartupValidationError(summary);
  }
  return summary;
}

/** The start that a database ended: nothing else could be looked at. */
export function withoutDatabase(error: unknown, startedMs: number, clock: Clock): Error {
  const message = error instanceof Error ? error.message : String(error);
  const durationMs = clock.monotonicMs() - startedMs;
  const result = { name: 'database_connection', status: 'fail', critical: true, message } as const;
  const results = [{ ...result, duration_ms: Math.round(durationMs * 100) / 100 }];
  return new StartupValidationError(summaryOf(results, durationMs, false), error);
}

function publish(summary: Startup, { log, metrics }: Telemetry): void {
  for (const { name, status, duration_ms } of summary.results) {
    metrics.startupCheckDuration.child({ check: name }).set(duration_ms / 1000);
    metrics.startupCheckStatus.child({ check: name, status }).set(1);
  }
  const level = summary.status === 'unhealthy' ? 'error' : summary.warnings > 0 ? 'warn' : 'info';
  log.named('startup')[level]('start-up checks', { ...summary });
}
