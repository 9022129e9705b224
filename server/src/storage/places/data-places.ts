/**
 * From a tenant to the database of its own data: bodies and responses, and whatever else
 * belongs to the tenant alone. Repositories of such data ask here and nowhere else.
 *
 * It fails closed: where the tenant cannot be looked up, its place cannot be read, or its
 * database does not answer, the work fails; it never falls back to the shared one.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Engine } from '../engine.ts';
import type { RouteBook, RouteFigures } from './route-book.ts';
import type { TenantPoolFigures, TenantPools } from './tenant-pools.ts';

export interface DataPlaces {
  /**
   * Runs `work` on the database of the tenant's own data. Throws what `work` throws, and
   * `storage_unavailable`. Who writes asks `requireHome` in the same transaction.
   */
  within<T>(tenant: string, work: (engine: Engine) => Promise<T>): Promise<T>;
  /**
   * Runs `work` on every database in turn, the shared one first, and on the others whatever
   * becomes of one; throws the first failure at the end. Work that answers false was enough.
   */
  everywhere(work: (engine: Engine) => Promise<boolean>): Promise<void>;
}

export interface PlaceFigures {
  readonly routes: RouteFigures;
  readonly pools: TenantPoolFigures;
}

export interface DataPlacesOptions {
  readonly shared: Engine;
  readonly routes: RouteBook;
  readonly pools: TenantPools;
  /** The tenants that have a database of their own. */
  readonly dedicated: () => Promise<readonly string[]>;
}

export function createDataPlaces(options: DataPlacesOptions): DataPlaces {
  const { shared, routes, pools, dedicated } = options;

  async function within<T>(tenant: string, work: (engine: Engine) => Promise<T>): Promise<T> {
    const route = await routes.of(tenant);
    try {
      return route.place === null ? await work(shared) : await pools.use(route, work);
    } catch (error) {
      // The database says that the tenant is at home elsewhere: it has moved, or is about to.
      if (error instanceof GatewayError && error.code === 'tenant_moving') routes.forget(tenant);
      throw error;
    }
  }

  return {
    within,
    async everywhere(work) {
      const failures: unknown[] = [];
      const attempt = (run: () => Promise<boolean>) =>
        run().catch((error: unknown) => {
          failures.push(error);
          return true;
        });
      if (!(await attempt(() => work(shared)))) return;
      for (const tenant of await dedicated()) {
        if (!(await attempt(() => within(tenant, work)))) break;
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
