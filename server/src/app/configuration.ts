/**
 * The configuration of a program that starts: read once, and how it is read again.
 */
import { type Loaded, load, loadCatalogue, type Sources } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';

export interface ReadConfiguration {
  readonly loaded: Loaded;
  /** Throws `ConfigError`. */
  read(): Promise<Loaded>;
}

/** Throws `ConfigError`. */
export async function readConfiguration(
  sources: Sources,
  clock: Clock,
): Promise<ReadConfiguration> {
  const shipped = await loadCatalogue(sources.files);
  const read = () => load({ ...sources, catalogue: shipped, nowMs: clock.wallMs() });
  return { loaded: await read(), read };
}
