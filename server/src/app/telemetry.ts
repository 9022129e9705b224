/**
 * The log and the meters, as configured. On a terminal the log is text: a person reads it.
 */
import type { Config, ConfigKeeper } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createLog, type LogHandle } from '../telemetry/log.ts';
import { createLogScope, type LogScope } from '../telemetry/log-scope.ts';
import { createMetrics, type Metrics, single } from '../telemetry/metrics.ts';

export interface Telemetry {
  readonly log: LogHandle;
  /** Names the request in every line logged on its behalf. */
  readonly scope: LogScope;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

const STDOUT = 1;

/** `worker`: the number of this process where several write to one output. */
export function createTelemetry(
  config: Config,
  clock: Clock,
  worker: number | null = null,
): Telemetry {
  const scope = createLogScope();
  const log = createLog({
    level: config.log.level,
    format: config.log.structured && !process.stdout.isTTY ? 'json' : 'text',
    service: config.serviceName,
    worker,
    destination: STDOUT,
    clock,
    scope,
    colour: process.stdout.isTTY,
  });
  const metrics = createMetrics();
  metrics.logLines.sample(() =>
    Object.entries(log.written()).map(([level, value]) => ({ labels: { level }, value })),
  );
  metrics.logLinesDropped.sample(single(() => log.dropped()));
  const flush = (): void => log.flushSync();
  process.on('exit', flush);
  const close = async (): Promise<void> => {
    process.off('exit', flush);
    await log.close();
  };
  return { log, scope, metrics, close };
}

/** The least severe level that is written is that of the configuration in force. */
export function followLevel({ log }: Telemetry, keeper: ConfigKeeper): () => void {
  return keeper.subscribe(({ config }) => log.setLevel(config.log.level));
}
