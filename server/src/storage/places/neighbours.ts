/**
 * How many connections other databases of this installation may take of one server: a server
 * gives them all out of one number, so each database that is put there counts the others.
 */
import type { DataPlace } from '../../tenancy/ports/data-place.ts';
import type { Engine } from '../engine.ts';
import { demandOf } from '../engines/postgres/options.ts';
import type { PoolSettings } from '../engines/postgres/pool.ts';
import {
  countAt,
  isSameServer,
  type ServerAddress,
  serverOfMain,
} from '../engines/postgres/server-address.ts';
import type { DatabasePlace } from '../open-engine.ts';

export interface NeighbourOptions {
  readonly shared: Pick<Engine, 'read'>;
  readonly main: DatabasePlace;
  readonly pool: PoolSettings;
  readonly openMax: number;
}

/** The connection that watches. */
const TENANT_BESIDES = 1;

/** Of one process, to other databases on the server of `at` than that of the tenant `slug`. */
export async function connectionsOfNeighbours(
  { shared, main, pool, openMax }: NeighbourOptions,
  at: ServerAddress,
  slug: string,
): Promise<number> {
  const rows = await shared.read<{ place: string }>(
    null,
    'select place from tenants where place is not null and slug <> ?',
    [slug],
  );
  const places = rows.map(({ place }) => JSON.parse(place) as DataPlace);
  const tenants = Math.min(countAt(at, places), Math.max(0, openMax - 1));
  return tenants * connectionsToTenant(pool) + connectionsToMain(main, at);
}

/** Of one process, to the database of one tenant. */
export function connectionsToTenant({ size, maxOverflow }: PoolSettings): number {
  return size + maxOverflow + TENANT_BESIDES;
}

function connectionsToMain(main: DatabasePlace, at: ServerAddress): number {
  if (main.kind !== 'postgres' || !isSameServer(serverOfMain(main), at)) return 0;
  const { poolSize, maxOverflow, besides } = demandOf(main);
  return poolSize + maxOverflow + besides;
}
