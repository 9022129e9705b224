/**
 * The configuration in force, and its replacement while the program runs: validate → compare →
 * apply → next generation number.
 *
 * 1. A configuration that is wrong, or a file that is gone, leaves the generation in force.
 * 2. Settings that need a restart keep their running value and are reported.
 * 3. One reload at a time; a request that arrives meanwhile is answered by one more afterwards.
 * Signals and the admin call use `reload`; `watch` calls it when the file differs.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Vendor } from './catalogue-entries.ts';
import { type Config, toConfig } from './config.ts';
import { type Change, diffSettings, keepUntilRestart } from './diff.ts';
import type { Loaded } from './load.ts';
import { ConfigError, type Problem, showProblem } from './problem.ts';
import type { Settings } from './schema/file.ts';
import type { FileAccess } from './source/files.ts';
import { type Watch, watchFile } from './watch.ts';

const POLL_MS = 1000;

export interface Generation {
  /** Starts at 1 and rises by one with every change that was applied. */
  readonly number: number;
  readonly config: Config;
  readonly settings: Settings;
  readonly warnings: readonly Problem[];
  readonly loadedAtMs: number;
}

export type ReloadOutcome =
  | {
      readonly kind: 'applied';
      readonly generation: Generation;
      readonly changes: readonly Change[];
      readonly needRestart: readonly Change[];
    }
  | { readonly kind: 'unchanged'; readonly needRestart: readonly Change[] }
  | { readonly kind: 'rejected'; readonly error: ConfigError };

/** Told after a generation came into force; must not throw, and must not wait. */
export type Subscriber = (generation: Generation, changes: readonly Change[]) => void;

export interface ConfigKeeper {
  readonly current: Generation;
  /** Why the last attempt was rejected; null after one that was not. */
  readonly rejected: ConfigError | null;
  /** What waits for a restart, as of the last attempt. */
  readonly needRestart: readonly Change[];
  /** Returns the way to unsubscribe. */
  subscribe(subscriber: Subscriber): () => void;
  /** Loads again now, whether or not the file changed; never rejects. */
  reload(): Promise<ReloadOutcome>;
  /** Begins to watch the file; harmless when it is being watched. */
  watch(): void;
  /** Ends watching; a reload that runs is finished. */
  stop(): void;
}

export interface KeeperOptions {
  readonly initial: Loaded;
  readonly load: () => Promise<Loaded>;
  readonly vendors: readonly Vendor[];
  readonly files: FileAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after every attempt, whoever asked for it and whatever came of it; must not throw. */
  readonly attempted?: (outcome: ReloadOutcome) => void;
}

export function createConfigKeeper(options: KeeperOptions): ConfigKeeper {
  return new Keeper(options);
}

class Keeper implements ConfigKeeper {
  current: Generation;
  rejected: ConfigError | null = null;
  needRestart: readonly Change[] = [];
  readonly #options: KeeperOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #hasFile: boolean;
  #running: Promise<ReloadOutcome> | null = null;
  #next: Promise<ReloadOutcome> | null = null;
  #watch: Watch | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#hasFile = options.initial.fileHash !== null;
    this.current = this.#generation(1, options.initial);
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  reload(): Promise<ReloadOutcome> {
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#start();
    });
    return this.#next;
  }

  watch(): void {
    const { initial, files, clock, log } = this.#options;
    this.#watch ??= watchFile({
      ...{ file: initial.file, hash: initial.fileHash, intervalMs: POLL_MS, files, clock },
      changed: () => this.reload(),
      failed: (error) => log.error('the configuration file cannot be watched', { error }),
    });
  }

  stop(): void {
    this.#watch?.stop();
    this.#watch = null;
  }

  #start(): Promise<ReloadOutcome> {
    this.#running = this.#attempt().finally(() => {
      this.#running = null;
    });
    const { attempted } = this.#options;
    return attempted === undefined ? this.#running : this.#telling(this.#running, attempted);
  }

  async #telling(
    running: Promise<ReloadOutcome>,
    attempted: (outcome: ReloadOutcome) => void,
  ): Promise<ReloadOutcome> {
    const outcome = await running;
    attempted(outcome);
    return outcome;
  }

  async #attempt(): Promise<ReloadOutcome> {
    try {
      const loaded = await this.#options.load();
      const isGone = this.#hasFile && loaded.fileHash === null;
      return isGone ? this.#reject(fileIsGone(loaded.file)) : this.#apply(loaded);
    } catch (thrown) {
      return this.#reject(asConfigError(thrown));
    }
  }

  #reject(error: ConfigError): ReloadOutcome {
    this.rejected = error;
    this.#options.log.error('configuration rejected; the one in force stays', {
      generation: this.current.number,
      problems: error.problems.map(showProblem),
    });
    return { kind: 'rejected', error };
  }

  #apply(loaded: Loaded): ReloadOutcome {
    const { log, vendors } = this.#options;
    this.rejected = null;
    const all = diffSettings(this.current.settings, loaded.settings);
    const needRestart = all.filter(({ apply }) => apply === 'restart');
    const changes = all.filter(({ apply }) => apply === 'live');
    this.needRestart = needRestart;
    if (needRestart.length > 0) {
      log.warn('settings that need a restart keep their value', { settings: pathsOf(needRestart) });
    }
    if (changes.length === 0) return { kind: 'unchanged', needRestart };
    const settings = keepUntilRestart(this.current.settings, loaded.settings);
    const config = toConfig(settings, vendors);
    const known = new Set(this.current.warnings.map(showProblem));
    this.current = this.#generation(this.current.number + 1, { ...loaded, settings, config });
    const { number: generation } = this.current;
    log.info('configuration applied', { generation, settings: pathsOf(changes) });
    for (const warning of loaded.warnings.map(showProblem)) {
      if (!known.has(warning)) log.warn(warning);
    }
    for (const subscriber of [...this.#subscribers]) this.#tell(subscriber, changes);
    return { kind: 'applied', generation: this.current, changes, needRestart };
  }

  #tell(subscriber: Subscriber, changes: readonly Change[]): void {
    try {
      subscriber(this.current, changes);
    } catch (error) {
      this.#options.log.error('a part of the program did not follow the configuration', { error });
    }
  }

  #generation(number: number, { settings, config, warnings }: Loaded): Generation {
    return { number, settings, config, warnings, loadedAtMs: this.#options.clock.wallMs() };
  }
}

function pathsOf(changes: readonly Change[]): readonly string[] {
  return changes.map(({ path }) => path);
}

function fileIsGone(file: string): ConfigError {
  const place = { kind: 'file', file, line: 1, column: 1 } as const;
  return new ConfigError([{ place, path: [], message: 'the file is gone' }]);
}

function asConfigError(thrown: unknown): ConfigError {
  if (thrown instanceof ConfigError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ConfigError([{ place: { kind: 'default' }, path: [], message }]);
}
