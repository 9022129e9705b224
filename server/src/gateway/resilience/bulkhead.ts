/**
 * How many calls run at one provider at once, so that a slow provider cannot hold every socket
 * and all memory. A place is held until the call ends: for a stream, until its last byte.
 *
 * It has no queue: a call that finds no place goes to the next target or is refused. Waiting
 * belongs to admission, which knows tenants and deadlines.
 */

import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Target } from '../model/target.ts';

export class Bulkhead {
  #running = 0;

  get running(): number {
    return this.#running;
  }

  /** Takes a place; false when all are taken. Who got true calls `leave` exactly once. */
  tryEnter(maxConcurrency: number): boolean {
    if (this.#running >= maxConcurrency) return false;
    this.#running += 1;
    return true;
  }

  leave(): void {
    this.#running -= 1;
  }
}

export interface Bulkheads {
  of(target: Target): Bulkhead;
  /** Calls that run at a provider now. */
  running(provider: string): number;
}

/** More providers than a configuration names; names of earlier generations are forgotten. */
const MAX_PROVIDERS = 1024;

export function createBulkheads(): Bulkheads {
  const bulkheads = createBoundedMap<Bulkhead>(MAX_PROVIDERS, (one) => one.running === 0);
  return {
    of: ({ provider }) => bulkheads.get(provider) ?? bulkheads.add(provider, new Bulkhead()),
    running: (provider) => bulkheads.get(provider)?.running ?? 0,
  };
}
