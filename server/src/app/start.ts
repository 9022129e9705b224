/**
 * Starting the whole program, in order. What fails on the way up is undone; the server that
 * comes out of it knows how to stop.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Startup } from '@esclusa/contracts';
import type { Member } from '../cluster/member.ts';
import {
  type Config,
  type ConfigKeeper,
  createConfigKeeper,
  type KeeperOptions,
  type Problem,
  type Sources,
  showProblem,
} from '../config/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { type FaultPoints, noFaults } from '../kernel/fault.ts';
import { createIdSource } from '../kernel/id.ts';
import { systemRandom } from '../kernel/random.ts';
import { openStorage } from '../storage/index.ts';
import { type ReadConfiguration, readConfiguration } from './configuration.ts';
import { createFlags, followFormat } from './flags.ts';
import {
  createIdentity,
  type FirstUse,
  prepareFirstUse,
  refreshIdentity,
  startIdentity,
  stopIdentity,
} from './identity.ts';
import { queryMeters } from './meters.ts';
import type { Parts, Undo } from './parts.ts';
import { guardProcess } from './process-guard.ts';
import { carryPlans } from './rollouts.ts';
import { createServing, type Serving } from './serving.ts';
import { requireSameSecret } from './shared-secret.ts';
import { DATABASE_WAIT_MS, validate, withoutDatabase } from './startup/run.ts';
import { type Shutdown, stopServer } from './stop.ts';
import { createTelemetry, followLevel, type Telemetry } from './telemetry.ts';
import { placeSettings } from './tenant-data.ts';

export interface StartOptions {
  readonly sources: Sources;
  /** Where it was read before; else `sources` are read. */
  readonly configuration?: ReadConfiguration;
  /** One of several workers: its configuration is that of all. */
  readonly member?: Member;
  /** Off outside tests. */
  readonly faults?: FaultPoints;
  /** The caller tells people the warnings of the configuration; else the log does. */
  readonly tellsWarnings?: boolean;
  /** Nothing else runs in this process: what nobody caught is logged, and may end it. */
  readonly ownsProcess?: boolean;
}

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly config: Config;
  readonly warnings: readonly Problem[];
  /** What the checks at start found. */
  readonly startup: Startup;
  /** The secret of the key that a first start made; null otherwise. */
  readonly firstKey: string | null;
  /** Who can sign in since this first start; null where somebody could already. */
  readonly firstAdmin: FirstUse['firstAdmin'];
  /** Reads the configuration again. */
  reload(): Promise<void>;
  /** Ends within the drain times; harmless the second time, where `now` hurries the first. */
  close(how?: Shutdown): Promise<void>;
}

