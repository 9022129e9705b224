/**
 * The members of a cluster as processes: started, heard, replaced when they die, and ended.
 *
 *   starting ──ready──► serving ──exit──► gone ──back-off──► starting
 *
 * Invariant: after `stop` nobody is started, and everybody is gone within the patience given,
 * by force in the end.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Announcement, FromMember, StopHow, ToMember } from './messages.ts';
import { createRestarts, type Restarts, STABLE_MS } from './restarts.ts';
import { rescueStranded } from './stranded.ts';

export type CrewEnd =
  | { readonly kind: 'stopped' }
  /** The first member could not start, and has said why. */
  | { readonly kind: 'first_failed'; readonly exitCode: number }
  /** Members die as fast as they are started. */
  | { readonly kind: 'gave_up'; readonly why: string };

export interface CrewOptions {
  readonly size: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How long an orderly stop may take. */
  readonly patienceMs: () => number;
  readonly hears: (member: number, message: FromMember) => void;
  readonly ended: (member: number) => void;
}

export interface Crew {
  /** What the first said, when all serve; null: it ended before. */
  readonly started: Promise<Announcement | null>;
  readonly ended: Promise<CrewEnd>;
  welcome(member: number, message: ToMember): void;
  ready(member: number, announcement: Announcement): void;
  send(member: number, message: ToMember): void;
  /** To all who were welcomed. */
  tell(message: ToMember): void;
  serving(): readonly number[];
  isReplacement(member: number): boolean;
  stop(how: StopHow): void;
}

interface Place {
  readonly restarts: Restarts;
  /** null: nobody is there at the moment. */
  member: LiveMember | null;
  lives: number;
  waiting: Timer | null;
}

interface LiveMember {
  readonly worker: Worker;
  readonly place: Place;
  isWelcome: boolean;
  servesSinceMs: number | null;
  starting: Timer | null;
}

/** A database may take half a minute to answer, and a first start makes tables. */
const START_MS = 120_000;
const HURRY_MS = 10_000;

export function createCrew(options: CrewOptions): Crew {
  return new ProcessCrew(options);
}

class ProcessCrew implements Crew {
  readonly #options: CrewOptions;
  readonly #places: readonly Place[];
  /** By the number that Node gives a worker: no two ever have the same. */
  readonly #members = new Map<number, LiveMember>();
  readonly #started = Promise.withResolvers<Announcement | null>();
  readonly #ended = Promise.withResolvers<CrewEnd>();
  #announcement: Announcement | null = null;
  #end: CrewEnd | null = null;
  #force: Timer | null = null;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.size }, () => ({
      ...{ restarts: createRestarts(), member: null, lives: 0, waiting: null },
    }));
    cluster.setupPrimary({ serialization: 'advanced' });
    const [first] = this.#places;
    if (first !== undefined) this.#start(first);
  }

  get started(): Promise<Announcement | null> {
    return this.#started.promise;
  }

  get ended(): Promise<CrewEnd> {
    return this.#ended.promise;
  }

  welcome(id: number, message: ToMember): void {
    const member = this.#members.get(id);
    if (member !== undefined) member.isWelcome = true;
    this.send(id, message);
  }

  ready(id: number, announcement: Announcement): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.starting?.cancel();
    member.servesSinceMs = this.#options.clock.monotonicMs();
    if (this.#end !== null) this.send(id, { kind: 'stop', how: 'now' });
    else if (this.#announcement === null) {
      this.#announcement = announcement;
      for (const place of this.#places) if (place.member === null) this.#start(place);
    }
    if (this.serving().length === this.#places.length) this.#started.resolve(this.#announcement);
  }

  send(id: number, message: ToMember): void {
    const worker = this.#members.get(id)?.worker;
    if (worker?.isConnected() === true) worker.send(message, () => undefined);
  }

  tell(message: ToMember): void {
    for (const [id, { isWelcome }] of this.#members) if (isWelcome) this.send(id, message);
  }

  serving(): readonly number[] {
    const serves = [...this.#members].filter(([, { servesSinceMs }]) => servesSinceMs !== null);
    return serves.map(([id]) => id);
  }

  isReplacement(id: number): boolean {
    return (this.#members.get(id)?.place.lives ?? 0) > 1;
  }

  stop(how: StopHow): void {
    this.#finish({ kind: 'stopped' }, how);
  }

  #start(place: Place): void {
    const worker = cluster.fork();
    rescueStranded(worker);
    const { id } = worker;
    const starting = this.#options.clock.setTimer(START_MS, () => worker.process.kill('SIGKILL'));
    const member: LiveMember = { worker, place, isWelcome: false, servesSinceMs: null, starting };
    place.member = member;
    place.lives += 1;
    this.#members.set(id, member);
    worker.on('message', (message: FromMember) => this.#options.hears(id, message));
    worker.on('error', () => undefined); // its end is told by `exit`
    worker.on('exit', (code, signal) => this.#gone(id, member, signal ?? code));
  }

  #gone(id: number, member: LiveMember, how: number | string): void {
    const { place, servesSinceMs } = member;
    member.starting?.cancel();
    this.#members.delete(id);
    place.member = null;
    this.#options.ended(id);
    if (this.#end !== null) this.#endWhenAllAreGone();
    else if (this.#announcement === null) {
      const exitCode = typeof how === 'number' && how !== 0 ? how : 1;
      this.#finish({ kind: 'first_failed', exitCode }, 'now');
    } else this.#replace(member, servesSinceMs, how);
  }

  #replace({ place, worker }: LiveMember, sinceMs: number | null, how: number | string): void {
    const { clock, log } = this.#options;
    const servedMs = sinceMs === null ? null : clock.monotonicMs() - sinceMs;
    const { delayMs, isLoop } = place.restarts.after(servedMs);
    const fields = { worker: worker.process.pid, ended_with: how, delay_ms: delayMs };
    if (how === 0) log.info('a worker was stopped; another takes its place', fields);
    else log.error('a worker ended unexpectedly; another takes its place', fields);
    if (isLoop && !this.#isAnyStable()) {
      this.#finish({ kind: 'gave_up', why: String(how) }, 'drain');
      return;
    }
    place.waiting = clock.setTimer(delayMs, () => {
      place.waiting = null;
      this.#start(place);
    });
  }

  #isAnyStable(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    return [...this.#members.values()].some(
      ({ servesSinceMs: sinceMs }) => sinceMs !== null && nowMs - sinceMs >= STABLE_MS,
    );
  }

  #finish(end: CrewEnd, how: StopHow): void {
    this.#end ??= end;
    this.#started.resolve(null);
    for (const place of this.#places) {
      place.waiting?.cancel();
      place.waiting = null;
    }
    for (const [id, { servesSinceMs, worker }] of this.#members) {
      if (servesSinceMs === null) worker.process.kill('SIGTERM');
      else this.send(id, { kind: 'stop', how });
    }
    this.#force?.cancel();
    const patienceMs = how === 'now' ? HURRY_MS : this.#options.patienceMs();
    this.#force = this.#options.clock.setTimer(patienceMs, () => this.#endByForce());
    this.#endWhenAllAreGone();
  }

  #endByForce(): void {
    for (const { worker } of this.#members.values()) {
      this.#options.log.error('a worker did not stop in time and was killed', {
        worker: worker.process.pid,
      });
      worker.process.kill('SIGKILL');
    }
  }

  #endWhenAllAreGone(): void {
    if (this.#members.size > 0 || this.#end === null) return;
    this.#force?.cancel();
    this.#ended.resolve(this.#end);
  }
}
