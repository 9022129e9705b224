/**
 * The configuration in force in another process of the same program: what is handed to a
 * process that starts, and a keeper that follows instead of reading files itself.
 *
 * 1. Whoever follows has the number and the settings of whom it follows, also when it starts
 *    after a reload, or while the file is broken.
 * 2. States are plain data: they can be sent.
 * 3. A reload is asked for, and is answered after its state was followed.
 */
import type { Log } from '../kernel/log.ts';
import { type Catalogue, createCatalogue } from './catalogue.ts';
import type { Vendor } from './catalogue-entries.ts';
import { toConfig } from './config.ts';
import type { Change } from './diff.ts';
import type { Loaded } from './load.ts';
import { ConfigError, type Problem } from './problem.ts';
import type { ConfigKeeper, Generation, ReloadOutcome, Subscriber } from './reload.ts';
import type { Settings } from './schema/file.ts';

export interface ConfigState {
  readonly number: number;
  readonly loadedAtMs: number;
  readonly settings: Settings;
  readonly warnings: readonly Problem[];
  /** Between this number and the one before it. */
  readonly changes: readonly Change[];
  readonly needRestart: readonly Change[];
  /** Why the last attempt was rejected; null after one that was not. */
  readonly problems: readonly Problem[] | null;
}

export interface Handover {
  readonly state: ConfigState;
  readonly catalogue: Pick<Catalogue, 'vendors' | 'rows'>;
  readonly file: string;
  readonly fileHash: string | null;
}

export interface ConfigFollower extends ConfigKeeper {
  /** Takes a state; one that is older than the one in force is passed over. */
  follow(state: ConfigState): void;
}

export interface FollowerOptions {
  readonly initial: ConfigState;
  readonly vendors: readonly Vendor[];
  readonly log: Log;
  /** Asks for a reload; resolves after its state was followed. */
  readonly ask: () => Promise<ReloadOutcome['kind']>;
}

export function stateOf(keeper: ConfigKeeper, changes: readonly Change[] = []): ConfigState {
  const { current, rejected, needRestart } = keeper;
  const { number, loadedAtMs, settings, warnings } = current;
  const problems = rejected?.problems ?? null;
  return { number, loadedAtMs, settings, warnings, changes, needRestart, problems };
}

/** `initial`: as it was loaded when the program started. */
export function handOver({ catalogue, file, fileHash }: Loaded, keeper: ConfigKeeper): Handover {
  const { vendors, rows } = catalogue;
  return { state: stateOf(keeper), catalogue: { vendors, rows }, file, fileHash };
}

export function takeOver({ state, catalogue, file, fileHash }: Handover): Loaded {
  const { vendors, rows } = catalogue;
  const { settings, warnings } = state;
  return {
    ...{ settings, warnings, file, fileHash, unknownNames: [] },
    config: toConfig(settings, vendors),
    catalogue: createCatalogue(vendors, rows),
  };
}

export function createConfigFollower(options: FollowerOptions): ConfigFollower {
  return new Follower(options);
}

class Follower implements ConfigFollower {
  current: Generation;
  rejected: ConfigError | null = null;
  needRestart: readonly Change[] = [];
  readonly #options: FollowerOptions;
  readonly #subscribers = new Set<Subscriber>();
  #changes: readonly Change[] = [];

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.current = this.#generation(options.initial);
    this.#note(options.initial);
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  async reload(): Promise<ReloadOutcome> {
    const kind = await this.#options.ask();
    const { current: generation, needRestart, rejected } = this;
    if (kind === 'rejected') return { kind, error: rejected ?? new ConfigError([]) };
    if (kind === 'unchanged') return { kind, needRestart };
    return { kind, generation, changes: this.#changes, needRestart };
  }

  watch(): void {
    // Whom it follows watches.
  }

  stop(): void {
    this.#subscribers.clear();
  }

  follow(state: ConfigState): void {
    this.#note(state);
    if (state.number <= this.current.number) return;
    this.#changes = state.changes;
    this.current = this.#generation(state);
    for (const subscriber of [...this.#subscribers]) this.#tell(subscriber, state.changes);
  }

  #note({ problems, needRestart }: ConfigState): void {
    this.rejected = problems === null ? null : new ConfigError(problems);
    this.needRestart = needRestart;
  }

  #tell(subscriber: Subscriber, changes: readonly Change[]): void {
    try {
      subscriber(this.current, changes);
    } catch (error) {
      this.#options.log.error('a part of the program did not follow the configuration', { error });
    }
  }

  #generation({ number, settings, warnings, loadedAtMs }: ConfigState): Generation {
    const config = toConfig(settings, this.#options.vendors);
    return { number, settings, config, warnings, loadedAtMs };
  }
}
