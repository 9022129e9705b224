/**
 * Storage in which a tenant may have a database of its own, on either engine: a file beside a
 * file, a PostgreSQL beside a PostgreSQL.
 */
import { lookup } from 'node:dns';
import type { TestContext } from 'node:test';
import type { Storage } from '../../src/storage/index.ts';
import { FILES_ONLY, type PlaceSettings } from '../../src/storage/places/place-engines.ts';
import type { DataPlace } from '../../src/tenancy/ports/data-place.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { PostgresFile } from './postgres-storage.ts';
import { openTestStorage } from './storage.ts';
import { withTenants } from './tenant-record.ts';

/** The tenants `acme` and `globex`, and a place that is nobody's home yet. */
export interface Homes {
  readonly storage: Storage;
  readonly own: DataPlace;
}

export type OpenHomes = (t: TestContext) => Promise<Homes>;

export const homesOnSqlite: OpenHomes = async (t) => {
  const storage = await withTenants(openTestStorage(t));
  return { storage, own: { kind: 'file' } };
};

export function homesOnPostgres(postgres: PostgresFile): OpenHomes {
  return async (t) => {
    const storage = await withTenants(postgres.openStorage(t, { places: ANYWHERE }));
    return { storage, own: await placeOn(postgres.server) };
  };
}

/** Credentials lie open in the record: what seals them is not in question. */
const ANYWHERE: PlaceSettings = {
  ...FILES_ONLY,
  guard: () => ({ allows: () => true, lookup }),
  loginOf: (_owner, { sealed }) => JSON.parse(sealed),
};

async function placeOn(server: PostgresServer): Promise<DataPlace> {
  const url = new URL((await server.createDatabase()).owner);
  const sealed = JSON.stringify({
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  });
  const database = url.pathname.slice(1);
  return {
    ...{ kind: 'postgres', host: url.hostname, port: server.port, database, sealed },
    ssl: 'disable',
  };
}
