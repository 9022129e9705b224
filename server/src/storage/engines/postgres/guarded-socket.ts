/**
 * Sockets to databases that others than the operator name: the address is judged when it is
 * known, at the moment of connecting, and exactly the judged one is called.
 */
import { isIP, type LookupFunction, Socket } from 'node:net';

/** What may be called. */
export interface DialGuard {
  /** Whether this literal address may be called. */
  allows(address: string): boolean;
  /** Answers only addresses that may be called. */
  readonly lookup: LookupFunction;
}

const REFUSED = 'the address is not allowed';

/** Makes a socket for the driver, which says where to as soon as it has it. */
export function guardedStream(guard: DialGuard): () => Socket {
  return () => new GuardedSocket(guard);
}

class GuardedSocket extends Socket {
  readonly #guard: DialGuard;

  constructor(guard: DialGuard) {
    super();
    this.#guard = guard;
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args;
    const isPlain = typeof port === 'number' && typeof host === 'string';
    if (!isPlain || (isIP(host) !== 0 && !this.#guard.allows(host))) {
      queueMicrotask(() => this.destroy(new Error(REFUSED)));
      return this;
    }
    super.connect({ port, host, lookup: this.#guard.lookup });
    return this;
  }
}
