/**
 * What identical calls at once cost the provider: a hundred clients ask the same at the same
 * time for a stream of a second, of one worker and of three, once as calls that may be shared
 * and once as calls that may not. The upstream counts.
 */
import { request } from 'undici';
import { summarise } from '../measure/stats.ts';
import { number } from '../report/format.ts';
import type { Stage } from '../stage.ts';
import type { Subject } from '../subjects/subject.ts';
import { startTier } from '../subjects/tiers.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

const CLIENTS = 100;
const CHUNKS = 20;
const CHUNK_INTERVAL_MS = 50;
const WORKERS = [1, 3] as const;

const WAYS = {
  shared: {},
  alone: { 'cache-control': 'no-store' },
} as const;
type Way = keyof typeof WAYS;

interface FlightSample {
  readonly workers: number;
  readonly way: Way;
  readonly upstreamCalls: number;
  readonly answers: number;
  readonly lastMs: number;
}

export const flights: Scenario = {
  name: 'flights',
  steps: ({ pace }) => pace.longRounds * WORKERS.length * 2,
  run,
};

async function run({ stage, pace, step }: Context): Promise<Outcome> {
  await stage.upstream.configure({ chunks: CHUNKS, chunkIntervalMs: CHUNK_INTERVAL_MS });
  const samples: FlightSample[] = [];
  for (let round = 0; round < pace.longRounds; round += 1) {
    for (const workers of WORKERS) {
      const subject = await startTier(stage, 'miss', workers);
      try {
        for (const way of Object.keys(WAYS) as Way[]) {
          step(`flights, round ${round + 1}: ${workers} workers, ${way}`);
          samples.push(await askTogether(stage, subject, { workers, way, round }));
        }
      } finally {
        await subject.stop();
      }
    }
  }
  const rows = WORKERS.flatMap((workers) =>
    (Object.keys(WAYS) as Way[]).map((way) => rowOf(samples, workers, way)),
  );
  return {
    scenario: 'flights',
    title: `${CLIENTS} identical calls at once`,
    method:
      `Streams of ${CHUNKS} chunks in ${(CHUNKS * CHUNK_INTERVAL_MS) / 1000} s; ` +
      'not shared: with cache-control: no-store',
    table: {
      columns: ['workers', 'calls are', 'answers', 'calls of the provider', 'last answer after ms'],
      rows,
    },
    verdicts: [],
    notes: [],
    failures: [],
    samples: { flights: samples },
  };
}

function rowOf(samples: readonly FlightSample[], workers: number, way: Way): readonly string[] {
  const own = samples.filter((sample) => sample.workers === workers && sample.way === way);
  const of = (value: (sample: FlightSample) => number) =>
    number(summarise(own.map(value))?.median ?? null, 0);
  return [
    String(workers),
    way === 'shared' ? 'shared' : 'not shared',
    of(({ answers }) => answers),
    of(({ upstreamCalls }) => upstreamCalls),
    of(({ lastMs }) => lastMs),
  ];
}

async function askTogether(
  { upstream, signal }: Stage,
  { origin, headers }: Subject,
  { workers, way, round }: { readonly workers: number; readonly way: Way; readonly round: number },
): Promise<FlightSample> {
  const body = JSON.stringify({
    ...{ model: 'bench', stream: true, temperature: 0 },
    messages: [{ role: 'user', content: `the same for all, ${way}, ${workers}, ${round}` }],
  });
  const before = (await upstream.count()).streams;
  const startedMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const answer = await request(`${origin}/v1/chat/completions`, {
        ...{ method: 'POST', body, signal },
        headers: { 'content-type': 'application/json', ...headers, ...WAYS[way] },
      });
      const text = await answer.body.text();
      return answer.statusCode === 200 && text.includes('data: [DONE]');
    }),
  );
  const lastMs = performance.now() - startedMs;
  const upstreamCalls = (await upstream.count()).streams - before;
  const whole = answers.filter(Boolean).length;
  if (whole !== CLIENTS) throw new Error(`${CLIENTS - whole} answers were not whole`);
  return { workers, way, upstreamCalls, answers: whole, lastMs };
}
