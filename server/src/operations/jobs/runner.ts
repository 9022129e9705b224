/**
 * Works on the queue of background jobs: takes what is due, keeps its leases alive, and says
 * what became of it.
 *
 * Invariants: at most `concurrencyMax` jobs run here; a job whose lease cannot be kept is told
 * to end before another process may take it; one that fails is tried again later each time, and
 * is dead after its last attempt; one that recurs is due again at its next instant, whatever
 * became of it. Stopping lets jobs end for a while, then aborts them and hands them back.
 */
import type { Timer } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { JobEnd, JobFigures, JobRecord } from '../ports/jobs.ts';
import { nextRunMs } from './recurrence.ts';
import {
  type JobKind,
  type JobOutcome,
  type JobRunner,
  type JobRunnerDeps,
  type JobRunnerSettings,
  USUAL_SETTINGS,
} from './runner-options.ts';

const JITTER = 0.2;
const FIGURES_EVERY_MS = 10_000;
/** For aborted jobs to let go. */
const LET_GO_MS = 2000;
/** A job that recurs is never given up. */
const FOR_EVER = 2_147_483_647;
/** Of a lease; two may fail before it ends. */
const HEARTBEATS = 3;

interface Running {
  readonly job: JobRecord;
  readonly abort: AbortController;
  /** On the monotonic clock. */
  leaseEndMs: number;
  isLost: boolean;
  readonly ended: Promise<void>;
}

class LeaseLost extends Error {}
class Stopping extends Error {}

export function createJobRunner(deps: JobRunnerDeps): JobRunner {
  return new Runner(deps);
}

