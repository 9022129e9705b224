/**
 * One logical store on Redis (`cache` or `state`) as adapters use it: run a command, publish,
 * subscribe, know whether it is there.
 *
 * 1. A command ends within its limit, in a result or in one `RedisFailure`; `hot` ones share
 *    what their request may wait in all (`request-waits.ts`).
 * 2. While the breaker is open, or no connection is there, a command fails without a wait.
 * 3. It heals by itself: connections are tried again, and the heartbeat on the hot connection is
 *    the breaker's probe. No request is, for it would wait; nor is a command that has more time
 *    than a request, for a server that is only slow would pass.
 * 4. One line is logged per change of state, never one per command.
 *
 * Hot, background and push commands have connections of their own, so that a scan or a large
 * value keeps no request waiting.
 */
import type { Cluster, RedisCommander } from 'ioredis';
import { REFUSED } from '../../gateway/ports/breaker.ts';
import { sleep } from '../../kernel/deadline.ts';
import { OutOfPatience, waitFor } from '../../kernel/patience.ts';
import { type Channel, openChannel } from './channel.ts';
import { connect, type LaneKind, type RedisConnection } from './connection.ts';
import { asRedisFailure, counts, RedisFailure } from './failure.ts';
import { type Allowance, unbounded } from './request-waits.ts';
import { createStoreState, type StoreState } from './state.ts';
import type { RedisStore, RedisStoreOptions, RunOptions, StoreReport } from './store.ts';

export { defineScript, runScript, runScriptBuffer } from './script.ts';

const HOT_MS = 25;
const BACKGROUND_MS = 500;
/** A wait shorter than this is not begun. */
const LEAST_WAIT_MS = 1;
const HEARTBEAT = 'ping';
const HEARTBEAT_MS = 1000;
const HEARTBEAT_WHILE_DOWN_MS = 250;
/** Between the tries of a background read; jittered. */
const RETRY_PAUSES_MS: readonly number[] = [20, 50, 100];

interface Lane {
  readonly kind: Exclude<LaneKind, 'push'>;
  readonly connection: RedisConnection;
  readonly limitMs: number;
}

interface Shared extends Pick<RunOptions, 'node'> {
  /** Waiting for it; 1. */
  readonly requests?: number;
}

/** Connects in the background: resolves at once, whether or not the server is there. */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const library = await import('ioredis');
  const { address, name } = options;
  const open = (kind: LaneKind) => connect({ library, ...options }, address, name, kind);
  return new LiveRedisStore(options, open);
}

class LiveRedisStore implements RedisStore {
  readonly name: string;
  readonly isCluster: boolean;
  readonly hotMs: number;
  readonly #options: RedisStoreOptions;
  readonly #hot: Lane;
  readonly #background: Lane;
  readonly #channel: Channel;
  readonly #state: StoreState;
  readonly #closing = new AbortController();

  constructor(options: RedisStoreOptions, open: (kind: LaneKind) => RedisConnection) {
    this.name = options.name;
    this.isCluster = options.address.place.kind === 'cluster';
    this.#options = options;
    const { clock, log, name } = options;
    this.#state = createStoreState({ clock, log, name, lanes: ['hot', 'background'] });
    const { hotMs = HOT_MS, backgroundMs = BACKGROUND_MS } = options;
    this.hotMs = hotMs;
    this.#hot = { kind: 'hot', connection: open('hot'), limitMs: hotMs };
    this.#background = {
      ...{ kind: 'background', connection: open('background') },
      limitMs: backgroundMs,
    };
    this.#channel = openChannel({ clock, connect: () => open('push') });
    for (const { kind, connection } of [this.#hot, this.#background]) {
      connection.on('node error', () => undefined);
      // A sentinel's trouble is told here too, while the connection itself is fine.
      connection.on('error', (error: Error) => {
        if (connection.status !== 'ready') this.#state.lost(kind, wordsOf(error));
      });
      connection.on('close', () => this.#state.lost(kind, 'the connection was closed'));
      connection.on('ready', () => this.#state.connected(kind));
    }
    void this.#beat();
  }

  hot<T>(op: string, run: (client: RedisCommander) => Promise<T>): Promise<T> {
    const allowance = this.allowance();
    const { leftMs } = allowance;
    if (leftMs < LEAST_WAIT_MS) return this.#refuse(op, 'wait_spent');
    if (leftMs === Number.POSITIVE_INFINITY) return this.#run(this.#hot, this.hotMs, op, run);
    const { clock } = this.#options;
    const sinceMs = clock.monotonicMs();
    const limitMs = Math.min(leftMs, this.hotMs);
    return this.#run(this.#hot, limitMs, op, run).finally(() => {
      allowance.leftMs -= clock.monotonicMs() - sinceMs;
    });
  }

  together<T>(
    op: string,
    run: (client: RedisCommander) => Promise<T>,
    requests: number,
  ): Promise<T> {
    return this.#run(this.#hot, this.hotMs, op, run, { requests });
  }

