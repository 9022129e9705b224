/**
 * An installation as a short command works on it: its configuration, and its data opened
 * directly, so that commands work with and without a running server. A running one notices
 * changed keys within two seconds.
 *
 * Everything is loaded when it is first asked for: help and mistakes must cost nothing.
 */
import type { Catalogue, Loaded, Sources } from '../config/index.ts';
import type { LedgerEntry } from '../gateway/index.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { createIdSource, type IdSource } from '../kernel/id.ts';
import { type Log, silentLog } from '../kernel/log.ts';
import { type Random, systemRandom } from '../kernel/random.ts';
import type { DatabaseHealth, PriceRecord, Repositories, StorageTool } from '../storage/index.ts';
import type { Backups } from './backups.ts';
import { version } from './version.ts';
import type { Workspace } from './workspace.ts';

export interface Configuration {
  readonly loaded: Loaded;
  readonly catalogue: Catalogue;
}

export interface WritableWorkspace extends Workspace {
  /** Adds exchanges to the ledger; those whose id is there already change nothing. */
  append(entries: readonly LedgerEntry[]): Promise<void>;
  savePrices(prices: readonly PriceRecord[]): Promise<void>;
}

export interface Installation {
  readonly clock: Clock;
  readonly random: Random;
  /** Environment and files, with the command's own choices over them. */
  sources(): Promise<Sources>;
  /**
   * Throws a `ConfigError` with every problem. Names of the environment that are not ours stop
   * a start and nothing else: here they are told to people, or left to who asks to judge them.
   */
  configuration(unknownNames?: 'told' | 'left'): Promise<Configuration>;
  /** Opens the database, brings it up to date and closes it; throws what is wrong with it. */
  openDatabase(): Promise<DatabaseHealth>;
  /** Copies of all of it. Throws `BackupError` where there is no master secret. */
  backups(): Promise<Backups>;
  /** Makes the database belong to the master secret of this configuration. */
  adoptSecret(): Promise<void>;
  /** Opens the data, runs `work` and closes again, whatever happens. */
  use<T>(work: (workspace: Workspace) => Promise<T>): Promise<T>;
  useWritable<T>(work: (workspace: WritableWorkspace) => Promise<T>): Promise<T>;
}

export interface InstallationOptions {
  readonly sources: () => Promise<Sources>;
  /** Over the sources' own. */
  readonly dataDir: string | undefined;
  readonly config: string | undefined;
  /** Judged as if it were this one, whatever it is. */
  readonly environment?: 'production' | undefined;
  /** Tells people what they should know of the installation. */
  readonly warn: (message: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export function createInstallation(options: InstallationOptions): Installation {
  const { clock = systemClock, random = systemRandom } = options;
  const parts: Parts = { clock, random, ids: createIdSource(clock, random), warn: options.warn };
  let configuration: Promise<Configuration> | null = null;

  const installation: Installation = {
    clock,
    random,
    async sources() {
      const { env, files } = await options.sources();
      const { dataDir, config, environment } = options;
      const given = { '--data-dir': dataDir, '--config': config, '--production': environment };
      return withOptions({ env, files }, given);
    },
    configuration(unknownNames = 'told') {
      configuration ??= installation
        .sources()
        .then((sources) => configure(parts, sources, unknownNames));
      return configuration;
    },
    async openDatabase() {
      const { loaded } = await installation.configuration();
      const storage = await openTool(parts, loaded);
      try {
        return await storage.health();
      } finally {
        await storage.close();
      }
    },
    async backups() {
      const { loaded } = await installation.configuration();
      const { env } = await installation.sources();
      const { createBackups } = await import('./backups.ts');
      const searchPath = env.PATH ?? '';
      return createBackups(loaded.config, { clock, random, searchPath, version: version() });
    },
    async adoptSecret() {
      const { loaded } = await installation.configuration();
      const storage = await openTool(parts, loaded);
      try {
        await adopt(parts, loaded, storage);
      } finally {
        await storage.close();
      }
    },
    async use(work) {
      const { loaded } = await installation.configuration();
      const storage = await openTool(parts, loaded);
      try {
        return await work(await workspaceOver(parts, loaded, storage));
      } finally {
        await storage.close();
      }
    },
    async useWritable(work) {
      const { loaded } = await installation.configuration();
      return writing(parts, loaded, work);
    },
  };
  return installation;
}

type WorkedOn = Repositories & Pick<StorageTool, 'places'>;

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly warn: (message: string) => void;
}

/** How long a command waits for a database that does not answer. */
const TOOL_WAIT_MS = 3000;

/** The variables that options of the command line are put in the place of. */
const VARIABLES = {
  '--data-dir': 'ESCLUSA_DATA_DIR',
  '--config': 'ESCLUSA_CONFIG',
  '--host': 'HOST',
  '--port': 'PORT',
  '--production': 'ENVIRONMENT',
  '--workers': 'ESCLUSA_WORKERS',
} as const;

/** Puts options in the place of variables; problems with them will name the option. */
export function withOptions(
  sources: Sources,
  given: Readonly<Partial<Record<keyof typeof VARIABLES, string | undefined>>>,
): Sources {
  const env: Record<string, string | undefined> = { ...sources.env };
  const options: Record<string, string> = { ...sources.options };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = VARIABLES[option as keyof typeof VARIABLES];
    env[name] = value;
    options[name] = option;
  }
  return { ...sources, env, options };
}

