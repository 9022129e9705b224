/**
 * What an entry in Redis costs to write and to read, and what it takes there, compressed and
 * not: just above the size from which it is compressed, and larger. No process is started: the
 * code that a worker runs is run here, and its processor time counted.
 */
import type { CacheEntry } from '../../server/src/gateway/ports/cache-store.ts';
import { decodeEntry, encodeEntry } from '../../server/src/stores/redis/entry-codec.ts';
import { summarise } from '../measure/stats.ts';
import { number, percent, spread } from '../report/format.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

const SIZES = [2064, 8192, 32_768] as const;
const WAYS = {
  'as it is': Number.POSITIVE_INFINITY,
  zstd: undefined,
} as const;
type Way = keyof typeof WAYS;
interface Case {
  readonly size: number;
  readonly way: Way;
}

const CASES: readonly Case[] = SIZES.flatMap((size) =>
  (Object.keys(WAYS) as Way[]).map((way) => ({ size, way })),
);
const REPEATS = 500;
const WARM = 300;

interface CodecSample {
  readonly encodeUs: number;
  readonly decodeUs: number;
  readonly storedBytes: number;
}

export const compression: Scenario = {
  name: 'compression',
  steps: ({ pace }) => pace.rounds * CASES.length,
  run,
};

async function run({ pace, step }: Context): Promise<Outcome> {
  const samples = new Map<Case, CodecSample[]>(CASES.map((one) => [one, []]));
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const one of round % 2 === 0 ? CASES : CASES.toReversed()) {
      step(`compression, round ${round + 1}: ${one.size} bytes, ${one.way}`);
      samples.get(one)?.push(await measure(one));
    }
  }
  const rows = CASES.map((one) => {
    const { size, way } = one;
    const of = (value: (sample: CodecSample) => number) =>
      summarise((samples.get(one) ?? []).map(value));
    const stored = of(({ storedBytes }) => storedBytes)?.median ?? null;
    return [
      `${size} bytes of JSON`,
      way,
      number(stored, 0),
      percent(stored === null ? null : stored / size),
      spread(
        of(({ encodeUs }) => encodeUs),
        1,
      ),
      spread(
        of(({ decodeUs }) => decodeUs),
        1,
      ),
    ];
  });
  return {
    scenario: 'compression',
    title: 'An entry in Redis, compressed and not',
    method:
      `${REPEATS} answers of words drawn at random from a list of ${WORDS.length}, ` +
      'by the code of a worker',
    table: {
      columns: ['an answer of', 'kept', 'bytes', 'of the JSON', 'write, CPU µs', 'read, CPU µs'],
      rows,
    },
    verdicts: [],
    notes: ['The bytes hold the head of an entry too, some 400.'],
    failures: [],
    samples: { cases: [...samples].map(([one, taken]) => ({ ...one, samples: taken })) },
  };
}

async function measure({ size, way }: Case): Promise<CodecSample> {
  const entries = Array.from({ length: WARM + REPEATS }, (_, seed) => entryOf(size, seed));
  const values: Buffer[] = [];
  let beforeUs = 0;
  for (const [i, entry] of entries.entries()) {
    if (i === WARM) beforeUs = cpuUs();
    values.push((await encodeEntry('bench', String(i), entry, WAYS[way])).value);
  }
  const encodeUs = (cpuUs() - beforeUs) / REPEATS;
  for (const [i, value] of values.entries()) {
    if (i === WARM) beforeUs = cpuUs();
    if ((await decodeEntry('bench', String(i), value)) === null) throw new Error('not read back');
  }
  const decodeUs = (cpuUs() - beforeUs) / REPEATS;
  const storedBytes = values.reduce((sum, { length }) => sum + length, 0) / values.length;
  return { encodeUs, decodeUs, storedBytes: Math.round(storedBytes) };
}

/** Of this thread, which does all of the work below 64 KiB. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

const WORDS =
  `canal lock boat water level gate keeper winter morning valley engineer stone timber chamber
  gradually between because although traveller merchant river current season harvest bridge
  village century measure pressure balance lever heavy quiet narrow deep ancient careful slow
  raises lowers opens closes waits carries builds repairs explains remembers crosses follows`.split(
    /\s+/,
  );

/** A chat completion whose words are drawn anew for each seed. */
function entryOf(size: number, seed: number): CacheEntry {
  let state = seed + 1;
  const word = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[(state >>> 8) % WORDS.length] ?? '';
  };
  const around = jsonOf('').length;
  let text = '';
  while (text.length < size - around) text += `${word()} `;
  const bytes = Buffer.from(jsonOf(text.slice(0, size - around)));
  return entryAround(bytes);
}

function jsonOf(content: string): string {
  return JSON.stringify({
    ...{ id: 'chatcmpl-bench', object: 'chat.completion', created: 1_700_000_000, model: 'm' },
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 180, completion_tokens: 160, total_tokens: 340 },
  });
}

function entryAround(bytes: Buffer): CacheEntry {
  return {
    ...{ dialect: 'openai', contentType: 'application/json', bytes, terminal: null, usage: null },
    ...{ finishReasons: ['stop'], provider: 'up', providerModel: 'm', generation: '1' },
    ...{ storedAtMs: 0, freshUntilMs: 1000, keepUntilMs: 2000 },
  };
}
