/**
 * The one connection that no caller ever gets: asks every second whether the database answers
 * and whether keys or tenants changed, and serves health checks, also while the pool is
 * exhausted.
 *
 * An answer that does not come within its deadline is an outage, which ends as soon as one
 * comes; the time for which this process itself stood still is no part of it. Questions are
 * asked one after the other.
 */
import type pg from 'pg';
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { Log } from '../../../kernel/log.ts';
import { OutOfPatience, waitFor } from '../../../kernel/patience.ts';
import type { Report } from '../../applying/report.ts';
import type { Availability } from './availability.ts';
import { abandon, connect } from './client.ts';
import { troubleOf } from './sqlstate.ts';

export interface SentinelOptions {
  readonly client: pg.ClientConfig;
  readonly availability: Availability;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  /** How long an answer may take. */
  readonly deadlineMs: number;
  readonly report: (report: Report) => void;
}

const VERSIONS = 'select subject, version from change_versions order by subject';

export class Sentinel {
  readonly #options: SentinelOptions;
  #client: Promise<pg.Client> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | null = null;
  #reported: string | null = null;
  #isClosed = false;

  constructor(options: SentinelOptions) {
    this.#options = options;
  }

  /** Resolves after the first look; never rejects. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Asks on the reserved connection. Rejects within the deadline. */
  ask(sql: string): Promise<pg.QueryResult> {
    const answer = this.#last.then(() => this.#within(() => this.#query(sql)));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#dispose();
  }

  async #look(): Promise<void> {
    const { availability, clock, log, pollMs, report } = this.#options;
    try {
      const { rows } = await this.ask(VERSIONS);
      const isBack = !availability.isUp();
      availability.markUp();
      if (isBack) log.info('the database answers again');
      const text = JSON.stringify(rows);
      if (isBack || text !== this.#reported) report({ kind: 'versions', text });
      this.#reported = text;
    } catch (error) {
      // Held up for so long ourselves, we know nothing of the server: the next look tells.
      const isOurs = error instanceof OutOfPatience && error.stalled && availability.isUp();
      if (!this.#isClosed && !isOurs) this.#noteOutage(error);
    }
    if (!this.#isClosed) this.#timer = clock.setTimer(pollMs, () => void this.#look());
  }

  #noteOutage(error: unknown): void {
    const { availability, log } = this.#options;
    const reason = error instanceof Error ? error : new Error(String(error));
    if (availability.isUp()) log.warn('the database does not answer', { error: reason.message });
    availability.markDown(reason);
  }

  /** A connection that was ended is replaced at once: that alone is no outage. */
  async #query(sql: string): Promise<pg.QueryResult> {
    const isKept = this.#client !== null;
    try {
      return await this.#attempt(sql);
    } catch (error) {
      this.#dispose();
      if (!isKept || this.#isClosed || troubleOf(error) !== 'lost') throw error;
      return this.#attempt(sql);
    }
  }

  async #attempt(sql: string): Promise<pg.QueryResult> {
    this.#client ??= connect(this.#options.client);
    return (await this.#client).query(sql);
  }

  async #within<T>(work: () => Promise<T>): Promise<T> {
    const { clock, deadlineMs } = this.#options;
    try {
      return await waitFor(clock, deadlineMs, work());
    } catch (error) {
      if (error instanceof OutOfPatience) this.#dispose();
      throw error;
    }
  }

  #dispose(): void {
    const client = this.#client;
    this.#client = null;
    client?.then(abandon, () => undefined);
  }
}
