/**
 * A collector of traces that stops answering, and then is gone, under a steady load: no call
 * waits for it, and what cannot be exported is dropped and counted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readProcess } from '../bench/measure/proc.ts';
import { ADMIN_KEY } from '../server/test/support/gateway.ts';
import {
  type GatewayProcess,
  startGatewayProcess,
} from '../server/test/support/gateway-process.ts';
import { type Collector, startCollector } from '../server/test/support/otlp/collector.ts';
import { percentile, type SteadyLoad, startLoad } from '../server/test/support/steady-load.ts';
import type { Figures } from './scenario.ts';

const PER_SECOND = 50;
const WARM_MS = 2000;
const STRETCH_MS = 15_000;
const P99_ALLOWED_MS = 5;
const P99 = 0.99;
/** Small, so that it is full long before a stretch is over. */
const MAX_SPANS = 256;

export async function measureCollector(say: (progress: string) => void): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-collector-'));
  const collector = await startCollector();
  const gateway = await startGatewayProcess(folder, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_BSP_MAX_QUEUE_SIZE: String(MAX_SPANS),
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  });
  const load = startLoad({ url: gateway.url, key: ADMIN_KEY, perSecond: PER_SECOND });
  try {
    return await stretches({ collector, gateway, load }, say);
  } finally {
    await load.stop();
    await gateway.kill('SIGKILL');
    await collector.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Surroundings {
  readonly collector: Collector;
  readonly gateway: GatewayProcess;
  readonly load: SteadyLoad;
}

async function stretches(
  { collector, gateway, load }: Surroundings,
  say: (progress: string) => void,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const stretch = async (name: string): Promise<void> => {
    say(`${name}: ${STRETCH_MS / 1000} s`);
    const mark = load.asked.length;
    await pause(STRETCH_MS);
    const asked = load.since(mark);
    figures[`${name}: calls`] = asked.length;
    figures[`${name}: failed`] = asked.filter(({ failure }) => failure !== null).length;
    figures[`${name}: p99 in ms`] = Number(percentile(asked, P99).toFixed(1));
    figures[`${name}: MB`] = Math.round(readProcess(gateway.child.pid ?? 0).rssMb);
    figures[`${name}: spans dropped`] = await droppedAt(gateway.url);
  };
  await pause(WARM_MS);
  await stretch('well');
  collector.manner = 'silent';
  await stretch('silent');
  await collector.close();
  await stretch('gone');
  return { figures: { perSecond: PER_SECOND, ...figures }, isMet: isMet(figures) };
}

function isMet(figures: Readonly<Record<string, number>>): boolean {
  const of = (name: string): number => figures[name] ?? Number.NaN;
  const limitMs = of('well: p99 in ms') + P99_ALLOWED_MS;
  return (
    ['well', 'silent', 'gone'].every((name) => of(`${name}: failed`) === 0) &&
    ['silent', 'gone'].every((name) => of(`${name}: p99 in ms`) <= limitMs) &&
    of('well: spans dropped') === 0 &&
    of('gone: spans dropped') > of('silent: spans dropped') &&
    of('silent: spans dropped') > 0
  );
}

async function droppedAt(url: string): Promise<number> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const values = text.matchAll(/^esclusa_trace_spans_dropped_total\{.*\} (\d+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
