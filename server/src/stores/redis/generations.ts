/**
 * The generation of each tenant's cached answers as this process knows it: read with every
 * lookup, told by push when anybody purges, and asked for once a second in case a push got lost.
 *
 * 1. A generation is an opaque random text; only equality means anything. One that is missing
 *    (never set, evicted, Redis emptied) is made anew, never guessed.
 * 2. What is told here is at most `LEARN_EVERY_MS` plus one question old; where Redis cannot be
 *    asked for longer, nothing is known (`of` answers null).
 * 3. Of two answers that crossed nobody knows which is later: both are asked for again, within
 *    a second.
 * 4. Tenants are bounded; the one that was looked up longest ago is forgotten.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { generationKeyOf, PURGES_CHANNEL, PURGES_KEY, REMOVALS_KEY } from './keys.ts';
import { defineScript, runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface GenerationsDeps {
  readonly redis: RedisStore;
  readonly clock: Clock;
  readonly random: Random;
  /** A tenant's generation is another one now; null: single answers of anybody are gone. */
  readonly changed: (tenant: string | null) => void;
  readonly maxTenants?: number;
}

export interface Generations {
  of(tenant: string): string | null;
  /**
   * Takes what a lookup read; makes one where there is none. `asked`: what was known when the
   * lookup was sent.
   */
  learn(tenant: string, read: string | null, asked?: string | null): Promise<string>;
  /** Puts another generation in the place of the tenant's; rejects where Redis cannot be told. */
  renew(tenant: string): Promise<void>;
  /** Tells every process that some answers are gone. */
  announce(): Promise<void>;
  close(): void;
}

/** Of several who make one, the first wins. */
const MAKE = defineScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
`);
const LEARN_EVERY_MS = 1000;
const KNOWN_FOR_MS = 2000;
const MAX_TENANTS = 10_000;
const BATCH = 100;
const GENERATION_BYTES = 12;
/** What a push message begins with: then a tenant, or the value of `REMOVALS_KEY`. */
const PURGED = 't';
const REMOVED = 'r';

export function followGenerations(deps: GenerationsDeps): Generations {
  return new LiveGenerations(deps);
}

interface Known {
  readonly generation: string;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

class LiveGenerations implements Generations {
  readonly #deps: GenerationsDeps;
  readonly #known = new Map<string, Known>();
  readonly #leave: readonly (() => void)[];
  #purges: string | null = null;
  #removals: string | null = null;
  /** What is known of somebody may be older than what was known before. */
  #isUnsure = false;
  /** All that was known when Redis was asked last holds until then. */
  #allUntilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(deps: GenerationsDeps) {
    this.#deps = deps;
    const { redis } = deps;
    this.#leave = [
      redis.subscribe(PURGES_CHANNEL, (message) => this.#told(message.toString())),
      redis.onResubscribed(() => void this.#ask()),
      redis.onReturn(() => void this.#ask()),
    ];
    this.#schedule();
  }

  of(tenant: string): string | null {
    const known = this.#known.get(tenant);
    if (known === undefined) return null;
    const nowMs = this.#deps.clock.monotonicMs();
    return nowMs <= Math.max(known.untilMs, this.#allUntilMs) ? known.generation : null;
  }

  async learn(tenant: string, read: string | null, asked: string | null = null): Promise<string> {
    if (read !== null) {
      const now = this.of(tenant);
      if (now === null || now === asked || now === read) return this.#take(tenant, read);
      this.#isUnsure = true;
      return now;
    }
    const now = await this.#deps.redis.hot('cache_generation', (client) =>
      runScript(client, MAKE, [generationKeyOf(tenant)], [this.#random()]),
    );
    return this.#take(tenant, String(now));
  }

  async renew(tenant: string): Promise<void> {
    const made = this.#random();
    await this.#tell(generationKeyOf(tenant), made, PURGES_KEY);
    this.#take(tenant, made);
    await this.#push(`${PURGED}${tenant}`);
  }

  async announce(): Promise<void> {
    const made = this.#random();
    await this.#tell(REMOVALS_KEY, made, PURGES_KEY);
    this.#deps.changed(null);
    this.#removals = made;
    await this.#push(`${REMOVED}${made}`);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const leave of this.#leave) leave();
  }

  /** One after the other, for they may lie on two nodes: who sees the second finds the first. */
  async #tell(name: string, value: string, counter: string): Promise<void> {
    await this.#deps.redis.background(
      'cache_purge',
      async (client) => {
        await client.set(name, value);
        await client.set(counter, this.#random());
      },
      { idempotent: true },
    );
  }

  /** Who misses it learns of it within two seconds. */
  async #push(message: string): Promise<void> {
    await this.#deps.redis.publish(PURGES_CHANNEL, message).catch(() => undefined);
  }

  #take(tenant: string, generation: string): string {
    const before = this.#known.get(tenant);
    const untilMs = this.#deps.clock.monotonicMs() + KNOWN_FOR_MS;
    this.#known.delete(tenant);
    this.#known.set(tenant, { generation, untilMs });
    const { maxTenants = MAX_TENANTS } = this.#deps;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxTenants) break;
      this.#known.delete(oldest);
    }
    if (before !== undefined && before.generation !== generation) this.#deps.changed(tenant);
    return generation;
  }

  #told(message: string): void {
    const rest = message.slice(1);
    if (message.startsWith(PURGED)) {
      void this.#refresh([rest]);
    } else if (rest !== this.#removals) {
      this.#removals = rest;
      this.#deps.changed(null);
    }
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.setTimer(LEARN_EVERY_MS, () => {
      void this.#ask().finally(() => this.#schedule());
    });
  }

  /** Whether anybody purged since; if so everything that is known is read again. */
  async #ask(): Promise<void> {
    const { clock, redis, changed } = this.#deps;
    const askedMs = clock.monotonicMs();
    try {
      const [purges, removals] = await redis.background('cache_purges', (client) =>
        Promise.all([client.get(PURGES_KEY), client.get(REMOVALS_KEY)]),
      );
      const isOld = purges !== this.#purges || this.#isUnsure;
      this.#isUnsure = false;
      if (isOld && !(await this.#refresh([...this.#known.keys()]))) {
        this.#isUnsure = true;
        return;
      }
      this.#purges = purges;
      if (removals !== this.#removals) changed(null);
      this.#removals = removals;
      this.#allUntilMs = askedMs + KNOWN_FOR_MS;
    } catch {
      // The store said so, once; what is known runs out by itself.
    }
  }

  /** Reads generations again; false where not all could be read, or one was learnt meanwhile. */
  async #refresh(tenants: readonly string[]): Promise<boolean> {
    let isSure = true;
    for (let at = 0; at < tenants.length; at += BATCH) {
      const batch = tenants.slice(at, at + BATCH);
      const before = batch.map((tenant) => this.#known.get(tenant));
      try {
        const read = await this.#deps.redis.background('cache_generations', (client) =>
          Promise.all(batch.map((tenant) => client.get(generationKeyOf(tenant)))),
        );
        for (const [index, tenant] of batch.entries()) {
          const [then, now] = [before[index]?.generation, this.#known.get(tenant)?.generation];
          const generation = read[index] ?? null;
          if (then === undefined || now === undefined) continue;
          if (now !== then && now !== generation) isSure = false;
          else if (generation !== null) this.#take(tenant, generation);
          else this.#known.delete(tenant);
        }
      } catch {
        return false;
      }
    }
    return isSure;
  }

  #random(): string {
    return Buffer.from(this.#deps.random.bytes(GENERATION_BYTES)).toString('base64url');
  }
}
