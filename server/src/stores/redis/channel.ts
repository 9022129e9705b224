/**
 * Push messages between processes: subscriptions that outlive their connection.
 *
 * 1. The connection is opened with the first subscription and used for nothing else.
 * 2. After every return of the connection all channels are subscribed again; a subscription
 *    that fails breaks the connection, so that it is tried again rather than missed.
 * 3. A silent connection is noticed: it is asked for a sign of life regularly.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { waitFor } from '../../kernel/patience.ts';
import type { RedisConnection } from './connection.ts';

export interface Channel {
  subscribe(channel: string, listener: (message: Buffer) => void): () => void;
  onResubscribed(listener: () => void): () => void;
  close(): void;
}

export interface ChannelDeps {
  readonly clock: Clock;
  readonly connect: () => RedisConnection;
}

type Listener = (message: Buffer) => void;

const SUBSCRIBE_MS = 1000;
const LIFE_SIGN_EVERY_MS = 2000;

export function openChannel(deps: ChannelDeps): Channel {
  return new LiveChannel(deps);
}

class LiveChannel implements Channel {
  readonly #deps: ChannelDeps;
  readonly #channels = new Map<string, Set<Listener>>();
  readonly #resubscribed = new Set<() => void>();
  #connection: RedisConnection | null = null;
  #lifeSign: Timer | null = null;
  #isClosed = false;

  constructor(deps: ChannelDeps) {
    this.#deps = deps;
  }

  subscribe(channel: string, listener: Listener): () => void {
    const listeners = this.#channels.get(channel) ?? new Set();
    listeners.add(listener);
    if (!this.#channels.has(channel)) {
      this.#channels.set(channel, listeners);
      this.#connected();
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#channels.get(channel) !== listeners) return;
      this.#channels.delete(channel);
      this.#connection?.unsubscribe(channel).catch(() => undefined);
    };
  }

  onResubscribed(listener: () => void): () => void {
    this.#resubscribed.add(listener);
    return () => this.#resubscribed.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#lifeSign?.cancel();
    this.#connection?.disconnect();
  }

  /** Subscribes a new channel, on a connection that is made where there is none yet. */
  #connected(): void {
    if (this.#isClosed) return;
    if (this.#connection !== null) {
      if (this.#connection.status === 'ready') void this.#subscribeAll(this.#connection);
      return;
    }
    const connection = this.#deps.connect();
    this.#connection = connection;
    connection.on('error', () => undefined);
    connection.on('node error', () => undefined);
    connection.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      const listeners = this.#channels.get(channel.toString());
      for (const listener of [...(listeners ?? [])]) listener(message);
    });
    connection.on('ready', () => void this.#subscribeAll(connection));
    this.#watch(connection);
  }

  async #subscribeAll(connection: RedisConnection): Promise<void> {
    if (this.#channels.size === 0) return;
    try {
      await waitFor(this.#deps.clock, SUBSCRIBE_MS, connection.subscribe(...this.#channels.keys()));
      for (const listener of [...this.#resubscribed]) listener();
    } catch {
      if (!this.#isClosed) restart(connection);
    }
  }

  #watch(connection: RedisConnection): void {
    this.#lifeSign = this.#deps.clock.setTimer(LIFE_SIGN_EVERY_MS, () => {
      void this.#askForLife(connection).finally(() => {
        if (!this.#isClosed) this.#watch(connection);
      });
    });
  }

  async #askForLife(connection: RedisConnection): Promise<void> {
    if (connection.status !== 'ready' || this.#channels.size === 0) return;
    const [channel = ''] = this.#channels.keys();
    try {
      // Subscribing again changes nothing and is answered: also by a cluster's own subscriber.
      await waitFor(this.#deps.clock, SUBSCRIBE_MS, connection.subscribe(channel));
    } catch {
      if (!this.#isClosed && connection.status === 'ready') restart(connection);
    }
  }
}

function restart(connection: RedisConnection): void {
  connection.disconnect(true);
}
