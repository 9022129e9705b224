/**
 * The main thread's end of the protocol: one worker, a bounded number of calls under way, a
 * time limit for each, and a new worker when the old one dies.
 *
 * Invariants: every call settles once; what a dead worker was asked fails at once; a
 * `generation` never spans two workers, so that a transaction cannot go on in the wrong one.
 * The worker keeps the process alive only while someone waits for it.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { FaultPoints } from '../../../kernel/fault.ts';
import type { Log } from '../../../kernel/log.ts';
import type { Report } from '../../applying/report.ts';
import { errorOf } from './failure.ts';
import type { Call, FromWorker, Notice, ToWorker } from './protocol.ts';

export interface WorkerClientOptions {
  /** For the log: `writer`, `reader`. */
  readonly name: string;
  readonly entry: URL;
  readonly data: unknown;
  readonly callsMax: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: FaultPoints;
  readonly onReport: (report: Report) => void;
  /** A new worker stands where one died; nothing was sent to it yet. */
  readonly onRestart: () => void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: Timer;
}

/** Rows live for a batch: more room only makes the process larger. */
const YOUNG_GENERATION_MB = 6;
const RESTART_FIRST_MS = 50;
const RESTART_MAX_MS = 5000;

export class WorkerClient {
  readonly #options: WorkerClientOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null;
  #nextId = 1;
  #generation = 1;
  #restartMs = RESTART_FIRST_MS;
  #isClosed = false;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
    this.#worker = this.#spawn();
  }

  /** Rises by one with each new worker. */
  get generation(): number {
    return this.#generation;
  }

  /** Something it was asked is not answered yet. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Sends a call in this very turn, so that calls and notices keep their order. Rejects with
   * `storage_unavailable` when the worker does not answer in time, died, is not there or has
   * too much to do; otherwise with what `errorOf` makes of the worker's error.
   */
  call(call: Call, timeoutMs: number): Promise<unknown> {
    const worker = this.#worker;
    if (worker === null) return Promise.reject(unavailable('is not running'));
    if (this.#pending.size >= this.#options.callsMax) {
      return Promise.reject(unavailable('has too much to do'));
    }
    const { name, faults } = this.#options;
    let delay: Promise<void> | undefined;
    try {
      delay = faults.hit(`storage.${name}.call`) ?? undefined;
    } catch (cause) {
      return Promise.reject(new GatewayError('storage_unavailable', { cause }));
    }
    try {
      void faults.hit(`storage.${name}.worker`);
    } catch {
      void worker.terminate(); // a fault here stands for the death of the worker
    }
    const answer = this.#send(worker, call, timeoutMs);
    return delay === undefined ? answer : Promise.all([answer, delay]).then(([value]) => value);
  }

  /** Lost when no worker is there. */
  post(notice: Notice): void {
    this.#worker?.postMessage({ notice } satisfies ToWorker);
  }

  #send(worker: Worker, call: Call, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#take(id)?.reject(unavailable(`did not answer within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, timer });
      if (this.#pending.size === 1) worker.ref();
      worker.postMessage({ id, timeoutMs, call } satisfies ToWorker);
    });
  }

  /** Ends the worker, whatever it does; calls under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const { entry, data, name, onReport } = this.#options;
    const worker = new Worker(entry, {
      workerData: data,
      name: `esclusa-${name}`,
      env: bareEnv(),
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.unref();
    worker.on('message', (message: FromWorker) => {
      this.#restartMs = RESTART_FIRST_MS;
      if ('report' in message) onReport(message.report);
      else if ('failure' in message) this.#take(message.id)?.reject(errorOf(message.failure));
      else this.#take(message.id)?.resolve(message.value);
    });
    worker.on('error', (error) => {
      this.#options.log.error('a database worker failed', { worker: name, error: error.message });
    });
    worker.once('exit', () => this.#died());
    return worker;
  }

  #died(): void {
    this.#worker = null;
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(unavailable('has ended'));
    if (this.#isClosed) return;
    const { log, name, clock, onRestart } = this.#options;
    log.warn('a database worker is started again', { worker: name, in_ms: this.#restartMs });
    clock.setTimer(this.#restartMs, () => {
      if (this.#isClosed) return;
      this.#generation += 1;
      this.#worker = this.#spawn();
      onRestart();
    });
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.timer.cancel();
    // Whoever closes waits for the worker's end, also where a late answer comes before it.
    if (this.#pending.size === 0 && !this.#isClosed) this.#worker?.unref();
    return pending;
  }
}

/** Workers see nothing of the environment, but load compiled code where the process does. */
function bareEnv(): Record<string, string> {
  const directory = getCompileCacheDir(); // names the runtime's version in its last part
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

function unavailable(what: string): GatewayError {
  return new GatewayError('storage_unavailable', {
    cause: new Error(`the database worker ${what}`),
  });
}
