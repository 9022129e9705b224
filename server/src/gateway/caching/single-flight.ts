/**
 * One call for all who ask for the same at the same time, within this process. The first is
 * the leader: the work is its work, and it pays. The others join and are given the outcome.
 *
 * 1. The work runs under a signal of its own, which aborts only when everyone has left.
 * 2. A joiner that leaves is released at once. A leader that leaves while others wait stays,
 *    because the work is accounted to it, until the work ends.
 * 3. Work that was given up is joined by nobody. What fails the leader alone does not fail the
 *    others: they take over (`concernsLeaderOnly`).
 * 4. Flights and joiners are bounded; beyond the bound a call runs alone.
 * 5. An outcome that others can still share when it has come, as a stream can while it flows,
 *    is given to joiners until it says that it cannot (`lasts`).
 *
 * Callers put the tenant into the key. Nothing here outlives the work and what lasts of it.
 */
import { ChainedMap } from '../../kernel/chained-map.ts';
import { type ErrorCode, GatewayError } from '../model/errors.ts';

export type FlightRole = 'leader' | 'joiner' | 'alone';

export interface Flight<T> {
  readonly role: FlightRole;
  /** Rejects with the work's error, or with the signal's reason for a joiner that left. */
  readonly answer: Promise<T>;
}

/**
 * The work to share. It heeds the controller's signal, and may itself abort it, for instance at
 * its deadline, whether or not its leader has left.
 */
export type Work<T> = (abort: AbortController) => Promise<T>;

export interface SingleFlight<T> {
  /**
   * Joins the work under way for `key`, or starts it. `signal` is the caller's own; `work` is
   * called in this turn, and only for a leader or a call alone.
   */
  join(key: string, signal: AbortSignal, work: Work<T>): Flight<T>;
  /** Does the work for one caller. */
  alone(signal: AbortSignal, work: Work<T>): Flight<T>;
}

export interface SingleFlightOptions<T> {
  /** Resolves when an outcome cannot be joined any more; null: it never can. Never rejects. */
  readonly lasts?: (outcome: T) => Promise<unknown> | null;
  /** What a joiner with this signal is given of an outcome, before the leader is given it. */
  readonly forJoiner?: (outcome: T, signal: AbortSignal) => T;
  readonly maxFlights?: number;
  /** Per flight. */
  readonly maxJoiners?: number;
}

const MAX_FLIGHTS = 10_000;
const MAX_JOINERS = 10_000;

type Sharing<T> = Required<Pick<SingleFlightOptions<T>, 'lasts' | 'forJoiner'>>;

/** Reasons to fail that hold for one caller and not for who asked for the same. */
const LEADERS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'budget_exceeded',
  'budget_unavailable',
  'price_unknown',
  'client_closed',
  'deadline_exceeded',
]);

/** True when a joiner that got this error should join again, and so take over. */
export function concernsLeaderOnly(error: unknown): boolean {
  return error instanceof GatewayError && LEADERS_OWN.has(error.code);
}

export function createSingleFlight<T>(options: SingleFlightOptions<T> = {}): SingleFlight<T> {
  const { maxFlights = MAX_FLIGHTS, maxJoiners = MAX_JOINERS } = options;
  const { lasts = () => null, forJoiner = (outcome) => outcome } = options;
  const sharing: Sharing<T> = { lasts, forJoiner };
  const flights = new ChainedMap<SharedWork<T>>();

  function lead(key: string, signal: AbortSignal, work: Work<T>): Flight<T> {
    const shared: SharedWork<T> = new SharedWork(sharing, () => {
      if (flights.get(key) === shared) flights.delete(key);
    });
    flights.set(key, shared);
    return { role: 'leader', answer: shared.run(signal, work) };
  }

  function alone(signal: AbortSignal, work: Work<T>): Flight<T> {
    return { role: 'alone', answer: new SharedWork<T>(sharing, () => undefined).run(signal, work) };
  }

  return {
    alone,
    join(key, signal, work) {
      const shared = flights.get(key);
      const mayShare =
        shared === undefined ? flights.size < maxFlights : shared.joinerCount < maxJoiners;
      if (!mayShare || signal.aborted) return alone(signal, work);
      if (shared === undefined) return lead(key, signal, work);
      return { role: 'joiner', answer: shared.join(signal) };
    },
  };
}

/** Work under way, and who waits for it. */
class SharedWork<T> {
  readonly #abort = new AbortController();
  readonly #joiners = new Set<Joiner<T>>();
  /** Takes the work out of the flights, so that nobody joins it any more. */
  readonly #close: () => void;
  readonly #sharing: Sharing<T>;
  #leaderSignal: AbortSignal | null = null;
  /** What the work came to, while that can be joined. */
  #outcome: { readonly value: T } | null = null;

  constructor(sharing: Sharing<T>, close: () => void) {
    this.#sharing = sharing;
    this.#close = close;
  }

  get joinerCount(): number {
    return this.#joiners.size;
  }

  /** Does the leader's work; rejects and resolves as the work does. */
  async run(signal: AbortSignal, work: Work<T>): Promise<T> {
    const leave = (): void => this.#endIfDeserted();
    this.#leaderSignal = signal;
    this.#abort.signal.addEventListener('abort', this.#close, { once: true });
    signal.addEventListener('abort', leave, { once: true });
    this.#endIfDeserted();
    try {
      const value = await work(this.#abort);
      signal.removeEventListener('abort', leave);
      this.#last(value);
      for (const joiner of this.#joiners) joiner.resolve(value);
      return value;
    } catch (thrown) {
      signal.removeEventListener('abort', leave);
      this.#close();
      for (const joiner of this.#joiners) joiner.reject(thrown);
      throw thrown;
    }
  }

  join(signal: AbortSignal): Promise<T> {
    const { forJoiner } = this.#sharing;
    if (this.#outcome !== null) return Promise.resolve(forJoiner(this.#outcome.value, signal));
    return new Promise((resolve, reject) => {
      const forget = (): void => {
        this.#joiners.delete(joiner);
        signal.removeEventListener('abort', leave);
      };
      const leave = (): void => {
        forget();
        reject(signal.reason);
        this.#endIfDeserted();
      };
      const joiner: Joiner<T> = {
        resolve(value) {
          forget();
          resolve(forJoiner(value, signal));
        },
        reject(thrown) {
          forget();
          reject(thrown);
        },
      };
      this.#joiners.add(joiner);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #last(value: T): void {
    const lasting = this.#sharing.lasts(value);
    if (lasting === null) {
      this.#close();
      return;
    }
    this.#outcome = { value };
    void lasting.then(this.#close);
  }

  #endIfDeserted(): void {
    const leader = this.#leaderSignal;
    if (leader?.aborted && this.#joiners.size === 0) this.#abort.abort(leader.reason);
  }
}

interface Joiner<T> {
  resolve(value: T): void;
  reject(thrown: unknown): void;
}
