/**
 * The databases of tenants that are open in this process: opened when first needed, bounded in
 * number, the one that rested longest given up first, and all that rest too long.
 *
 * 1. At most `max` are open; where all of them are at work nobody else gets one.
 * 2. A database whose address or credentials changed is opened anew; the old one ends when its
 *    last user has left.
 * 3. Of many who need the same database one opens it. One that could not be opened is left alone
 *    for a moment, and whoever asks meanwhile is told why.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Route } from './route-book.ts';
import type { TenantEngine } from './tenant-engine.ts';

export interface TenantPoolOptions {
  /** Makes an engine; throws what is wrong with the place. */
  readonly make: (route: Route) => TenantEngine;
  readonly max: number;
  /** A database nobody needed for so long is closed. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TenantPoolFigures {
  readonly open: number;
  readonly max: number;
  readonly opened: number;
  readonly evicted: number;
  /** Of those that are open. */
  readonly tenants: readonly string[];
}

interface Entry {
  readonly revision: string;
  readonly engine: Promise<TenantEngine>;
  users: number;
  lastUsedMs: number;
  isRetired: boolean;
}

const SWEEP_MS = 60_000;
const RETRY_MS = 1000;

export class TenantPools {
  readonly #options: TenantPoolOptions;
  /** By slug, the one that was used last at the end. */
  readonly #entries = new Map<string, Entry>();
  readonly #failed = new Map<string, { readonly untilMs: number; readonly error: Error }>();
  readonly #ending = new Set<Promise<void>>();
  #opened = 0;
  #evicted = 0;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: TenantPoolOptions) {
    this.#options = options;
  }

  /** Runs `work` on the tenant's database. Throws `storage_unavailable` where it has none. */
  async use<T>(route: Route, work: (engine: TenantEngine) => Promise<T>): Promise<T> {
    const entry = this.#entryOf(route);
    entry.users += 1;
    try {
      return await work(await entry.engine);
    } finally {
      entry.users -= 1;
      entry.lastUsedMs = this.#options.clock.monotonicMs();
      if (entry.isRetired) this.#endIfUnused(entry);
    }
  }

  /** Closes a tenant's database when its last user has left. */
  retire(slug: string): void {
    const entry = this.#entries.get(slug);
    if (entry === undefined) return;
    this.#entries.delete(slug);
    entry.isRetired = true;
    this.#endIfUnused(entry);
  }

  figures(): TenantPoolFigures {
    return {
      open: this.#entries.size,
      max: this.#options.max,
      opened: this.#opened,
      evicted: this.#evicted,
      tenants: [...this.#entries.keys()],
    };
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const [slug, entry] of this.#entries) {
      this.#entries.delete(slug);
      this.#end(entry);
    }
    await Promise.all(this.#ending);
  }

  #entryOf(route: Route): Entry {
    const { slug } = route;
    const revision = JSON.stringify(route.place);
    const known = this.#entries.get(slug);
    if (known !== undefined && known.revision === revision) {
      this.#entries.delete(slug);
      this.#entries.set(slug, known);
      return known;
    }
    this.#requireFit(slug, revision);
    this.retire(slug);
    this.#makeRoom();
    const nowMs = this.#options.clock.monotonicMs();
    const engine = this.#open(route, revision);
    const entry: Entry = { revision, engine, users: 0, lastUsedMs: nowMs, isRetired: false };
    this.#entries.set(slug, entry);
    this.#sweepLater();
    return entry;
  }

  async #open(route: Route, revision: string): Promise<TenantEngine> {
    const { make, clock, log } = this.#options;
    const { slug } = route;
    let engine: TenantEngine | null = null;
    try {
      engine = make(route);
      await engine.open();
      await requireKnown(engine, slug);
      this.#opened += 1;
      log.info('pool.tenant_ready', { tenant: slug });
      return engine;
    } catch (thrown) {
      await engine?.close();
      const error = unavailable(thrown);
      if (this.#entries.get(slug)?.revision === revision) this.#entries.delete(slug);
      this.#failed.set(`${slug}\n${revision}`, { untilMs: clock.monotonicMs() + RETRY_MS, error });
      log.warn('the database of a tenant cannot be opened', { tenant: slug, error: error.message });
      throw error;
    }
  }

  #requireFit(slug: string, revision: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [name, { untilMs }] of this.#failed) {
      if (untilMs <= nowMs) this.#failed.delete(name);
    }
    const failed = this.#failed.get(`${slug}\n${revision}`);
    if (failed !== undefined) throw failed.error;
    if (this.#isClosed) throw unavailable(new Error('the process stops'));
  }

  /** The one that rested longest ends. */
  #makeRoom(): void {
    if (this.#entries.size < this.#options.max) return;
    const resting = [...this.#entries].find(([, { users }]) => users === 0);
    if (resting === undefined) {
      const cause = new Error(`all ${this.#options.max} databases of tenants are at work`);
      throw unavailable(cause);
    }
    this.#evicted += 1;
    this.retire(resting[0]);
  }

  #sweepLater(): void {
    if (this.#timer !== null || this.#isClosed) return;
    const { clock, idleMs } = this.#options;
    this.#timer = clock.setTimer(Math.min(SWEEP_MS, idleMs), () => {
      this.#timer = null;
      const beforeMs = clock.monotonicMs() - idleMs;
      for (const [slug, { users, lastUsedMs }] of this.#entries) {
        if (users === 0 && lastUsedMs <= beforeMs) this.retire(slug);
      }
      if (this.#entries.size > 0) this.#sweepLater();
    });
  }

  #endIfUnused(entry: Entry): void {
    if (entry.users === 0) this.#end(entry);
  }

  #end({ engine }: Entry): void {
    const ended = engine.then(
      (opened) => opened.close(),
      () => undefined, // it was never open
    );
    const ending = ended.catch(() => undefined).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

/** A database that was put in the place of the tenant's own knows nothing of it. */
async function requireKnown(engine: TenantEngine, slug: string): Promise<void> {
  const homes = await engine.read(slug, 'select state from data_homes where tenant = ?', [slug]);
  if (homes.length === 0) throw new Error('the database does not say that it is the tenant’s');
}

function unavailable(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && thrown.code === 'storage_unavailable') return thrown;
  return new GatewayError('storage_unavailable', { cause: thrown });
}
