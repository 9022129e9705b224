/**
 * Which database a tenant's own data lies in, remembered: the routing record as it is stored,
 * without any secret in clear. A record is good for its time, and forgotten as soon as storage
 * hears that tenants changed.
 *
 * A tenant that cannot be looked up has no database: nobody falls back to the shared one.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TenantRecord, TenantRepository } from '../../tenancy/ports/tenant-repository.ts';

export type Route = Pick<TenantRecord, 'id' | 'slug' | 'place'>;

export interface RouteFigures {
  /** Times a route was asked for. */
  readonly asked: number;
  /** Times the database was asked for one. */
  readonly read: number;
}

const ROUTES_MAX = 10_000;

interface Known {
  readonly route: Promise<Route>;
  readonly untilMs: number;
}

export class RouteBook {
  readonly #tenants: Pick<TenantRepository, 'get'>;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #known = new Map<string, Known>();
  #asked = 0;
  #read = 0;

  constructor(tenants: Pick<TenantRepository, 'get'>, clock: Clock, ttlMs: number) {
    this.#tenants = tenants;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /**
   * Throws `storage_unavailable` where the tenant is not found, or nobody can say, and
   * `tenant_suspended` for one that was erased: nothing of it is kept any more.
   */
  of(slug: string): Promise<Route> {
    this.#asked += 1;
    const known = this.#known.get(slug);
    if (known !== undefined && this.#clock.monotonicMs() < known.untilMs) return known.route;
    const route = this.#lookUp(slug);
    this.#keep(slug, { route, untilMs: this.#clock.monotonicMs() + this.#ttlMs });
    route.catch(() => {
      if (this.#known.get(slug)?.route === route) this.#known.delete(slug);
    });
    return route;
  }

  forget(slug: string): void {
    this.#known.delete(slug);
  }

  forgetAll(): void {
    this.#known.clear();
  }

  figures(): RouteFigures {
    return { asked: this.#asked, read: this.#read };
  }

  async #lookUp(slug: string): Promise<Route> {
    this.#read += 1;
    const record = await this.#tenants.get(slug);
    if (record === null) {
      const cause = new Error(`there is no tenant "${slug}"`);
      throw new GatewayError('storage_unavailable', { cause, retryable: false });
    }
    if (record.erasedAtMs !== null) throw new GatewayError('tenant_suspended');
    return { id: record.id, slug: record.slug, place: record.place };
  }

  /** The record that was read first goes first. */
  #keep(slug: string, known: Known): void {
    this.#known.delete(slug);
    this.#known.set(slug, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > ROUTES_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}
