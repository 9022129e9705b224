/**
 * `npm run chaos [-- name…]`: scenarios too long for the tests, with real processes. A line with
 * the progress, a table of figures, and a dated JSON in `results/`; 1 where a bar is not met.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { rollingRestart } from '../server/test/support/rolling-restart.ts';
import { postgresFaults } from './postgres.ts';

interface Report {
  readonly figures: Readonly<Record<string, number | string>>;
  readonly isMet: boolean;
}

type Scenario = (say: (progress: string) => void) => Promise<Report>;

const RESTART = { processes: 3, perSecond: 50, seconds: 60, drainDelaySeconds: 5 };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...postgresFaults,
  'rolling-restart': async (say) => {
    const stops: (() => unknown)[] = [];
    try {
      const { failures, ...figures } = await rollingRestart(
        { after: (stop) => void stops.push(stop) },
        {
          ...RESTART,
          progress: ({ asked, restarts, failures: bad }) =>
            say(`${asked} requests, ${restarts} restarts, ${bad.length} failed`),
        },
      );
      for (const failure of failures.slice(0, 10)) console.error(failure);
      const isMet = failures.length === 0;
      return { figures: { ...RESTART, ...figures, failed: failures.length }, isMet };
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

const RESULTS = join(import.meta.dirname, 'results');
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  console.error(`no scenario is called ${unknown.join(', ')}; there are: ${names().join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of wanted.length === 0 ? names() : wanted) await measure(name);
}

function names(): string[] {
  return Object.keys(SCENARIOS);
}

async function measure(name: string): Promise<void> {
  const scenario = SCENARIOS[name] as Scenario;
  const isTerminal = process.stderr.isTTY;
  const report = await scenario((progress) => {
    if (isTerminal) process.stderr.write(`\r${name}: ${progress}   `);
  });
  if (isTerminal) process.stderr.write('\n');
  console.table(report.figures);
  console.log(`${name}: ${report.isMet ? 'met' : 'NOT met'}`);
  if (!report.isMet) process.exitCode = 1;
  const date = new Date().toISOString().slice(0, 10);
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
  mkdirSync(RESULTS, { recursive: true });
  const text = `${JSON.stringify({ date, machine, ...report }, null, 2)}\n`;
  writeFileSync(join(RESULTS, `${date}-${name}.json`), text);
}
