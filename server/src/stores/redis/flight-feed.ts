/**
 * A follower's side of a shared flight: what its leader has written, read when there is news of
 * it, and now and then without.
 *
 * It gives up where the leader is gone, where records are not held any more, and where Redis
 * does not answer twice in a row.
 */
import type { FlightFeed, FlightRecord } from '../../gateway/ports/shared-flights.ts';
import { decodeRecord } from './flight-codec.ts';
import type { FlightPlace } from './flight-log.ts';
import { LEAVE, READ } from './flight-scripts.ts';
import { runScriptBuffer } from './script.ts';

type Reply = readonly [
  records: readonly (readonly [id: Buffer, fields: readonly [name: Buffer, record: Buffer]])[],
  isLed: number,
];

const MAX_SILENCES = 2;

export class RedisFlightFeed implements FlightFeed {
  readonly #place: FlightPlace;
  readonly #process: string;
  #last = 0;
  #isClosed = false;
  #news = Promise.withResolvers<void>();

  constructor(place: FlightPlace, process: string) {
    this.#place = place;
    this.#process = process;
  }

  /** News came of this flight. */
  wake(): void {
    this.#news.resolve();
  }

  async next(signal: AbortSignal): Promise<readonly FlightRecord[] | null> {
    let silences = 0;
    while (!this.#isClosed) {
      signal.throwIfAborted();
      this.#news = Promise.withResolvers();
      const reply = await this.#read();
      silences = reply === null ? silences + 1 : 0;
      if (silences >= MAX_SILENCES) return null;
      if (reply !== null) {
        const [records, isLed] = reply;
        if (records.length > 0) return this.#take(records);
        if (isLed === 0) return null;
      }
      signal.throwIfAborted();
      await this.#wait(signal);
    }
    return null;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#news.resolve();
    const { store, token, lease, done } = this.#place;
    done();
    store
      .background('flight_leave', (client) =>
        runScriptBuffer(client, LEAVE, [lease], [token, this.#process]),
      )
      .catch(() => undefined);
  }

  #take(records: Reply[0]): readonly FlightRecord[] | null {
    const taken: FlightRecord[] = [];
    for (const [id, [, bytes]] of records) {
      const record = decodeRecord(bytes);
      const isNext = Number.parseInt(id.toString(), 10) === this.#last + 1;
      if (record === null || !isNext) return null;
      this.#last += 1;
      taken.push(record);
    }
    return taken;
  }

  async #read(): Promise<Reply | null> {
    const { store, token, lease, log } = this.#place;
    try {
      const last = `${this.#last}-0`;
      return (await store.background('flight_read', (client) =>
        runScriptBuffer(client, READ, [lease, log], [token, last]),
      )) as Reply;
    } catch {
      return null;
    }
  }

  /** For news, for the time after which to look without, or for the signal. */
  #wait(signal: AbortSignal): Promise<void> {
    const { clock, times } = this.#place;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', leave);
      };
      const leave = (): void => {
        stop();
        reject(signal.reason);
      };
      const goOn = (): void => {
        stop();
        resolve();
      };
      const timer = clock.setTimer(times.pollMs, goOn);
      signal.addEventListener('abort', leave, { once: true });
      void this.#news.promise.then(goOn);
    });
  }
}
