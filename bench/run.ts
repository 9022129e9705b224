/**
 * `npm run bench`: sets the stage, runs the chosen scenarios one after the other, prints their
 * tables beside the bars and keeps them as dated files. What is measured and how is described in
 * the README beside this file.
 *
 * Exit code 0: measured, whether or not the bars are met; 1: something could not be measured; 2:
 * wrong arguments; 128 + n: stopped by a signal.
 */
import { constants } from 'node:os';
import { describeMachine } from './measure/machine.ts';
import { type Options, readOptions, usage } from './options.ts';
import { profileVariant } from './profile.ts';
import { createProgress } from './report/progress.ts';
import { reportAsText, writeReport } from './report/write.ts';
import { burst } from './scenarios/burst.ts';
import { cache } from './scenarios/cache.ts';
import { compression } from './scenarios/compression.ts';
import { engines } from './scenarios/engines.ts';
import { flights } from './scenarios/flights.ts';
import { latency } from './scenarios/latency.ts';
import { miss } from './scenarios/miss.ts';
import type { Context, Report, Scenario, ScenarioName } from './scenarios/scenario.ts';
import { start } from './scenarios/start.ts';
import { stream } from './scenarios/stream.ts';
import { tiers } from './scenarios/tiers.ts';
import { openStage, type Stage } from './stage.ts';

/** The load average of a machine that does nothing else. */
const QUIET_LOAD = 0.3;

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  ...{ miss, cache, tiers, compression, flights, engines, latency, stream, burst, start },
};

async function main(): Promise<number> {
  const options = optionsOrUsage();
  if (typeof options === 'number') return options;
  if (process.platform !== 'linux') {
    process.stderr.write('The benchmark reads /proc and needs Linux.\n');
    return 1;
  }
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => stopping.abort(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  const stage = await openStage(stopping.signal);
  try {
    if (stage.cores.subject === null) {
      process.stderr.write('One core, or no taskset: nothing is pinned; expect noise.\n');
    }
    if (options.profile !== null) {
      process.stdout.write(await profileVariant(stage, options.pace, options.profile));
      return 0;
    }
    return await measure(stage, options);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    const signal = stopping.signal.reason as NodeJS.Signals;
    process.stderr.write('\nStopped.\n');
    return 128 + constants.signals[signal];
  } finally {
    await stage.close();
  }
}

function optionsOrUsage(): Options | number {
  try {
    const options = readOptions(process.argv.slice(2));
    if (!options.help) return options;
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

async function measure(stage: Stage, options: Options): Promise<number> {
  const { pace, quick, limitMs, variants: chosen } = options;
  const machine = describeMachine();
  const shared = machine.loadBefore > QUIET_LOAD ? [sharedMachine(machine.loadBefore)] : [];
  const chosenScenarios = options.scenarios.map((name) => scenarios[name]);
  const steps = chosenScenarios.reduce((sum, it) => sum + it.steps({ pace, chosen }), 0);
  const progress = createProgress(steps, process.stderr);
  const startedMs = performance.now();
  const leftMs = () => limitMs - (performance.now() - startedMs);
  const { signal } = stage;
  const context: Context = { stage, pace, chosen, signal, step: progress.step, leftMs };
  const reports: Report[] = [];
  for (const scenario of chosenScenarios) {
    const outcome = await scenario.run(context);
    const notes = [...shared, ...outcome.notes];
    const report = { ...outcome, notes, date: new Date().toISOString(), quick, machine, pace };
    reports.push(report);
    const name = writeReport(report);
    progress.end();
    if (!options.json) {
      process.stdout.write(`\n${reportAsText(report)}\n  → bench/results/${name}.json, .md\n\n`);
    }
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  return reports.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

function sharedMachine(load: number): string {
  return `The machine was in use before the run (load ${load}): take the figures for noise.`;
}

process.exitCode = await main();
