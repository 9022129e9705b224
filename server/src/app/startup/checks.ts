/**
 * The checks at start, in the order of their importance: which there are, and which of them the
 * service cannot do without, follows from what the configuration switches on.
 */
import { createHash } from 'node:crypto';
import { type Config, type Loaded, showProblem } from '../../config/index.ts';
import type { Providers } from '../../gateway/ports/provider.ts';
import type { Clock } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import {
  type BucketVerdict,
  type BucketWatch,
  fail,
  pass,
  type StartupCheck,
  type Verdict,
  warning,
} from '../../operations/index.ts';
import type { Storage } from '../../storage/index.ts';
import { createCommonVerdicts } from '../../stores/redis/common-verdicts.ts';
import type { RedisStore } from '../../stores/redis/store.ts';
import type { SharedStores } from '../redis.ts';
import { type ProbeOutcome, type ProviderProbe, providerProbes } from './provider-probe.ts';

export interface CheckDeps {
  readonly clock: Clock;
  readonly loaded: Pick<Loaded, 'config' | 'warnings'>;
  readonly storage: Pick<Storage, 'health'>;
  readonly providers: Providers;
  /** null: nothing is shared. */
  readonly shared: Pick<SharedStores, 'cache' | 'state'> | null;
  /** null: there is no object storage. */
  readonly bucket: Pick<BucketWatch, 'probe'> | null;
}

const NETWORK_MS = 2000;
/** Less than a check's own time, so that it can say what it saw. */
const PROBE_MS = 1500;
const POLL_MS = 10;

export function startupChecks(deps: CheckDeps): readonly StartupCheck[] {
  return [
    ...environment(deps.loaded),
    database(deps),
    ...objectStorage(deps),
    ...providers(deps),
    ...redis(deps),
  ];
}

/** A configuration that is not right ended the start before; what is left are its warnings. */
function environment({ warnings }: CheckDeps['loaded']): readonly StartupCheck[] {
  const base = { timeoutMs: NETWORK_MS };
  const required: StartupCheck = {
    ...{ ...base, name: 'environment_variables', critical: true },
    run: () => pass('every required variable is set'),
  };
  if (warnings.length === 0) return [required];
  const message = warnings.map(showProblem).join('; ');
  const name = 'environment_variables_optional';
  return [required, { ...base, name, critical: false, run: () => warning(message) }];
}

function database({ storage }: CheckDeps): StartupCheck {
  return {
    ...{ name: 'database_connection', critical: true, timeoutMs: NETWORK_MS },
    async run() {
      const { backend, connection, facts } = await storage.health();
      if (!connection.healthy) return fail(`${connection.error}; see DATABASE_URL`);
      const version = facts === null ? backend : `${backend} ${facts.version}`;
      if (facts?.roleRisk != null) {
        return warning(`row-level security does not bind the role: it ${facts.roleRisk}`);
      }
      const migrations = facts === null ? '' : `, ${facts.migrations} migrations`;
      return pass(`${version} answers${migrations}`);
    },
  };
}

function objectStorage({ bucket, loaded }: CheckDeps): readonly StartupCheck[] {
  if (bucket === null) return [];
  const { bucket: name } = loaded.config.objectStorage;
  return [
    {
      ...{ name: 'object_storage', critical: false, timeoutMs: NETWORK_MS },
      run: async (signal) => verdictOfBucket(name, await bucket.probe(signal)),
    },
  ];
}

function verdictOfBucket(name: string, verdict: BucketVerdict): Verdict {
  switch (verdict.kind) {
    case 'there':
      return pass(`the bucket ${name} is there`);
    case 'missing':
      return fail(`there is no bucket ${name}; see OBJECT_STORAGE_BUCKET`);
    case 'refused':
      return fail(`the storage answers ${verdict.status}; see OBJECT_STORAGE_SECRET_ACCESS_KEY`);
    case 'unreachable':
      return fail(`${verdict.reason}; see OBJECT_STORAGE_URL`);
  }
}

