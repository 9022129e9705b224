/**
 * From a place as it is recorded to an engine on it: a file in the data folder, or a PostgreSQL
 * whose credentials are opened here and whose address is judged when it is dialled.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { systemRandom } from '../../kernel/random.ts';
import type {
  DatabaseLogin,
  PlaceOwner,
  PostgresAddress,
  PostgresPlace,
} from '../../tenancy/ports/data-place.ts';
import type { Engine } from '../engine.ts';
import type { DialGuard } from '../engines/postgres/guarded-socket.ts';
import type { PoolSettings } from '../engines/postgres/pool.ts';
import { PostgresTenantEngine } from '../engines/postgres/tenant-engine.ts';
import { SqliteTenantEngine } from '../engines/sqlite/tenant-engine.ts';
import type { DatabasePlace } from '../open-engine.ts';
import type { QueryWatch } from '../query-watch.ts';
import { connectionsOfNeighbours } from './neighbours.ts';
import type { Route } from './route-book.ts';
import type { TenantEngine } from './tenant-engine.ts';

export interface PlaceSettings {
  readonly pool: PoolSettings;
  /** Databases that are open at once in this process. */
  readonly openMax: number;
  /** A database nobody needed for so long is closed. */
  readonly idleMs: number;
  /** Processes that may have one open, on all hosts. */
  readonly processes: number;
  /** How long a routing record is believed without asking again. */
  readonly routeMs: number;
  /** For one database: it remembers what the host resolved to. */
  readonly guard: () => DialGuard;
  /** Opens the credentials; null where they are not of this tenant and address. */
  readonly loginOf: (owner: PlaceOwner, place: PostgresPlace) => DatabaseLogin | null;
}

export interface PlaceEngineDeps {
  readonly settings: PlaceSettings;
  /** Where the places of the others are written down. */
  readonly shared: Pick<Engine, 'read'>;
  readonly main: DatabasePlace;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly queries: QueryWatch;
}

const SECOND_MS = 1000;

/** Nobody but the operator's own files, where nothing was said. */
export const FILES_ONLY: PlaceSettings = {
  pool: {
    ...{ size: 3, maxOverflow: 2, timeoutMs: 30 * SECOND_MS, recycleMs: 3600 * SECOND_MS },
    ...{ prePing: true, isPooling: true },
  },
  processes: 1,
  ...{ openMax: 50, idleMs: 3600 * SECOND_MS, routeMs: 300 * SECOND_MS },
  guard: () => ({
    allows: () => false,
    lookup: (_host, _options, done) => done(new Error('no address is allowed'), '', 0),
  }),
  loginOf: () => null,
};

/** A file of a tenant: files count as a few databases each, because of their threads. */
export const FILES_MAX = 8;

/** `isNew`: a file that is not there is made. Throws `storage_unavailable`. */
export function placeEngine(
  { settings, shared, main, dataDir, clock, log, queries }: PlaceEngineDeps,
  { id, slug, place }: Route,
  isNew: boolean,
): TenantEngine {
  if (place === null) throw unfit('The tenant has no database of its own.');
  if (place.kind === 'file') {
    const path = join(dataDir, 'tenants', `${slug}.sqlite`);
    if (!isNew && !existsSync(path)) throw unfit('The file of the tenant’s data is missing.');
    return new SqliteTenantEngine({ path, clock, log, queries });
  }
  const login = settings.loginOf({ id, slug }, place);
  if (login === null) throw unfit('The credentials of the tenant’s database cannot be opened.');
  const { guard, pool, processes, openMax } = settings;
  return new PostgresTenantEngine({
    ...{ url: urlOf(place, login), guard: guard(), random: systemRandom },
    ...{ pool, processes, isNew, clock, log, queries },
    others: () => connectionsOfNeighbours({ shared, main, pool, openMax }, place, slug),
  });
}

function unfit(message: string): GatewayError {
  return new GatewayError('storage_unavailable', { message, retryable: false });
}

function urlOf({ host, port, database, ssl }: PostgresAddress, login: DatabaseLogin): string {
  const encoded = encodeURIComponent;
  const who = `${encoded(login.user)}:${encoded(login.password)}`;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const compatible = ssl === 'require' ? 'uselibpqcompat=true&' : '';
  return `postgresql://${who}@${where}/${encoded(database)}?${compatible}sslmode=${ssl}`;
}
