/**
 * What the mock is to do, written into the model's name: `mock:ttft=500ms,tps=50,cut=3`. The
 * table below is the only list of options; the help text and the refusals are made from it.
 *
 * A name without options is answered at once and in full, whatever the name is.
 */

export interface MockScript {
  /** Before the head of the answer. */
  readonly latencyMs: number;
  /** Before the first piece of the body; null: as the settings say. */
  readonly firstTokenMs: number | null;
  /** null: as the settings say. */
  readonly tokensPerSecond: number | null;
  readonly jitterMs: number;
  readonly status: number | null;
  readonly code: string | null;
  readonly retryAfterSeconds: number | null;
  readonly retryAfterMs: number | null;
  readonly retryAfterDateSeconds: number | null;
  /** Events sent before the fault; a fraction sends that part of the next one. */
  readonly cut: number | null;
  readonly reset: number | null;
  readonly stall: number | null;
  readonly garble: number | null;
  readonly error: number | null;
  /** Calls that fail before the others succeed. */
  readonly fail: number | null;
  /** Share of the calls that fail, 0 to 1. */
  readonly failRate: number | null;
  /** Length of the text, in tokens; null: as long as it comes out. */
  readonly tokens: number | null;
  readonly finish: string | null;
  /** Tools that are named are called one after the other, not at once. */
  readonly serialCalls: boolean;
  readonly usage: boolean;
  readonly done: boolean;
}

export interface MockModel {
  /** The name without its options. */
  readonly base: string;
  readonly script: MockScript;
}

interface OptionRow {
  readonly form: string;
  readonly help: string;
  /** The changes it makes to a script; null where the value is not accepted. */
  readonly read: (text: string) => Partial<MockScript> | null;
}

const MAX_DELAY_MS = 600_000;
const MAX_TOKENS = 100_000;
const MAX_EVENTS = 1_000_000;
const MAX_RATE = 100_000;
const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'];

const OPTIONS: Readonly<Record<string, OptionRow>> = {
  latency: {
    form: 'latency=200ms',
    help: 'waits before the head of the answer',
    read: (text) => wrap(duration(text), (latencyMs) => ({ latencyMs })),
  },
  ttft: {
    form: 'ttft=500ms',
    help: 'waits before the first piece of the answer',
    read: (text) => wrap(duration(text), (firstTokenMs) => ({ firstTokenMs })),
  },
  tps: {
    form: 'tps=50',
    help: 'sends so many tokens per second',
    read: (text) => wrap(decimal(text, 0.01, MAX_RATE), (tokensPerSecond) => ({ tokensPerSecond })),
  },
  jitter: {
    form: 'jitter=50ms',
    help: 'adds up to so much, at random, to each of these waits',
    read: (text) => wrap(duration(text), (jitterMs) => ({ jitterMs })),
  },
  tokens: {
    form: 'tokens=500',
    help: 'answers with a text of so many tokens',
    read: (text) => wrap(whole(text, 0, MAX_TOKENS), (tokens) => ({ tokens })),
  },
  finish: {
    form: 'finish=content_filter',
    help: `gives this finish reason: ${FINISH_REASONS.join(', ')}`,
    read: (text) => (FINISH_REASONS.includes(text) ? { finish: text } : null),
  },
  calls: {
    form: 'calls=serial',
    help: 'calls tools one after the other, each with the results of those before',
    read: (text) => (text === 'serial' ? { serialCalls: true } : null),
  },
  usage: {
    form: 'usage=off',
    help: 'leaves the usage out',
    read: (text) => wrap(onOff(text), (usage) => ({ usage })),
  },
  done: {
    form: 'done=off',
    help: 'leaves the end marker of a stream out',
    read: (text) => wrap(onOff(text), (done) => ({ done })),
  },
  status: {
    form: 'status=500',
    help: 'answers with this status (200 to 599) and an error',
    read: (text) => wrap(whole(text, 200, 599), (status) => ({ status })),
  },
  code: {
    form: 'code=insufficient_quota',
    help: 'gives this code in the error',
    read: (text) => (/^[\w.-]{1,64}$/.test(text) ? { code: text } : null),
  },
  'retry-after': {
    form: 'retry-after=3',
    help: 'sends retry-after with so many seconds',
    read: (text) => wrap(whole(text, 0, 1_000_000), (retryAfterSeconds) => ({ retryAfterSeconds })),
  },
  'retry-after-ms': {
    form: 'retry-after-ms=250',
    help: 'sends retry-after-ms',
    read: (text) => wrap(whole(text, 0, 1_000_000_000), (retryAfterMs) => ({ retryAfterMs })),
  },
  'retry-after-date': {
    form: 'retry-after-date=3',
    help: 'sends retry-after as the date so many seconds ahead',
    read: (text) =>
      wrap(whole(text, 0, 1_000_000), (retryAfterDateSeconds) => ({ retryAfterDateSeconds })),
  },
  cut: {
    form: 'cut=3',
    help: 'ends cleanly after 3 events; 3.5: in the middle of the fourth',
    read: (text) => wrap(decimal(text, 0, MAX_EVENTS), (cut) => ({ cut })),
  },
  reset: {
    form: 'reset=3',
    help: 'resets the connection after 3 events',
    read: (text) => wrap(decimal(text, 0, MAX_EVENTS), (reset) => ({ reset })),
  },
  stall: {
    form: 'stall=3',
    help: 'falls silent after 3 events',
    read: (text) => wrap(decimal(text, 0, MAX_EVENTS), (stall) => ({ stall })),
  },
  garble: {
    form: 'garble=3',
    help: 'sends broken JSON after 3 events',
    read: (text) => wrap(whole(text, 0, MAX_EVENTS), (garble) => ({ garble })),
  },
  error: {
    form: 'error=3',
    help: 'sends an error inside the stream after 3 events',
    read: (text) => wrap(whole(text, 0, MAX_EVENTS), (error) => ({ error })),
  },
  fail: {
    form: 'fail=2',
    help: 'fails the first 2 calls only (with status 500, or the fault named beside it)',
    read: (text) => wrap(whole(text, 0, MAX_EVENTS), (fail) => ({ fail })),
  },
  failrate: {
    form: 'failrate=0.1',
    help: 'fails this share of the calls, at random',
    read: (text) => wrap(decimal(text, 0, 1), (failRate) => ({ failRate })),
  },
};

