/**
 * Where background jobs are kept until they are done: a durable queue that several processes
 * work on.
 *
 * Invariants: a job is held by one owner at a time, for as long as its lease; when that ends
 * without a word (the process died), another may take it. What an owner says of a job it does
 * not hold any more changes nothing. Leases are compared with the wall clock of whoever takes,
 * so hosts must agree on the time to within a lease.
 */

export interface NewJob {
  readonly kind: string;
  /** Of the jobs that are not over, at most one has this key; null: any number. */
  readonly key: string | null;
  readonly payload: JobPayload;
  /** Milliseconds since the epoch; not begun before. */
  readonly runAtMs: number;
  /** How often it is tried before it is given up. */
  readonly attemptsMax: number;
}

export type JobPayload = Readonly<Record<string, unknown>>;

/** `dead`: given up, and kept to be looked at. */
export type JobState = 'waiting' | 'running' | 'dead';

export interface JobRecord extends NewJob {
  readonly id: string;
  readonly state: JobState;
  /** How often it was begun since it last waited for its time. */
  readonly attempts: number;
  readonly createdAtMs: number;
  /** Who runs it; null: nobody. */
  readonly owner: string | null;
  readonly leaseUntilMs: number | null;
  /** What the last attempt that failed said. */
  readonly lastError: string | null;
  /** When the last attempt ended; null: none did. */
  readonly endedAtMs: number | null;
}

export interface JobClaim {
  readonly owner: string;
  readonly kinds: readonly string[];
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly limit: number;
}

/** What becomes of a job after an attempt. */
export type JobEnd = { readonly kind: 'done' } | JobStays;

export type JobStays =
  /** Done, and due again then: its attempts count anew. */
  | { readonly kind: 'again'; readonly runAtMs: number; readonly error: string | null }
  | { readonly kind: 'retry'; readonly runAtMs: number; readonly error: string }
  | { readonly kind: 'dead'; readonly error: string }
  /** Not to its end, through no fault of its own: the attempt does not count. */
  | { readonly kind: 'handed_back' };

export interface JobFigures {
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  /** Milliseconds that the eldest of those that are due waits; zero where none is. */
  readonly oldestDueMs: number;
}

/** What operators see of the queue, and do with jobs that were given up. */
export interface JobBook {
  /** Newest first. */
  list(page: JobPage): Promise<readonly JobRecord[]>;
  /**
   * Lets a dead job wait for its turn again, as if it had never been tried. null: there is no
   * such job. Throws `conflict` where it is not dead, or one with its key is not over.
   */
  retry(id: string, nowMs: number): Promise<JobRecord | null>;
  /** Takes a dead job away; null: there is none. Throws `conflict` where it is not dead. */
  remove(id: string): Promise<JobRecord | null>;
}

export interface JobQueue extends JobBook {
  /** False: a job with this key is not over. Throws `storage_unavailable`, as all methods. */
  enqueue(job: NewJob): Promise<boolean>;
  /**
   * Takes what is due, and what a dead owner left, eldest first; only one caller gets a job.
   * What its owner died of for the last allowed time is dead instead.
   */
  take(claim: JobClaim): Promise<readonly JobRecord[]>;
  /** Answers the jobs that this owner still holds, now until `untilMs`. */
  extend(owner: string, ids: readonly string[], untilMs: number): Promise<readonly string[]>;
  /** False: this owner does not hold it any more. */
  end(job: Pick<JobRecord, 'id' | 'owner'>, end: JobEnd, nowMs: number): Promise<boolean>;
  figures(nowMs: number): Promise<JobFigures>;
}

export interface JobPage {
  readonly state: JobState | null;
  readonly limit: number;
  readonly beforeId: string | null;
}