/**
 * A vendor that is away, or slow, is an outage like any later one: others may answer, and what
 * is cached does. Keys that are refused are a mistake of ours: where all of them are, nobody
 * could answer, and each of their checks fails.
 */
function providers(deps: CheckDeps): readonly StartupCheck[] {
  const { clock, shared, loaded } = deps;
  const { config } = loaded;
  const probes = providerProbes(config, deps.providers, { clock, timeoutMs: PROBE_MS });
  const remote = probes.filter(({ provider }) => isRemote(config, provider));
  const common = shared === null ? null : createCommonVerdicts(shared.state, clock);

  async function verdictOf({ subject, provider, ask }: ProviderProbe, signal: AbortSignal) {
    const look = async (): Promise<Verdict> => verdictOfProvider(await ask(signal));
    const isShared = shared !== null && (await isSettled([shared.state], clock, signal));
    if (common === null || !isShared) return look();
    return common.ask(`${subject} ${fingerprint(config, provider)}`, look, signal);
  }

  const verdicts: Promise<Verdict>[] = []; // the checks begin in one turn: each finds all others
  return remote.map((probe) => ({
    name: `provider ${probe.subject}`,
    critical: true,
    timeoutMs: shared === null ? NETWORK_MS : 2 * NETWORK_MS,
    late: warning('did not answer in time'),
    async run(signal) {
      const verdict = verdictOf(probe, signal);
      verdicts.push(verdict);
      const own = await verdict;
      if (own.status !== 'fail') return own;
      const all = await Promise.allSettled(verdicts);
      return all.every(isRefused) ? own : warning(own.message);
    },
  }));
}

function isRefused(settled: PromiseSettledResult<Verdict>): boolean {
  return settled.status === 'fulfilled' && settled.value.status === 'fail';
}

function isRemote({ providers: all }: Config, name: string): boolean {
  const connection = all[name]?.connection;
  return connection !== undefined && 'baseUrl' in connection;
}

/** Another address or another key is another question. */
function fingerprint(config: Config, provider: string): string {
  const { connection, apiKeys } = config.providers[provider] ?? {};
  return createHash('sha256')
    .update(JSON.stringify([connection, apiKeys]))
    .digest('base64url');
}

function verdictOfProvider(outcome: ProbeOutcome): Verdict {
  switch (outcome.kind) {
    case 'inside':
      return pass('built in');
    case 'good':
      return pass(`answers (${outcome.latencyMs} ms)`);
    case 'refused':
      return fail('refuses its API key');
    case 'odd':
      return warning(`answers ${outcome.status} where its models are asked for`);
    case 'unreachable':
      return warning(`cannot be reached: ${outcome.reason}`);
  }
}

function redis({ clock, shared }: CheckDeps): readonly StartupCheck[] {
  if (shared === null) return [];
  const stores = [shared.cache, shared.state];
  return [
    {
      ...{ name: 'redis_connection', critical: false, timeoutMs: NETWORK_MS },
      async run(signal) {
        if (await isSettled(stores, clock, signal)) return pass('connected');
        const reasons = stores.map((store) => store.state().reason);
        const reason = reasons.find((each) => each !== null) ?? 'no answer';
        return warning(`not connected (${reason}): using local fallback; see REDIS_URL`);
      },
    },
  ];
}

/** Whether all are connected, as soon as that is known: they connect behind the start. */
async function isSettled(
  stores: readonly Pick<RedisStore, 'state'>[],
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = clock.monotonicMs() + PROBE_MS;
  for (;;) {
    const kinds = stores.map((store) => store.state().kind);
    if (kinds.every((kind) => kind === 'up')) return true;
    if (kinds.includes('down') || clock.monotonicMs() >= endMs) return false;
    await sleep(clock, POLL_MS, signal);
  }
}