const PLAIN: MockScript = {
  latencyMs: 0,
  firstTokenMs: null,
  tokensPerSecond: null,
  jitterMs: 0,
  status: null,
  code: null,
  retryAfterSeconds: null,
  retryAfterMs: null,
  retryAfterDateSeconds: null,
  cut: null,
  reset: null,
  stall: null,
  garble: null,
  error: null,
  fail: null,
  failRate: null,
  tokens: null,
  finish: null,
  serialCalls: false,
  usage: true,
  done: true,
};

/** Names that stand for a script of their own; options given beside them win. */
const PRESETS: Readonly<Record<string, Partial<MockScript>>> = {
  'mock-slow': { firstTokenMs: 1500, tokensPerSecond: 10 },
};

/** Reads a model's name; answers a message where an option is not accepted. */
export function readModelScript(model: string): MockModel | { readonly problem: string } {
  const colon = model.indexOf(':');
  const base = colon < 0 ? model : model.slice(0, colon);
  let script: MockScript = { ...PLAIN, ...(Object.hasOwn(PRESETS, base) ? PRESETS[base] : {}) };
  for (const option of colon < 0 ? [] : model.slice(colon + 1).split(',')) {
    const [name = '', value = ''] = split(option.trim());
    const row = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (row === undefined) return { problem: unknownOption(name) };
    const changes = row.read(value);
    if (changes === null) {
      return { problem: `The mock’s option \`${name}\` is written like \`${row.form}\`.` };
    }
    script = { ...script, ...changes };
  }
  return { base, script };
}

/** The table of options as text for people, one line each. */
export function mockModelHelp(): string {
  const rows = Object.values(OPTIONS);
  const width = Math.max(...rows.map((row) => row.form.length));
  const lines = rows.map((row) => `  ${row.form.padEnd(width)}  ${row.help}`);
  return `mock:option=value,option=value\n${lines.join('\n')}\n`;
}

function unknownOption(name: string): string {
  const accepted = Object.values(OPTIONS).map((row) => row.form);
  const list = accepted.join(' ');
  return `The mock has no option \`${name}\`. Accepted, separated by commas: ${list}.`;
}

function split(option: string): [string, string] {
  const equals = option.indexOf('=');
  return equals < 0 ? [option, ''] : [option.slice(0, equals), option.slice(equals + 1)];
}

function wrap<T>(
  value: T | null,
  changes: (value: T) => Partial<MockScript>,
): Partial<MockScript> | null {
  return value === null ? null : changes(value);
}

function duration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s)?$/.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * (match[2] === 's' ? 1000 : 1);
  return ms <= MAX_DELAY_MS ? ms : null;
}

function decimal(text: string, min: number, max: number): number | null {
  const value = /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}

function whole(text: string, min: number, max: number): number | null {
  const value = decimal(text, min, max);
  return value !== null && Number.isInteger(value) ? value : null;
}

function onOff(text: string): boolean | null {
  return text === 'on' ? true : text === 'off' ? false : null;
}