async function configure(
  { clock, warn }: Parts,
  sources: Sources,
  unknownNames: 'told' | 'left',
): Promise<Configuration> {
  const { load, loadCatalogue, showProblem } = await import('../config/index.ts');
  const shipped = await loadCatalogue(sources.files);
  const nowMs = clock.wallMs();
  const loaded = await load({ ...sources, catalogue: shipped, nowMs, letsUnknownPass: true });
  if (unknownNames === 'told') {
    for (const problem of loaded.unknownNames) warn(showProblem(problem));
  }
  return { loaded, catalogue: loaded.catalogue };
}

async function openTool({ clock, random }: Parts, { config }: Loaded): Promise<StorageTool> {
  const [{ openStorageTool }, { placeSettings }] = await Promise.all([
    import('../storage/index.ts'),
    import('./tenant-data.ts'),
  ]);
  const { dataDir, database } = config;
  const limits = { startWaitMs: TOOL_WAIT_MS };
  const places = placeSettings(config, clock, random);
  return openStorageTool({ database, dataDir, clock, log: silentLog, limits, places });
}

async function writing<T>(
  parts: Parts,
  loaded: Loaded,
  work: (workspace: WritableWorkspace) => Promise<T>,
): Promise<T> {
  const { openStorage } = await import('../storage/index.ts');
  const { clock, ids } = parts;
  const { dataDir, database, journal } = loaded.config;
  const storage = await openStorage({ database, dataDir, clock, ids, journal, log: silentLog });
  try {
    const workspace = await workspaceOver(parts, loaded, storage);
    return await work({
      ...workspace,
      savePrices: (prices) => storage.prices.savePrices(prices),
      async append(entries) {
        await Promise.all(entries.map((entry) => storage.ledger.append(entry)));
      },
    });
  } finally {
    await storage.close();
  }
}

async function adopt(parts: Parts, { config }: Loaded, repositories: Repositories): Promise<void> {
  const [{ createIdentity }, { adoptSecret }] = await Promise.all([
    import('./identity.ts'),
    import('./shared-secret.ts'),
  ]);
  const { secrets } = createIdentity({ ...parts, log: silentLog }, config, repositories);
  await adoptSecret(repositories.marks, secrets);
}

async function workspaceOver(
  { clock, random, ids, warn }: Parts,
  { config }: Loaded,
  repositories: WorkedOn,
): Promise<Workspace> {
  const [{ createIdentity }, { createWorkspace }, { createTenantData }, { requireSameSecret }] =
    await Promise.all([
      import('./identity.ts'),
      import('./workspace.ts'),
      import('./tenant-data.ts'),
      import('./shared-secret.ts'),
    ]);
  const log: Log = { ...silentLog, warn };
  const identity = createIdentity({ clock, random, ids, log }, config, repositories);
  await requireSameSecret(repositories.marks, identity.secrets);
  const { forcedOff } = await import('./flags.ts');
  const isForcedOff = (name: string): boolean => forcedOff(config).has(name);
  const parts = { clock, random, ids, log };
  const data = createTenantData(parts, config, identity, repositories);
  return createWorkspace(identity, repositories, { clock, random, isForcedOff, data });
}
