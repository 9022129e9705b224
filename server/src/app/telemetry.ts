/**
 * The log, the meters and the observer of exchanges, as configured.
 */
import type { Config } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createLog, type LogHandle } from '../telemetry/log.ts';
import { createLogScope } from '../telemetry/log-scope.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';

export interface Telemetry {
  readonly log: LogHandle;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

const STDOUT = 1;

export function createTelemetry(config: Config, clock: Clock): Telemetry {
  const log = createLog({
    level: config.log.level,
    format: config.log.structured ? 'json' : 'text',
    service: config.serviceName,
    destination: STDOUT,
    clock,
    scope: createLogScope(),
  });
  return { log, metrics: createMetrics(), close: () => log.close() };
}
