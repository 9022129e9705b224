/**
 * Whether the database answers, as the one connection knows that asks it every second. While
 * it does not, nobody waits: who waits already is told, and who comes is refused at once.
 */
import { GatewayError } from '../../../gateway/model/errors.ts';

export class Availability {
  #outage: Error | null = null;
  readonly #waiting = new Set<(error: GatewayError) => void>();

  /** Why it does not answer; null: it does. */
  get outage(): Error | null {
    return this.#outage;
  }

  isUp(): boolean {
    return this.#outage === null;
  }

  markUp(): void {
    this.#outage = null;
  }

  markDown(reason: Error): void {
    if (this.#outage !== null) return;
    this.#outage = reason;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const refuse of waiting) refuse(unavailable(reason));
  }

  /** Settles as `work` does, or rejects with `storage_unavailable` as soon as the outage begins. */
  guard<T>(work: Promise<T>): Promise<T> {
    if (this.#outage !== null) {
      work.catch(() => undefined);
      return Promise.reject(unavailable(this.#outage));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}

function unavailable(cause: Error): GatewayError {
  return new GatewayError('storage_unavailable', { cause });
}
