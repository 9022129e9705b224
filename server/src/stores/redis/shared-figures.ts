/**
 * The cache's figures of all processes together: each writes what its own pages say, as they
 * stand, and who reads sums them.
 *
 *   esclusa:stats:<tenant>   <page>|<figure> → as it stands, <page>|at → when (seconds)
 *                            gone|<figure> → of pages nobody writes any more
 *                            base|<figure> → what had been counted when it was reset
 *
 * 1. Writing again what was written changes nothing: a write that timed out, and happened,
 *    counts nothing twice, and a Redis that was emptied is filled again.
 * 2. A page that was not written for `TURN_MS` is never written again: its process goes on with
 *    a new one. After `FOLD_SECONDS` it may be added to `gone`: the dead do not pile up.
 * 3. Nothing here is waited for by a request.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { type CacheBook, type CachePage, COUNTED, type Counts, noCounts } from '../cache-book.ts';
import { statsKeyOf } from './keys.ts';
import { defineScript, runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface SharedFigures {
  /** Rejects with a `RedisFailure`: then only this process's are known. */
  read(tenant: string | null): Promise<Counts>;
  /** Counting begins anew, for all processes. */
  reset(tenant: string | null): Promise<void>;
  /** Writes what changed; for the end of the process. */
  flush(): Promise<void>;
  close(): void;
}

export interface SharedFiguresDeps {
  readonly redis: RedisStore;
  readonly book: CacheBook;
  readonly clock: Clock;
  /** Pages remembered as written; one that is not is written again all the same. */
  readonly maxWritten?: number;
}

const FLUSH_EVERY_MS = 2000;
const TURN_MS = 900_000;
const FOLD_SECONDS = 1800;
const MAX_WRITTEN = 4000;
const BASE = 'base';
const KEEP_SECONDS = 30 * 86_400;
/** Fields above which pages of the dead are folded: some thirty pages. */
const FOLD_ABOVE = 32 * (COUNTED.length + 1);
/** Figures of all tenants together are kept under the name that no tenant has. */
const ALL = '';

const WRITE = defineScript(`
local key, page, now = KEYS[1], ARGV[1], tonumber(redis.call('TIME')[1])
for i = 5, #ARGV, 2 do redis.call('HSET', key, page .. '|' .. ARGV[i], ARGV[i + 1]) end
redis.call('HSET', key, page .. '|at', now)
redis.call('EXPIRE', key, ARGV[4])
if redis.call('HLEN', key) <= tonumber(ARGV[3]) then return 0 end
local all, dead = redis.call('HGETALL', key), {}
for i = 1, #all, 2 do
  local name = string.match(all[i], '^(.*)|at$')
  if name and tonumber(all[i + 1]) < now - tonumber(ARGV[2]) then dead[name] = true end
end
for i = 1, #all, 2 do
  local name, figure = string.match(all[i], '^(.*)|(.-)$')
  if name and dead[name] then
    if figure ~= 'at' then redis.call('HINCRBY', key, 'gone|' .. figure, all[i + 1]) end
    redis.call('HDEL', key, all[i])
  end
end
return 1
`);

/** The base becomes the sum of all else. */
const RESET = defineScript(`
local all, sum = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local name, figure = string.match(all[i], '^(.*)|(.-)$')
  if name ~= 'base' and figure ~= 'at' then sum[figure] = (sum[figure] or 0) + all[i + 1] end
end
for figure, value in pairs(sum) do redis.call('HSET', KEYS[1], 'base|' .. figure, value) end
return 1
`);

export function shareFigures(deps: SharedFiguresDeps): SharedFigures {
  return new WrittenFigures(deps);
}

/** What was last sent, whether or not it arrived. */
interface Written {
  readonly name: string;
  readonly counts: Readonly<Counts>;
  /** On the monotonic clock. */
  readonly atMs: number;
}

class WrittenFigures implements SharedFigures {
  readonly #deps: SharedFiguresDeps;
  readonly #written = new Map<string | null, Written>();
  readonly #leave: () => void;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(deps: SharedFiguresDeps) {
    this.#deps = deps;
    this.#leave = deps.redis.onReturn(() => deps.book.touchAll());
    this.#schedule();
  }

  async read(tenant: string | null): Promise<Counts> {
    await this.#write(tenant);
    const key = statsKeyOf(tenant ?? ALL);
    const all = await this.#deps.redis.background('stats_read', (client) => client.hgetall(key), {
      idempotent: true,
    });
    return summed(all);
  }

  async reset(tenant: string | null): Promise<void> {
    await this.#write(tenant);
    const key = statsKeyOf(tenant ?? ALL);
    await this.#deps.redis.background('stats_reset', (client) =>
      runScript(client, RESET, [key], []),
    );
  }

  async flush(): Promise<void> {
    const { book, redis } = this.#deps;
    if (redis.state().kind !== 'up') return;
    const changed = book.takeChanged();
    try {
      for (const tenant of changed) await this.#write(tenant);
    } catch {
      book.touchAll();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#leave();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.setTimer(FLUSH_EVERY_MS, () => {
      void this.flush().finally(() => this.#schedule());
    });
  }

  async #write(tenant: string | null): Promise<void> {
    const page = this.#pageFor(tenant);
    if (page === null) return;
    const { name, counts } = page;
    const figures = COUNTED.flatMap((figure) => [figure, counts[figure]]);
    await this.#deps.redis.background(
      'stats_write',
      (client) =>
        runScript(
          client,
          WRITE,
          [statsKeyOf(tenant ?? ALL)],
          [name, FOLD_SECONDS, FOLD_ABOVE, KEEP_SECONDS, ...figures],
        ),
      { idempotent: true },
    );
  }

  /** The page to write now: another one, with what is new, where the last may be folded. */
  #pageFor(tenant: string | null): CachePage | null {
    const { book, clock, maxWritten = MAX_WRITTEN } = this.#deps;
    const nowMs = clock.monotonicMs();
    const page = book.page(tenant);
    if (page === null) return null;
    const last = this.#written.get(tenant);
    this.#written.delete(tenant);
    const isOld = last?.name === page.name && nowMs - last.atMs > TURN_MS;
    const current = isOld ? book.turn(tenant, difference(page.counts, last.counts)) : page;
    const { name, counts } = current;
    this.#written.set(tenant, { name, counts: { ...counts }, atMs: nowMs });
    for (const oldest of this.#written.keys()) {
      if (this.#written.size <= maxWritten) break;
      this.#written.delete(oldest);
    }
    return current;
  }
}

function difference(counts: Readonly<Counts>, less: Readonly<Counts>): Counts {
  const result = noCounts();
  for (const name of COUNTED) result[name] = counts[name] - less[name];
  return result;
}

/** Pages and the dead together, less what was reset. */
function summed(fields: Readonly<Record<string, string>>): Counts {
  const result = noCounts();
  for (const [field, value] of Object.entries(fields)) {
    const at = field.lastIndexOf('|');
    const figure = COUNTED.find((name) => name === field.slice(at + 1));
    if (figure === undefined) continue;
    result[figure] += field.slice(0, at) === BASE ? -Number(value) : Number(value);
  }
  // A base that outlived what it was the base of.
  for (const name of COUNTED) result[name] = Math.max(0, result[name]);
  return result;
}
