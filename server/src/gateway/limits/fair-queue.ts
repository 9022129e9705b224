/**
 * Who is next where tenants compete for places: the tenant that runs least for its weight, and
 * among equals the one that waited longest for a turn. Within a tenant the first come is first.
 *
 * So each tenant's share of the places follows its weight, whatever it asks for; one that
 * floods delays itself; and whoever waits comes to its turn. Pure: no clock, no promises.
 */

interface Line<T> {
  /** In the order of their coming. */
  readonly waiting: Set<T>;
  running: number;
  /** The turn at which it was served last. */
  servedAt: number;
}

export class FairQueue<T> {
  readonly #weightOf: (tenant: string) => number;
  /** Tenants that run or wait. */
  readonly #lines = new Map<string, Line<T>>();
  #running = 0;
  #waiting = 0;
  #turn = 0;

  constructor(weightOf: (tenant: string) => number) {
    this.#weightOf = weightOf;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  waitingOf(tenant: string): number {
    return this.#lines.get(tenant)?.waiting.size ?? 0;
  }

  add(tenant: string, item: T): void {
    this.#lineOf(tenant).waiting.add(item);
    this.#waiting += 1;
  }

  /** False where it does not wait. */
  remove(tenant: string, item: T): boolean {
    const line = this.#lines.get(tenant);
    if (line === undefined || !line.waiting.delete(item)) return false;
    this.#waiting -= 1;
    this.#forgetIdle(tenant, line);
    return true;
  }

  /** The tenant takes a place. */
  start(tenant: string): void {
    const line = this.#lineOf(tenant);
    line.running += 1;
    this.#running += 1;
    this.#turn += 1;
    line.servedAt = this.#turn;
  }

  /** The tenant gives a place back. */
  end(tenant: string): void {
    const line = this.#lineOf(tenant);
    line.running -= 1;
    this.#running -= 1;
    this.#forgetIdle(tenant, line);
  }

  /** Takes a place for the next that waits, and answers it; undefined when nobody does. */
  next(): T | undefined {
    let best: { tenant: string; line: Line<T>; load: number } | null = null;
    for (const [tenant, line] of this.#lines) {
      if (line.waiting.size === 0) continue;
      const load = line.running / this.#weightOf(tenant);
      const isBetter =
        best === null ||
        load < best.load ||
        (load === best.load && line.servedAt < best.line.servedAt);
      if (isBetter) best = { tenant, line, load };
    }
    if (best === null) return undefined;
    const [item] = best.line.waiting;
    best.line.waiting.delete(item as T);
    this.#waiting -= 1;
    this.start(best.tenant);
    return item;
  }

  #lineOf(tenant: string): Line<T> {
    const known = this.#lines.get(tenant);
    if (known !== undefined) return known;
    const line: Line<T> = { waiting: new Set(), running: 0, servedAt: 0 };
    this.#lines.set(tenant, line);
    return line;
  }

  #forgetIdle(tenant: string, { running, waiting }: Line<T>): void {
    if (running === 0 && waiting.size === 0) this.#lines.delete(tenant);
  }
}
