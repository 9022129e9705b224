/**
 * Whose turn it is to write: one holder at a time, others wait in order, in bounded number and
 * for a bounded time.
 */
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock } from '../../../kernel/clock.ts';

interface Waiter {
  readonly grant: () => void;
}

export interface LeaseLimits {
  readonly waitersMax: number;
  readonly waitMs: number;
}

export class Lease {
  readonly #clock: Clock;
  readonly #limits: LeaseLimits;
  readonly #waiters: Waiter[] = [];
  #isHeld = false;

  constructor(clock: Clock, limits: LeaseLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Throws `storage_unavailable` when the turn does not come in time. */
  acquire(): Promise<void> {
    if (!this.#isHeld) {
      this.#isHeld = true;
      return Promise.resolve();
    }
    if (this.#waiters.length >= this.#limits.waitersMax) return Promise.reject(tooBusy());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: () => {
          timer.cancel();
          resolve();
        },
      };
      const timer = this.#clock.setTimer(this.#limits.waitMs, () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(tooBusy());
      });
      this.#waiters.push(waiter);
    });
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#isHeld = false;
    else next.grant();
  }
}

function tooBusy(): GatewayError {
  return new GatewayError('storage_unavailable', {
    cause: new Error('the database writer stayed busy'),
  });
}
