/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import type { Pace, ScenarioName } from './scenarios/scenario.ts';
import type { VariantId } from './subjects/subject.ts';

export const usage = `Usage: npm run bench -- [scenario…] [options]

Scenarios (without one: miss, cache alone, latency, stream, start)
  miss      a plain call that misses the cache: CPU, throughput, memory, layer by layer
  cache     a plain call answered from the cache, with tiers, compression and flights:
  tiers       miss, memory and Redis, one worker and three: CPU, latency
  compression what an entry in Redis costs and takes, compressed and not
  flights     what identical calls at once cost the provider, shared and not
  engines   PostgreSQL and Redis beside SQLite and memory; connections pooled and not
  latency   added latency at half of saturation, open loop
  stream    500 streams at 20 chunks a second
  burst     streams whose chunks come at once
  start     from start to ready

Options
  --rounds <n>         rounds of every scenario (1 to 50)
  --quick              short windows, one round: shows that it works, gives no figures to quote
  --variants <a,b>     measure these beside the references: pass-through, portkey, proxy-only,
                       auth-limits, ledger, cache-hit
  --profile <variant>  instead of measuring: where the variant's CPU time goes, by function
  --json               the results as JSON on standard output
  --help
`;

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly variants: ReadonlySet<VariantId> | null;
  readonly profile: VariantId | null;
  readonly pace: Pace;
  readonly limitMs: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

const OF_THE_CACHE: readonly ScenarioName[] = ['cache', 'tiers', 'compression', 'flights'];
const SCENARIOS: readonly ScenarioName[] = [
  ...(['miss', ...OF_THE_CACHE, 'engines', 'latency', 'stream', 'burst', 'start'] as const),
];
const BY_DEFAULT: readonly ScenarioName[] = ['miss', 'cache', 'latency', 'stream', 'start'];
const VARIANTS: readonly VariantId[] = [
  'direct',
  'pass-through',
  'portkey',
  'proxy-only',
  'auth-limits',
  'ledger',
  'cache-hit',
  'file',
  'shared',
];
const ROUNDS_MAX = 50;

const full: Pace = {
  rounds: 5,
  longRounds: 3,
  // V8's compiler comes to rest after some 40 000 calls.
  warmMs: 8000,
  windowMs: 2500,
  calibrateMs: 1000,
  openMs: 2500,
  streamMs: 3000,
  streamChunks: 60,
};
const short: Pace = {
  rounds: 1,
  longRounds: 1,
  warmMs: 800,
  windowMs: 1000,
  calibrateMs: 600,
  openMs: 1200,
  streamMs: 1500,
  streamChunks: 30,
};
/** No round begins that would not end within these; the first one of a scenario may run over. */
const FULL_LIMIT_MS = 900_000;
const QUICK_LIMIT_MS = 75_000;

/** Reads the arguments; throws an error whose message is for the caller's eyes. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      variants: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, json, help } = values;
  const base = quick ? short : full;
  const rounds = values.rounds === undefined ? null : countOf(values.rounds);
  const limitMs = quick ? QUICK_LIMIT_MS : FULL_LIMIT_MS;
  return {
    scenarios:
      positionals.length === 0 ? BY_DEFAULT : [...new Set(positionals.flatMap(scenariosOf))],
    variants:
      values.variants === undefined ? null : new Set(values.variants.split(',').map(variantOf)),
    profile: values.profile === undefined ? null : variantOf(values.profile),
    pace: rounds === null ? base : { ...base, rounds, longRounds: rounds },
    // More rounds than usual were asked for: they may take as much longer.
    limitMs: limitMs * Math.max(1, (rounds ?? 0) / base.longRounds),
    ...{ quick, json, help },
  };
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= ROUNDS_MAX) return count;
  throw new Error(`--rounds takes a whole number from 1 to ${ROUNDS_MAX}, not ${text}`);
}

function scenariosOf(text: string): readonly ScenarioName[] {
  if (text === 'cache') return OF_THE_CACHE;
  const found = SCENARIOS.find((name) => name === text);
  if (found === undefined) throw new Error(`There is no scenario ${text}: ${SCENARIOS.join(', ')}`);
  return [found];
}

function variantOf(text: string): VariantId {
  const found = VARIANTS.find((name) => name === text);
  if (found === undefined) throw new Error(`There is no variant ${text}: ${VARIANTS.join(', ')}`);
  return found;
}
