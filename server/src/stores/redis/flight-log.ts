/**
 * The leader's side of a shared flight: its lease, which is renewed until the flight ends, and
 * what it writes, in batches: all that came while the batch before was on its way.
 *
 * A flight whose lease is lost, or whose Redis is, is written no more: those who follow notice
 * by themselves, and the leader's own clients are none the wiser.
 */
import type { FlightLog, FlightRecord } from '../../gateway/ports/shared-flights.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { encodeRecord } from './flight-codec.ts';
import { APPEND, RELEASE, RENEW } from './flight-scripts.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface FlightTimes {
  /** How long a leader may be silent before it counts as gone. */
  readonly leaseMs: number;
  /** How long a log can be read after its flight; longer than a third of a lease. */
  readonly keepMs: number;
  /** How long a follower waits for news before it looks by itself. */
  readonly pollMs: number;
}

export interface FlightPlace {
  readonly store: Pick<RedisStore, 'background'>;
  readonly clock: Clock;
  readonly times: FlightTimes;
  readonly maxLogBytes: number;
  readonly token: string;
  readonly lease: string;
  readonly log: string;
  /** Called when nothing more will be asked of Redis for this flight. */
  readonly done: () => void;
}

interface Pending {
  readonly bytes: Buffer;
  readonly isEnd: boolean;
  readonly written: (taken: boolean) => void;
}

/** What may wait to be written before the writer is made to wait too. */
const MAX_PENDING_BYTES = 262_144;
const BEATS_PER_LEASE = 3;

export class RedisFlightLog implements FlightLog {
  readonly #place: FlightPlace;
  readonly #sizes: number[] = [];
  #heartbeat: Timer;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #isWriting = false;
  #isOver = false;
  #followers = 0;
  #followed = Promise.withResolvers<void>();
  #watched = new AbortController();
  /** Number of the next record, and of the first that is still held. */
  #next = 1;
  #first = 1;
  #heldBytes = 0;

  constructor(place: FlightPlace) {
    this.#place = place;
    this.#heartbeat = this.#beatLater();
  }

  followed(): Promise<void> {
    return this.#followed.promise;
  }

  watched(): AbortSignal {
    return this.#watched.signal;
  }

  append(record: FlightRecord): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    const bytes = encodeRecord(record);
    const isEnd = record.kind === 'end' || record.kind === 'failed';
    const written = new Promise<boolean>((resolve) => {
      this.#pending.push({ bytes, isEnd, written: resolve });
    });
    this.#pendingBytes += bytes.length;
    const mayGoOn = !isEnd && this.#pendingBytes < MAX_PENDING_BYTES;
    if (!this.#isWriting) void this.#write();
    return mayGoOn ? Promise.resolve(true) : written;
  }

  async release(): Promise<boolean> {
    if (this.#isOver) return true;
    const { token, lease } = this.#place;
    const released = await this.#ask('flight_release', RELEASE, [lease], [token]);
    if (released === 0) {
      this.#countFollowers(Math.max(1, this.#followers));
      return false;
    }
    this.#end();
    return true;
  }

  /** News came: somebody follows, or has left. */
  async beat(): Promise<void> {
    const { token, lease, log, times } = this.#place;
    const values = [token, times.leaseMs, times.keepMs];
    const followers = await this.#ask('flight_renew', RENEW, [lease, log], values);
    if (this.#isOver || followers === null) return;
    if (followers < 0) this.#end();
    else this.#countFollowers(followers);
  }

  #beatLater(): Timer {
    const { clock, times } = this.#place;
    return clock.setTimer(times.leaseMs / BEATS_PER_LEASE, () => {
      this.#heartbeat = this.#beatLater();
      void this.beat();
    });
  }

  #countFollowers(followers: number): void {
    const before = this.#followers;
    this.#followers = followers;
    if (before === 0 && followers > 0) this.#followed.resolve();
    if (before > 0 && followers === 0) {
      this.#followed = Promise.withResolvers();
      this.#watched.abort();
      this.#watched = new AbortController();
    }
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      const taken = await this.#send(batch);
      if (!taken || batch.some(({ isEnd }) => isEnd)) this.#end();
      for (const { written } of batch) written(taken);
    }
    this.#isWriting = false;
  }

  async #send(batch: readonly Pending[]): Promise<boolean> {
    if (this.#isOver) return false;
    const { token, lease, log, times } = this.#place;
    const records = batch.flatMap(({ bytes }) => [`${this.#number(bytes.length)}-0`, bytes]);
    const isEnd = batch.some((one) => one.isEnd) ? 1 : 0;
    const head = [token, times.leaseMs, times.keepMs, `${this.#first}-0`, isEnd];
    return (await this.#ask('flight_append', APPEND, [lease, log], [...head, ...records])) === 1;
  }

  #number(bytes: number): number {
    this.#sizes.push(bytes);
    this.#heldBytes += bytes;
    while (this.#heldBytes > this.#place.maxLogBytes && this.#sizes.length > 1) {
      this.#heldBytes -= this.#sizes.shift() as number; // there are two
      this.#first += 1;
    }
    this.#next += 1;
    return this.#next - 1;
  }

  /** null where Redis does not answer. */
  async #ask(
    op: string,
    script: typeof RENEW,
    keys: readonly string[],
    values: readonly (string | number | Buffer)[],
  ): Promise<number | null> {
    try {
      const { store } = this.#place;
      return (await store.background(op, (client) =>
        runScript(client, script, keys, values),
      )) as number;
    } catch {
      return null;
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heartbeat.cancel();
    this.#watched.abort();
    this.#place.done();
  }
}
