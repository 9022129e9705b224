/**
 * What the runtime tells about itself, read at scrapes only; the delay of the event loop is
 * sampled by the runtime in between and starts afresh with each scrape.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Sample } from '../kernel/meter.ts';
import { type Metrics, single } from './metrics.ts';

const LAG_RESOLUTION_MS = 20;
const LAG_QUANTILES = [50, 99];
const NANOSECONDS = 1e9;

/** Answers what ends the sampling. */
export function watchProcess(metrics: Metrics): { close(): void } {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  let utilization = performance.eventLoopUtilization();

  metrics.cpuSeconds.sample(
    single(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
  );
  metrics.residentMemory.sample(single(() => process.memoryUsage.rss()));
  metrics.startTime.sample(single(() => Math.floor(performance.timeOrigin / 1000)));
  metrics.heapUsed.sample(single(() => process.memoryUsage().heapUsed));
  metrics.heapTotal.sample(single(() => process.memoryUsage().heapTotal));
  metrics.externalMemory.sample(single(() => process.memoryUsage().external));
  metrics.version.sample(() => [{ labels: { version: process.version }, value: 1 }]);
  metrics.eventLoopUtilization.sample(
    single(() => {
      const now = performance.eventLoopUtilization();
      const since = performance.eventLoopUtilization(now, utilization);
      utilization = now;
      return since.utilization;
    }),
  );
  metrics.eventLoopLag.sample(() => {
    const samples: Sample[] = LAG_QUANTILES.map((percentile) => ({
      labels: { quantile: String(percentile / 100) },
      value: beyondInterval(lag.percentile(percentile)),
    }));
    samples.push({ labels: { quantile: '1' }, value: beyondInterval(lag.max) });
    lag.reset();
    return samples;
  });
  return { close: () => void lag.disable() };
}

/** The runtime measures from one sample to the next, so that an idle loop shows the interval. */
function beyondInterval(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - LAG_RESOLUTION_MS / 1000);
}