class Runner implements JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #settings: JobRunnerSettings;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  #rest = new AbortController();
  #looping: Promise<void> = Promise.resolve();
  #beat: Timer | null = null;
  #figures: JobFigures | null = null;
  #figuresAtMs = Number.NEGATIVE_INFINITY;
  #isSeeded = false;
  #isTroubled = false;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#settings = { ...USUAL_SETTINGS, ...deps.settings };
    this.#kinds = new Map(deps.kinds.map((kind) => [kind.kind, kind]));
  }

  start(): void {
    this.#looping = this.#loop();
    this.#scheduleBeat();
  }

  wake(): void {
    this.#rest.abort();
  }

  figures(): JobFigures | null {
    return this.#figures;
  }

  async stop(): Promise<void> {
    const { graceMs } = this.#settings;
    this.#stopping.abort(new Stopping());
    this.wake();
    await this.#looping;
    await this.#untilEnded(graceMs);
    for (const { abort } of this.#running.values()) abort.abort(new Stopping());
    await this.#untilEnded(LET_GO_MS);
    this.#beat?.cancel();
  }

  /** Never rejects. */
  async #loop(): Promise<void> {
    const { firstMs, pollMs } = this.#settings;
    await this.#pause(firstMs);
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#look();
        if (this.#isTroubled) this.#deps.log.info('background jobs go on');
        this.#isTroubled = false;
      } catch (error) {
        if (!this.#isTroubled) this.#deps.log.warn('background jobs wait', { error });
        this.#isTroubled = true;
      }
      await this.#pause(pollMs);
    }
  }

  async #look(): Promise<void> {
    const { queue, owner, clock } = this.#deps;
    const { concurrencyMax, leaseMs } = this.#settings;
    if (!this.#isSeeded) await this.#seed();
    const takenMs = clock.monotonicMs();
    const jobs = await queue.take({
      ...{ owner, leaseMs, kinds: [...this.#kinds.keys()], nowMs: clock.wallMs() },
      limit: concurrencyMax - this.#running.size,
    });
    for (const job of jobs) {
      if (!this.#running.has(job.id)) this.#begin(job, takenMs + leaseMs);
      else await queue.end(job, { kind: 'handed_back' }, clock.wallMs()); // it does not let go
    }
    if (clock.monotonicMs() - this.#figuresAtMs < FIGURES_EVERY_MS) return;
    this.#figures = await queue.figures(clock.wallMs());
    this.#figuresAtMs = clock.monotonicMs();
  }

  /** Jobs that recur, where they are not there yet: their first run is soon. */
  async #seed(): Promise<void> {
    const { queue, clock } = this.#deps;
    for (const { kind, every } of this.#kinds.values()) {
      if (every === null) continue;
      const job = { kind, key: `every:${kind}`, payload: {}, attemptsMax: FOR_EVER };
      await queue.enqueue({ ...job, runAtMs: clock.wallMs() });
    }
    this.#isSeeded = true;
  }

  #begin(job: JobRecord, leaseEndMs: number): void {
    const abort = new AbortController();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { job, abort, leaseEndMs, isLost: false, ended };
    this.#running.set(job.id, running);
    void this.#run(running).finally(() => {
      this.#running.delete(job.id);
      resolve();
      this.wake();
    });
  }

  /** Never rejects. */
  async #run(running: Running): Promise<void> {
    const { queue, clock, log, onEnd } = this.#deps;
    const { job, abort } = running;
    let failure: { readonly error: unknown } | null = null;
    try {
      await this.#kinds.get(job.kind)?.run(job.payload, abort.signal);
    } catch (error) {
      failure = { error };
    }
    if (running.isLost) return onEnd?.(job.kind, 'lost');
    const end = this.#endOf(job, failure, abort.signal.aborted);
    try {
      const isOurs = await queue.end(job, end, clock.wallMs());
      onEnd?.(job.kind, isOurs ? outcomeOf(end) : 'lost');
    } catch (error) {
      // Its lease ends by itself, and then it is done again.
      log.warn('the end of a job could not be written down', { job: job.kind, error });
      onEnd?.(job.kind, 'lost');
    }
  }

  #endOf(job: JobRecord, failure: { readonly error: unknown } | null, isAborted: boolean): JobEnd {
    const { clock, log } = this.#deps;
    if (failure !== null && isAborted) return { kind: 'handed_back' };
    const every = this.#kinds.get(job.kind)?.every ?? null;
    const error = failure === null ? null : messageOf(failure.error);
    const fields = { job: job.kind, id: job.id, attempts: job.attempts, error: failure?.error };
    if (every !== null && job.key === `every:${job.kind}`) {
      if (error !== null) log.warn('a job failed, and is tried again with its next turn', fields);
      return { kind: 'again', runAtMs: nextRunMs(every, clock.wallMs()), error };
    }
    if (error === null) return { kind: 'done' };
    if (job.attempts >= job.attemptsMax) {
      log.error('a job failed for the last time', fields);
      return { kind: 'dead', error };
    }
    log.warn('a job failed, and is tried again later', fields);
    return { kind: 'retry', runAtMs: clock.wallMs() + this.#backOffMs(job.attempts), error };
  }

  #backOffMs(attempts: number): number {
    const { backOffMs, backOffMaxMs } = this.#settings;
    const delayMs = Math.min(backOffMs * 2 ** (attempts - 1), backOffMaxMs);
    return Math.round(delayMs * (1 + JITTER * (2 * this.#deps.random.float() - 1)));
  }

  #scheduleBeat(): void {
    const delayMs = this.#settings.leaseMs / HEARTBEATS;
    this.#beat = this.#deps.clock.setTimer(delayMs, () => {
      this.#scheduleBeat();
      void this.#keepLeases();
    });
  }

  /** Never rejects. */
  async #keepLeases(): Promise<void> {
    const { queue, owner, clock } = this.#deps;
    const { leaseMs } = this.#settings;
    const ids = [...this.#running.keys()];
    if (ids.length === 0) return;
    const startedMs = clock.monotonicMs();
    this.#loseEnding();
    try {
      const kept = await queue.extend(owner, ids, clock.wallMs() + leaseMs);
      for (const id of ids) {
        const running = this.#running.get(id);
        if (running === undefined) continue;
        if (kept.includes(id)) running.leaseEndMs = startedMs + leaseMs;
        else lose(running);
      }
    } catch {
      // The database is away; what comes near the end of its lease is ended with the next beat.
    }
  }

  /** A lease that may end before the next beat is as good as lost. */
  #loseEnding(): void {
    const { leaseMs } = this.#settings;
    const nextBeatMs = this.#deps.clock.monotonicMs() + leaseMs / HEARTBEATS;
    for (const running of this.#running.values()) {
      if (running.leaseEndMs <= nextBeatMs) lose(running);
    }
  }

  async #untilEnded(waitMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const ended = Promise.all([...this.#running.values()].map((running) => running.ended));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#deps.clock.setTimer(waitMs, resolve);
    await Promise.race([ended, late]);
    timer.cancel();
  }

  async #pause(delayMs: number): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, this.#rest.signal]);
    await sleep(this.#deps.clock, delayMs, signal).catch(() => undefined);
    this.#rest = new AbortController();
  }
}

function lose(running: Running): void {
  running.isLost = true;
  running.abort.abort(new LeaseLost());
}

function outcomeOf({ kind, ...end }: JobEnd): JobOutcome {
  switch (kind) {
    case 'done':
      return 'done';
    case 'again':
      return 'error' in end && end.error !== null ? 'failed' : 'done';
    case 'retry':
      return 'failed';
    default:
      return kind;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