  allowance(): Allowance {
    return this.#options.waits?.allowance() ?? unbounded();
  }

  async background<T>(
    op: string,
    run: (client: RedisCommander) => Promise<T>,
    { idempotent = false, ...where }: RunOptions = {},
  ): Promise<T> {
    const { clock, random } = this.#options;
    const lane = this.#background;
    const endMs = clock.monotonicMs() + lane.limitMs;
    for (let tries = 0; ; tries += 1) {
      const leftMs = endMs - clock.monotonicMs();
      try {
        return await this.#run(lane, leftMs, op, run, where);
      } catch (thrown) {
        const pauseMs = (RETRY_PAUSES_MS[tries] ?? Number.NaN) * (0.5 + random.float() / 2);
        const again =
          idempotent && thrown instanceof RedisFailure && thrown.kind === 'disconnected';
        // Without a pause left in the list NaN compares as false.
        if (!again || !(clock.monotonicMs() + pauseMs < endMs)) throw thrown;
        await sleep(clock, pauseMs, this.#closing.signal).catch(() => undefined);
      }
    }
  }

  masters(): readonly RedisCommander[] {
    const { connection } = this.#background;
    return connection.isCluster ? (connection as Cluster).nodes('master') : [connection];
  }

  async publish(channel: string, message: string | Buffer): Promise<void> {
    await this.background('publish', (client) => client.publish(channel, message));
  }

  subscribe(channel: string, listener: (message: Buffer) => void): () => void {
    return this.#channel.subscribe(channel, listener);
  }

  onReturn(listener: () => void): () => void {
    return this.#state.onReturn(listener);
  }

  onResubscribed(listener: () => void): () => void {
    return this.#channel.onResubscribed(listener);
  }

  state(): StoreReport {
    return this.#state.report();
  }

  close(): void {
    this.#closing.abort();
    this.#state.close();
    this.#channel.close();
    this.#hot.connection.disconnect();
    this.#background.connection.disconnect();
  }

  #refuse(op: string, kind: 'breaker_open' | 'wait_spent'): Promise<never> {
    this.#options.meters?.failed(op, kind);
    return Promise.reject(new RedisFailure(kind, op, `${op}: not sent (${kind})`));
  }

  async #run<T>(
    lane: Lane,
    limitMs: number,
    op: string,
    run: (client: RedisCommander) => Promise<T>,
    { node = lane.connection, requests = 1 }: Shared = {},
  ): Promise<T> {
    const { breaker, clock, meters } = this.#options;
    const wasTripped = this.#state.tripped();
    const isBarred = wasTripped && op !== HEARTBEAT;
    const permit = isBarred ? REFUSED : breaker.admit();
    if (permit === REFUSED) return this.#refuse(op, 'breaker_open');
    const sinceMs = clock.monotonicMs();
    try {
      if (lane.connection.status !== 'ready') {
        throw new RedisFailure('disconnected', op, `${op}: there is no connection`);
      }
      const value = await waitFor(clock, limitMs, run(node));
      breaker.record(permit, 'success');
      meters?.done(op, clock.monotonicMs() - sinceMs);
      // What was under way when the breaker opened says nothing of the server since.
      if (wasTripped || !this.#state.tripped()) this.#state.answered(op);
      return value;
    } catch (thrown) {
      const failure = this.#judge(op, thrown);
      const isFair = limitMs >= lane.limitMs || failure.kind !== 'timeout';
      const isStall = thrown instanceof OutOfPatience && thrown.stalled;
      const isCounted = counts(failure.kind) && isFair && !isStall;
      breaker.record(permit, isCounted ? 'failure' : 'ignored');
      for (let more = 1; isCounted && more < requests && breaker.lets(); more += 1) {
        breaker.record(breaker.admit(), 'failure');
      }
      meters?.failed(op, failure.kind);
      this.#state.failed(op, failure, isCounted && !breaker.lets());
      throw failure;
    }
  }

  #judge(op: string, thrown: unknown): RedisFailure {
    if (!(thrown instanceof OutOfPatience)) return asRedisFailure(op, thrown);
    return new RedisFailure('timeout', op, `${op}: ${thrown.message}`, thrown);
  }

  /** The breaker's probe, and the first to notice a frozen server where nobody calls. */
  async #beat(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const pauseMs = this.#state.report().kind === 'up' ? HEARTBEAT_MS : HEARTBEAT_WHILE_DOWN_MS;
      await sleep(clock, pauseMs * (0.9 + random.float() / 5), signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.hot(HEARTBEAT, (client) => client.ping()).catch(() => undefined);
    }
  }
}

/** Some errors of sockets (of several addresses at once) have a code and no message. */
function wordsOf(error: Error & { readonly code?: string }): string {
  return error.message === '' ? (error.code ?? error.name) : error.message;
}
