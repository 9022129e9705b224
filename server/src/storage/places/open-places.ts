/**
 * The places of tenants' own data, put together: the book of routes, the open databases, and
 * what moves data between them.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { DataMover } from '../../tenancy/ports/data-mover.ts';
import type { TenantRepository } from '../../tenancy/ports/tenant-repository.ts';
import type { Engine } from '../engine.ts';
import type { DatabasePlace } from '../open-engine.ts';
import type { QueryWatch } from '../query-watch.ts';
import { createDataMover } from './data-mover.ts';
import { createDataPlaces, type DataPlaces, type PlaceFigures } from './data-places.ts';
import { FILES_MAX, type PlaceSettings, placeEngine } from './place-engines.ts';
import { RouteBook } from './route-book.ts';
import { TenantPools } from './tenant-pools.ts';

export interface PlacesOptions {
  readonly shared: Engine;
  readonly tenants: Pick<TenantRepository, 'get'>;
  /** Of the shared database: files stand beside files alone. */
  readonly main: DatabasePlace;
  readonly settings: PlaceSettings;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly queries: QueryWatch;
}

export interface Places extends DataPlaces {
  readonly mover: DataMover;
  /** Storage heard that tenants changed. */
  tenantsChanged(): void;
  figures(): PlaceFigures;
  close(): Promise<void>;
}

export function openPlaces(options: PlacesOptions): Places {
  const { shared, settings, clock, log, main } = options;
  const routes = new RouteBook(options.tenants, clock, settings.routeMs);
  const pools = new TenantPools({
    make: (route) => placeEngine(options, route, false),
    max: main.kind === 'sqlite' ? Math.min(FILES_MAX, settings.openMax) : settings.openMax,
    ...{ idleMs: settings.idleMs, clock, log },
  });
  return {
    ...createDataPlaces({ shared, routes, pools, dedicated: () => dedicatedSlugs(shared) }),
    mover: createDataMover({ shared, make: (route, isNew) => placeEngine(options, route, isNew) }),
    tenantsChanged: () => routes.forgetAll(),
    figures: () => ({ routes: routes.figures(), pools: pools.figures() }),
    close: () => pools.close(),
  };
}

async function dedicatedSlugs(shared: Engine): Promise<readonly string[]> {
  const rows = await shared.read<{ slug: string }>(
    null,
    'select slug from tenants where place is not null order by slug',
    [],
  );
  return rows.map(({ slug }) => slug);
}
