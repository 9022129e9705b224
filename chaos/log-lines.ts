/**
 * Lines of the log under load: a process answers calls as fast as it can for a while, and every
 * line that it wrote is read and counted. What one line costs is measured beside it, alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeExchangeLine } from '../server/src/telemetry/exchange-line.ts';
import { startGatewayProcess } from '../server/test/support/gateway-process.ts';
import { callWhile, collectOutput } from '../server/test/support/log-load.ts';
import { captureLog, endedExchange } from '../server/test/unit/telemetry/exchanges.ts';
import type { Figures } from './scenario.ts';

const SECONDS = 10;
const AT_ONCE = 32;
const LEAST_PER_SECOND = 1000;
const COSTED_LINES = 100_000;
/** A process that is told to go writes its last lines then. */
const END = 'SIGINT';

const TEXT_LINE = /^\d{4}-\d\d-\d\dT[\d:.]+Z - [\w.-]+ - (debug|info|warn|error) - \S/;

interface Form {
  readonly env: Readonly<Record<string, string>>;
  isLine(line: string): boolean;
  isOfACall(line: string): boolean;
}

const FORMS: Readonly<Record<'json' | 'text', Form>> = {
  json: {
    env: {},
    isLine: isJson,
    isOfACall: (line) => line.includes('"message":"request completed"'),
  },
  text: {
    env: { ENABLE_STRUCTURED_LOGGING: 'false' },
    isLine: (line) => TEXT_LINE.test(line),
    isOfACall: (line) => line.includes(' - exchange - info - request completed '),
  },
};

export async function measureLogLines(say: (progress: string) => void): Promise<Figures> {
  const figures: Record<string, number> = {};
  let isMet = true;
  for (const name of ['json', 'text'] as const) {
    say(`${name}: calls for ${SECONDS} s`);
    const { calls, lines, broken, perSecond } = await measure(FORMS[name]);
    figures[`${name}: calls`] = calls;
    figures[`${name}: lines of calls`] = lines;
    figures[`${name}: lines that cannot be read`] = broken;
    figures[`${name}: lines per second`] = Math.round(perSecond);
    figures[`${name}: µs of CPU for a line, alone`] = costOfLine(name);
    isMet &&= lines === calls && broken === 0 && perSecond >= LEAST_PER_SECOND;
  }
  return { figures, isMet };
}

async function measure(form: Form) {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-log-lines-'));
  try {
    const gateway = await startGatewayProcess(folder, { LOG_LEVEL: 'info', ...form.env });
    const written = collectOutput(gateway);
    const beganMs = performance.now();
    const endMs = beganMs + SECONDS * 1000;
    const ids = await callWhile(gateway.url, AT_ONCE, () => performance.now() < endMs);
    const seconds = (performance.now() - beganMs) / 1000;
    await gateway.kill(END);
    const all = written.text().split('\n').slice(0, -1);
    const lines = all.slice(all.findIndex((line) => form.isLine(line)));
    const ofCalls = lines.filter((line) => form.isOfACall(line)).length;
    const broken = lines.filter((line) => !form.isLine(line)).length;
    return { calls: ids.length, lines: ofCalls, broken, perSecond: ofCalls / seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Written to nowhere: what the system does with it is not part of this. */
function costOfLine(format: 'json' | 'text'): number {
  const { writer } = captureLog({ format, level: 'info', destination: NOWHERE });
  const exchange = endedExchange({ stream: true });
  const end = { status: 200, durationMs: 815.4567, error: null };
  for (let i = 0; i < COSTED_LINES; i += 1) writeExchangeLine(writer, exchange, end);
  const before = process.cpuUsage();
  for (let i = 0; i < COSTED_LINES; i += 1) writeExchangeLine(writer, exchange, end);
  const { user, system } = process.cpuUsage(before);
  return Number(((user + system) / COSTED_LINES).toFixed(2));
}

const NOWHERE = {
  write: () => undefined,
  dropped: () => 0,
  flushSync: () => undefined,
  close: () => Promise.resolve(),
};

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}
