/**
 * `load`: the profile on one instance as it starts without a setting, then a rolling restart
 * under load. Every figure of `PHASES`' last phase has a bar.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProcess } from '../../bench/measure/proc.ts';
import { percentile } from '../../bench/measure/stats.ts';
import { number, VERDICT_COLUMNS, verdictOf, verdictRow } from '../../bench/report/format.ts';
import type { Verdict } from '../../bench/scenarios/scenario.ts';
import { startGatewayProcess } from '../../server/test/support/gateway-process.ts';
import { rollingRestart } from '../../server/test/support/rolling-restart.ts';
import type { Outcome, Scenario } from '../scenario.ts';
import { type Asked, createClients } from './clients.ts';
import { BARS, HELD, PHASES, PROVIDER_MS, RESTART } from './plan.ts';

type Say = (progress: string) => void;

interface PhaseFigures {
  readonly phase: string;
  readonly requests: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Of interactions: how many were answered without the provider. */
  readonly hitRate: number;
  readonly chatP95Ms: number | null;
  readonly hitP95Ms: number | null;
  readonly plainP95Ms: number | null;
  /** CPU of the instance as a share of one core. */
  readonly busy: number;
  readonly peakRssMb: number;
}

const PLAIN = new Set<Asked['kind']>(['health', 'list', 'get session', 'path']);
const SHOWN_FAILURES = 10;

export const loadProfile: Scenario = {
  parts: ['profile', 'restart'],
  async run(parts, say) {
    const played = parts.includes('profile') ? await playAll(say) : [];
    const restarted = parts.includes('restart') ? await restart(say) : null;
    const verdicts = [
      ...verdictsOf(played.find(({ phase }) => phase === HELD)),
      ...(restarted === null ? [] : [verdictOfRestart(restarted.failed)]),
    ];
    const rows = [...played.map(rowOf), ...verdicts.map(verdictRow)];
    return outcome(rows, verdicts, { played, restarted, bars: BARS });
  },
};

async function playAll(say: Say): Promise<readonly PhaseFigures[]> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-load-'));
  const file = join(folder, 'esclusa.yaml');
  const mock = { kind: 'mock', first_token_delay_ms: PROVIDER_MS };
  await writeFile(file, JSON.stringify({ providers: { mock } })); // which is YAML, too
  const env = { ESCLUSA_CONFIG: file, LOG_LEVEL: 'info' };
  const gateway = await startGatewayProcess(folder, env);
  const clients = createClients(gateway.url);
  try {
    const played: PhaseFigures[] = [];
    for (const phase of PHASES) {
      say(phase.name);
      const before = readProcess(gateway.child.pid ?? 0);
      const beganMs = performance.now();
      const asked = await clients.play(phase);
      const { cpuMs, peakRssMb } = readProcess(gateway.child.pid ?? 0);
      const busy = (cpuMs - before.cpuMs) / (performance.now() - beganMs);
      for (const failure of failuresOf(asked).slice(0, SHOWN_FAILURES)) say(failure);
      played.push(figuresOf(phase.name, asked, { busy, peakRssMb }));
    }
    return played;
  } finally {
    await clients.close();
    await gateway.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function restart(say: Say) {
  const stops: (() => unknown)[] = [];
  try {
    say('rolling restart');
    const { failures, ...figures } = await rollingRestart(
      { after: (stop) => void stops.push(stop) },
      RESTART,
    );
    for (const failure of failures.slice(0, SHOWN_FAILURES)) say(failure);
    return { ...RESTART, ...figures, failed: failures.length };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

function figuresOf(
  phase: string,
  asked: readonly Asked[],
  { busy, peakRssMb }: { readonly busy: number; readonly peakRssMb: number },
): PhaseFigures {
  const chats = asked.filter(({ kind }) => kind === 'interaction');
  const hits = chats.filter(({ cache }) => cache === 'HIT');
  return {
    ...{ phase, requests: asked.length, failed: failuresOf(asked).length },
    p50Ms: at(asked, 50),
    p95Ms: at(asked, 95),
    p99Ms: at(asked, 99),
    hitRate: chats.length === 0 ? 0 : hits.length / chats.length,
    chatP95Ms: at(chats, 95),
    hitP95Ms: at(hits, 95),
    plainP95Ms: at(
      asked.filter(({ kind }) => PLAIN.has(kind)),
      95,
    ),
    ...{ busy, peakRssMb },
  };
}

function failuresOf(asked: readonly Asked[]): readonly string[] {
  return asked.flatMap(({ failure }) => (failure === null ? [] : [failure]));
}

function at(asked: readonly Asked[], percent: number): number | null {
  return percentile(
    asked.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b),
    percent,
  );
}

function verdictsOf(held: PhaseFigures | undefined): readonly Verdict[] {
  if (held === undefined) return [];
  const atMost = (what: string, figure: number | null, bar: number, unit: string): Verdict =>
    verdictOf({ what, figure, bar, unit, sense: 'at most' });
  const errors = held.failed / held.requests;
  return [
    atMost(`${HELD}: p50`, held.p50Ms, BARS.p50Ms, 'ms'),
    atMost(`${HELD}: p95`, held.p95Ms, BARS.p95Ms, 'ms'),
    atMost(`${HELD}: p95 of chats`, held.chatP95Ms, BARS.p95Ms, 'ms'),
    atMost(`${HELD}: p95 of routes without a model`, held.plainP95Ms, BARS.plainP95Ms, 'ms'),
    atMost(`${HELD}: errors`, errors * 100, BARS.errorRate * 100, '%'),
    atMost('memory, the most there was', held.peakRssMb, BARS.rssMb, 'MB'),
  ];
}

function verdictOfRestart(failed: number): Verdict {
  const what = 'rolling restart: failed';
  return verdictOf({ what, figure: failed, bar: 0, unit: '', sense: 'at most' });
}

function rowOf({ phase, requests, p50Ms, p95Ms, hitRate, busy }: PhaseFigures): readonly string[] {
  const latency = `p50 ${number(p50Ms, 1)} ms, p95 ${number(p95Ms, 1)} ms`;
  const share = `${Math.round(hitRate * 100)} % hits, ${Math.round(busy * 100)} % of a core`;
  return [phase, `${requests} requests`, latency, share];
}

function outcome(
  rows: readonly (readonly string[])[],
  verdicts: readonly Verdict[],
  raw: object,
): Outcome {
  const isMet = verdicts.length > 0 && verdicts.every((verdict) => verdict.isMet === true);
  return { table: { columns: VERDICT_COLUMNS, rows }, isMet, raw };
}
