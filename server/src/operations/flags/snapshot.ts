/**
 * Every flag in memory, so that asking one costs a request nothing. Kept fresh like keys: after
 * every local change, when storage signals one, and by polling.
 *
 * 1. What somebody changed anywhere is known here within five seconds.
 * 2. A flag that the environment or the file forces off is off, whatever is stored.
 * 3. A failed reading keeps what is held; before the first one the defaults hold.
 */
import type { Clock } from '../../kernel/clock.ts';
import { createFreshness } from '../../kernel/freshness.ts';
import type { Log } from '../../kernel/log.ts';
import type { FlagDefinition, FlagRecord, FlagRepository } from '../ports/flag-repository.ts';
import type { Evaluation, FlagEngine, FlagSubject } from './engine.ts';
import { defaultOf, KNOWN_FLAGS } from './known.ts';

export interface FlagSnapshot {
  /** Never waits, never throws. A flag that nobody made is off. */
  isOn(name: string, subject: FlagSubject): boolean;
  evaluate(name: string, subject: FlagSubject): Promise<Evaluation>;
  /** Of each flag, 0 to 100: for what share it is on, those named in any case left aside. */
  shares(): readonly FlagShare[];
  /** Told after something changed; returns the way to stop. */
  onChange(listener: () => void): () => void;
  isCurrent(): boolean;
  /** Resolves after the first reading, also a failed one. */
  start(): Promise<void>;
  /** Resolves when done and never rejects. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

export interface FlagShare {
  readonly flag: string;
  readonly percentage: number;
}

export interface FlagSnapshotOptions {
  readonly repository: Pick<FlagRepository, 'all'>;
  readonly engine: FlagEngine;
  /** Whether the configuration in force forces it off. */
  readonly isForcedOff: (name: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two polls; 1000. */
  readonly pollMs?: number;
}

const OFF: Evaluation = { value: false, variant: 'off', reason: 'DISABLED' };

export function createFlagSnapshot(options: FlagSnapshotOptions): FlagSnapshot {
  const { repository, engine, isForcedOff, clock, log } = options;
  const listeners = new Set<() => void>();
  let known = 'never read';
  let definitions = definitionsOf([]);

  async function read(): Promise<void> {
    const records = await repository.all();
    const print = JSON.stringify(records.map(({ name, version }) => [name, version]));
    if (print === known) return;
    const next = definitionsOf(records);
    await engine.load(next);
    definitions = next;
    known = print;
    for (const listener of listeners) listener();
  }

  const freshness = createFreshness({
    ...{ what: 'flags', read, size: () => listeners.size, clock, log },
    ...(options.pollMs !== undefined && { pollMs: options.pollMs }),
  });

  return {
    isOn(name, subject) {
      if (isForcedOff(name)) return false;
      return engine.isOn(name, subject) ?? defaultOf(name).enabled;
    },
    async evaluate(name, subject) {
      if (isForcedOff(name)) return OFF;
      const { enabled } = defaultOf(name);
      const fallback = { value: enabled, variant: enabled ? 'on' : 'off', reason: 'DEFAULT' };
      return (await engine.evaluate(name, subject)) ?? fallback;
    },
    shares: () =>
      [...definitions].map(([flag, { enabled, percentage }]) => ({
        flag,
        percentage: enabled && !isForcedOff(flag) ? percentage : 0,
      })),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isCurrent: freshness.isCurrent,
    start: freshness.start,
    refresh: freshness.refresh,
    async stop() {
      freshness.stop();
      await engine.close();
    },
  };
}

function definitionsOf(records: readonly FlagRecord[]): ReadonlyMap<string, FlagDefinition> {
  const defaults = Object.keys(KNOWN_FLAGS).map((name) => [name, defaultOf(name)] as const);
  return new Map([...defaults, ...records.map((record) => [record.name, record] as const)]);
}