/**
 * Throws `ConfigError`, `StartupValidationError` with what the checks found,
 * `storage_unavailable` where they are off, or what the system said of port or disk.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const undo: Undo = [];
  const startedMs = systemClock.monotonicMs();
  try {
    const parts = await createParts(options, undo);
    const { config, warnings } = parts.loaded;
    if (options.tellsWarnings !== true) logWarnings(parts.telemetry, warnings);
    const serving = await createServing(parts, undo);
    carryPlans(parts, undo);
    const { clock, telemetry } = parts;
    const [startup, firstUse] = await Promise.all([
      validate(serving.checks, { clock, telemetry, settings: startupSettings(parts), startedMs }),
      prepareFirstUse(parts, config),
      startIdentity(parts.identity),
    ]);
    serving.lifecycle.startup = startup;
    const url = await listen(serving.server, config);
    serving.lifecycle.phase = 'serving';
    parts.keeper.watch();
    return running(parts, serving, { url, startup, ...firstUse }, undo);
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

async function createParts(options: StartOptions, undo: Undo): Promise<Parts> {
  const { sources, faults = noFaults, member = null } = options;
  const clock = systemClock;
  const random = systemRandom;
  const ids = createIdSource(clock, random);
  const configuration =
    member ?? options.configuration ?? (await readConfiguration(sources, clock));
  const { loaded } = configuration;
  const { config, catalogue } = loaded;
  const telemetry = createTelemetry(config, clock, member?.pid ?? null);
  undo.push(() => telemetry.close());
  if (options.ownsProcess === true) undo.push(guardProcess(telemetry));
  if (member !== null) joinIn(member, telemetry);
  const named = (name: string) => telemetry.log.named(name);
  const { validation } = config.startup;
  const sinceMs = clock.monotonicMs();
  const storage = await openStorage({
    ...{ database: config.database, dataDir: config.dataDir, journal: config.journal },
    ...{ clock, ids, faults, log: named('storage'), queries: queryMeters(telemetry.metrics) },
    places: placeSettings(config, clock, random),
    ...(validation && { limits: { startWaitMs: DATABASE_WAIT_MS } }),
  }).catch((error) => {
    throw validation ? withoutDatabase(error, sinceMs, clock) : error;
  });
  undo.push(() => storage.close());
  const identity = createIdentity({ clock, random, ids, log: named('identity') }, config, storage);
  await requireSameSecret(storage.marks, identity.secrets);
  undo.push(storage.changes(() => void refreshIdentity(identity)));
  undo.push(() => stopIdentity(identity));
  const keeper = keeperOf(configuration, {
    ...{ initial: loaded, vendors: catalogue.vendors, files: sources.files },
    ...{ clock, log: named('config') },
  });
  undo.push(() => keeper.stop(), followLevel(telemetry, keeper));
  const flags = createFlags({ clock, storage, telemetry }, () => keeper.current.config);
  undo.push(() => flags.snapshot.stop());
  undo.push(storage.changes(() => void flags.snapshot.refresh()));
  undo.push(followFormat(flags, telemetry, config));
  await flags.snapshot.start();
  return {
    ...{ clock, random, ids, faults, catalogue, telemetry, keeper, storage, identity, loaded },
    ...{ member, flags },
  };
}

function keeperOf(
  configuration: Member | ReadConfiguration,
  options: Omit<KeeperOptions, 'load'>,
): ConfigKeeper {
  return 'keeper' in configuration
    ? configuration.keeper(options.log)
    : createConfigKeeper({ ...options, load: configuration.read });
}

function joinIn(member: Member, { metrics }: Telemetry): void {
  if (member.isReplacement) metrics.workerRestarts.child({}).add(1);
  member.answers(() => metrics.reports());
}

/** The checks may be switched off by what is stored, too. */
function startupSettings({ loaded, flags }: Parts): Config['startup'] {
  return { ...loaded.config.startup, validation: flags.isOnHere('startup_validation') };
}

function logWarnings({ log }: Telemetry, warnings: readonly Problem[]): void {
  const config = log.named('config');
  for (const warning of warnings) config.warn(showProblem(warning));
}

function running(
  { clock, keeper, loaded }: Parts,
  { server, lifecycle, running: exchanges }: Serving,
  facts: Pick<RunningServer, 'url' | 'startup' | 'firstKey' | 'firstAdmin'>,
  undo: Undo,
): RunningServer {
  const { config, warnings } = loaded;
  const hurry = new AbortController();
  let stopped: Promise<void> | null = null;
  const stop = async (how: Shutdown): Promise<void> => {
    const { drainDelaySeconds, drainSeconds } = keeper.current.config;
    const drainDelayMs = how === 'drain' ? drainDelaySeconds * 1000 : 0;
    const drainMs = drainSeconds * 1000;
    const times = { drainDelayMs, drainMs, hurry: hurry.signal };
    await stopServer({ clock, server, lifecycle, running: exchanges, ...times });
    await unwind(undo);
  };
  return {
    ...facts,
    config,
    warnings,
    async reload() {
      await keeper.reload();
    },
    close(how = 'drain') {
      if (how === 'now') hurry.abort();
      stopped ??= stop(how);
      return stopped;
    },
  };
}

/** Undoes in reverse order; one that fails does not keep the others from it. */
async function unwind(undo: Undo): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch {
      // A part that cannot be closed ends with the process.
    }
  }
  undo.length = 0;
}

function listen(server: Server, { host, port }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
      resolve(`http://${shown.includes(':') ? `[${shown}]` : shown}:${address.port}`);
    });
  });
}
