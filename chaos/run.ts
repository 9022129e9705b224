/**
 * `npm run chaos [-- scenario [part …]] [--json]`: what is too long for the tests, with real
 * processes. A line for each step, a table beside its bars, and a dated JSON in `results/` of a
 * scenario that was run whole.
 *
 * Exit code 0: measured and every bar met; 1: a bar was not met; 2: wrong arguments.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine } from '../bench/measure/machine.ts';
import { alignedTable } from '../bench/report/table.ts';
import { measureCollector } from './collector.ts';
import { measureLogLines } from './log-lines.ts';
import { postgresFaults } from './postgres.ts';
import { loadProfile } from './profile/scenario.ts';
import { redisFaults } from './redis/scenario.ts';
import { measureRollingRestart } from './rolling-restart.ts';
import { ofFigures, type Scenario } from './scenario.ts';

const SCENARIOS: ReadonlyMap<string, Scenario> = new Map([
  ['redis', redisFaults],
  ...Object.entries(postgresFaults).map(([name, one]) => [name, ofFigures(one)] as const),
  ['rolling-restart', ofFigures(measureRollingRestart)],
  ['collector', ofFigures(measureCollector)],
  ['log-lines', ofFigures(measureLogLines)],
  ['load', loadProfile],
]);
const RESULTS = join(import.meta.dirname, 'results');
/** The load average of a machine that does nothing else. */
const QUIET_LOAD = 0.3;

interface Wanted {
  readonly names: readonly string[];
  /** Of the one scenario; empty: all of them. */
  readonly parts: readonly string[];
  readonly isJson: boolean;
}

async function main(): Promise<number> {
  const wanted = wantedBy(process.argv.slice(2));
  if (wanted === null) {
    process.stderr.write(usage());
    return 2;
  }
  let isMet = true;
  for (const name of wanted.names) isMet = (await measure(name, wanted)) && isMet;
  return isMet ? 0 : 1;
}

async function measure(name: string, { parts, isJson }: Wanted): Promise<boolean> {
  const scenario = SCENARIOS.get(name) as Scenario; // looked up before
  const machine = describeMachine();
  if (machine.loadBefore > QUIET_LOAD) {
    process.stderr.write(`! The machine is in use (load ${machine.loadBefore}): expect noise.\n`);
  }
  const isWhole = parts.length === 0;
  const { table, isMet, raw } = await scenario.run(isWhole ? scenario.parts : parts, sayOf(name));
  if (process.stderr.isTTY) process.stderr.write('\n');
  const date = new Date().toISOString().slice(0, 10);
  const text = `${JSON.stringify({ date, machine, isMet, table, ...raw }, null, 2)}\n`;
  if (isWhole) {
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(join(RESULTS, `${date}-${name}.json`), text);
  }
  process.stdout.write(isJson ? text : `${alignedTable(table)}\n`);
  process.stderr.write(`${name}: ${isMet ? 'met' : 'NOT met'}\n`);
  return isMet;
}

/** Redraws one line on a terminal; elsewhere a line for each change. */
function sayOf(name: string): (progress: string) => void {
  return (progress) => {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${name}: ${progress}` : `${progress}\n`);
  };
}

/** null: that is none of what there is. */
function wantedBy(words: readonly string[]): Wanted | null {
  const isJson = words.includes('--json');
  const [name, ...parts] = words.filter((word) => word !== '--json');
  if (name === undefined) return { names: [...SCENARIOS.keys()], parts: [], isJson };
  const known = SCENARIOS.get(name)?.parts;
  if (known === undefined || parts.some((part) => !known.includes(part))) return null;
  return { names: [name], parts, isJson };
}

function usage(): string {
  const lines = [...SCENARIOS].map(([name, { parts }]) => `  ${[name, ...parts].join(' ')}\n`);
  return `Usage: npm run chaos [-- <scenario> [part …]] [--json]\n${lines.join('')}`;
}

process.exitCode = await main();
