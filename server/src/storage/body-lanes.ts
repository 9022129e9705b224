/**
 * Prompts and answers of all tenants on their way into the database of each: a pipe for every
 * tenant that has some waiting, so that one whose database is away keeps nobody else's back.
 *
 * The pipes share one room, and write a few at a time.
 */
import { GatewayError } from '../gateway/model/errors.ts';
import type { BodyStore, KeptBodies } from '../gateway/ports/body-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createSemaphore } from '../kernel/semaphore.ts';
import { BodyPipe, type BodyRoom, emptyRoom } from './body-pipe.ts';
import type { BodyRepository } from './repositories/body-repository.ts';

export interface BodyLanesOptions {
  readonly repository: BodyRepository;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a question waits for what was kept before it. */
  readonly settleMs: number;
}

export interface BodyFigures {
  /** Exchanges whose bodies were to be kept and were not, since the start. */
  readonly droppedBodies: number;
}

const WRITING_MAX = 8;
const WAITING_MAX = 2000;

export class BodyLanes implements BodyStore {
  readonly #options: BodyLanesOptions;
  readonly #room: BodyRoom = emptyRoom();
  /** By tenant; one without anything waiting is taken away. */
  readonly #lanes = new Map<string, BodyPipe>();
  readonly #places = createSemaphore(WRITING_MAX, WAITING_MAX);
  #isClosed = false;

  constructor(options: BodyLanesOptions) {
    this.#options = options;
  }

  keep(bodies: KeptBodies): void {
    if (this.#isClosed) {
      this.#room.dropped += 1;
      return;
    }
    const { tenant } = bodies;
    let lane = this.#lanes.get(tenant);
    if (lane === undefined) {
      lane = this.#open(tenant);
      this.#lanes.set(tenant, lane);
    }
    lane.keep(bodies);
  }

  async get(requestId: string, tenant: string): Promise<KeptBodies | null> {
    await this.#lanes.get(tenant)?.settle(this.#options.settleMs);
    return this.#options.repository.get(requestId, tenant);
  }

  eraseBefore(createdBeforeMs: number, limit: number): Promise<number> {
    return this.#options.repository.eraseBefore(createdBeforeMs, limit);
  }

  figures(): BodyFigures {
    return { droppedBodies: this.#room.dropped };
  }

  /** Takes nothing more and writes what waits, for as long as `waitMs`. Never rejects. */
  async close(waitMs: number): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close(waitMs)));
  }

  #open(tenant: string): BodyPipe {
    const { repository, clock, log } = this.#options;
    const places = this.#places;
    return new BodyPipe({
      ...{ clock, log, room: this.#room },
      repository: {
        async insert(bodies) {
          await (places.run(() => repository.insert(bodies)) ?? Promise.reject(noPlace()));
        },
      },
      onEmpty: () => this.#lanes.delete(tenant),
    });
  }
}

function noPlace(): GatewayError {
  return new GatewayError('storage_unavailable', { cause: new Error('too many wait to write') });
}
