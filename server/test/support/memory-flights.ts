/**
 * Shared flights in memory, for several "processes" in one test: the twin of those on Redis,
 * with nothing in between. A process that is killed leaves its flights without a leader at once.
 */
import type {
  Entrance,
  FlightFeed,
  FlightLog,
  FlightRecord,
  SharedFlights,
} from '../../src/gateway/ports/shared-flights.ts';

export interface FlightProcess {
  readonly flights: SharedFlights;
  kill(): void;
}

export interface MemoryFleet {
  process(): FlightProcess;
  /** What the shared cache has; looked at by `enter`. */
  readonly stored: Set<string>;
}

export function createMemoryFleet(maxLogBytes = Number.POSITIVE_INFINITY): MemoryFleet {
  const stored = new Set<string>();
  const open = new Map<string, Flight>();

  return {
    stored,
    process() {
      const led = new Set<Flight>();
      let isDead = false;
      return {
        flights: {
          async enter(tenant, key, lookup): Promise<Entrance> {
            await Promise.resolve();
            if (isDead) return { kind: 'alone' };
            const name = JSON.stringify([tenant, key]);
            if (lookup && stored.has(name)) return { kind: 'stored' };
            const flight = open.get(name);
            if (flight !== undefined) return { kind: 'follow', feed: flight.follow() };
            const own = new Flight(maxLogBytes, () => {
              if (open.get(name) === own) open.delete(name);
              led.delete(own);
            });
            open.set(name, own);
            led.add(own);
            return { kind: 'lead', log: own };
          },
        },
        kill() {
          isDead = true;
          for (const flight of led) flight.die();
        },
      };
    },
  };
}

class Flight implements FlightLog {
  readonly #maxBytes: number;
  readonly #over: () => void;
  readonly #records: FlightRecord[] = [];
  readonly #feeds = new Set<() => void>();
  #first = 0;
  #isOver = false;
  #followed = Promise.withResolvers<void>();
  #watched = new AbortController();

  constructor(maxBytes: number, over: () => void) {
    this.#maxBytes = maxBytes;
    this.#over = over;
  }

  followed(): Promise<void> {
    return this.#followed.promise;
  }

  watched(): AbortSignal {
    return this.#watched.signal;
  }

  async append(record: FlightRecord): Promise<boolean> {
    await Promise.resolve();
    if (this.#isOver) return false;
    this.#records.push(record);
    const size = () =>
      this.#records
        .slice(this.#first)
        .reduce((sum, one) => sum + (one.kind === 'piece' ? one.bytes.length : 0), 0);
    while (size() > this.#maxBytes && this.#first < this.#records.length - 1) this.#first += 1;
    if (record.kind === 'end' || record.kind === 'failed') this.#end();
    for (const wake of this.#feeds) wake();
    return true;
  }

  async release(): Promise<boolean> {
    await Promise.resolve();
    if (this.#isOver) return true;
    if (this.#feeds.size > 0) return false;
    this.#end();
    return true;
  }

  die(): void {
    this.#end();
    for (const wake of this.#feeds) wake();
  }

  follow(): FlightFeed {
    let at = 0;
    let isClosed = false;
    let news = Promise.withResolvers<void>();
    const wake = (): void => news.resolve();
    this.#feeds.add(wake);
    this.#followed.resolve();
    return {
      next: async (signal) => {
        for (;;) {
          signal.throwIfAborted();
          if (isClosed || at < this.#first) return null;
          const fresh = this.#records.slice(at);
          at += fresh.length;
          if (fresh.length > 0) return fresh;
          if (this.#isOver) return null;
          news = Promise.withResolvers();
          signal.addEventListener('abort', wake, { once: true });
          await news.promise;
        }
      },
      close: () => {
        isClosed = true;
        wake();
        if (!this.#feeds.delete(wake) || this.#feeds.size > 0) return;
        this.#followed = Promise.withResolvers();
        this.#watched.abort();
        if (!this.#isOver) this.#watched = new AbortController();
      },
    };
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watched.abort();
    this.#over();
  }
}
