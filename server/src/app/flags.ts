/**
 * Feature flags of a running process: what is stored, what the configuration forces off, what
 * somebody may do with them, and the plans that raise them.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import {
  createFlagEngine,
  createFlagSnapshot,
  createFlagUseCases,
  type FlagSnapshot,
  type FlagUseCases,
  type KnownFlagName,
} from '../operations/index.ts';
import type { Repositories } from '../storage/index.ts';
import type { Telemetry } from './telemetry.ts';

export interface Flags {
  readonly snapshot: FlagSnapshot;
  readonly useCases: FlagUseCases;
  isForcedOff(name: string): boolean;
  /** What concerns the process and nobody in particular. */
  isOnHere(name: KnownFlagName): boolean;
}

interface Deps {
  readonly clock: Clock;
  readonly storage: Pick<Repositories, 'flags'>;
  readonly telemetry: Telemetry;
}

const NOBODY = { tenant: '', user: '' };

export function createFlags(deps: Deps, config: () => Config): Flags {
  const { clock, storage, telemetry } = deps;
  const log = telemetry.log.named('flags');
  const forced = remembered(forcedOff);
  const isForcedOff = (name: string): boolean => forced(config()).has(name);
  const engine = createFlagEngine({ domain: `esclusa-${randomUUID()}`, process: hostname() });
  const repository = storage.flags;
  const snapshot = createFlagSnapshot({ repository, engine, isForcedOff, clock, log });
  const refresh = () => snapshot.refresh();
  const useCases = createFlagUseCases({ repository, refresh, clock });
  return {
    ...{ snapshot, useCases, isForcedOff },
    isOnHere: (name) => snapshot.isOn(name, NOBODY),
  };
}

/** The form of the log follows its flag; a person at a terminal reads text in any case. */
export function followFormat(flags: Flags, { log }: Telemetry, config: Config): () => void {
  if (!config.log.structured || process.stdout.isTTY) return () => undefined;
  const follow = () => log.setFormat(flags.isOnHere('structured_logging') ? 'json' : 'text');
  return flags.snapshot.onChange(follow);
}

/** For what is asked with every call and changes with the configuration alone. */
function remembered<T>(derive: (config: Config) => T): (config: Config) => T {
  let last: { readonly config: Config; readonly value: T } | null = null;
  return (config) => {
    if (last?.config !== config) last = { config, value: derive(config) };
    return last.value;
  };
}

/** The flags that the configuration does not let be on. */
export function forcedOff(config: Config): ReadonlySet<string> {
  const states: Readonly<Record<KnownFlagName, boolean>> = {
    circuit_breaker: config.resilience.breaker.enabled,
    llm_cache: config.cache.enabled,
    prometheus_metrics: config.metrics.enabled,
    structured_logging: config.log.structured,
    startup_validation: config.startup.validation,
  };
  return new Set(Object.entries(states).flatMap(([name, isOn]) => (isOn ? [] : [name])));
}
