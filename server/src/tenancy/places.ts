/**
 * Where tenants' own data lies, as operators see and change it: a database is tried, and a
 * tenant is moved to one of its own, to a file, or back to the shared database.
 *
 * Invariant: credentials come in here in clear and leave sealed; nothing here shows them again.
 */
import { isIP } from 'node:net';
import { GatewayError, type Principal } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { hostName } from '../kernel/host-name.ts';
import type { IdSource } from '../kernel/id.ts';
import type { TenantJobs } from './jobs.ts';
import type { DataMover } from './ports/data-mover.ts';
import type { DataPlace, PlaceOwner, PlaceReport, PostgresAddress } from './ports/data-place.ts';
import type { MoveJob } from './ports/tenant-job.ts';
import type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

/** A database as somebody names it. */
export interface AskedDatabase extends Omit<PostgresAddress, 'ssl'> {
  readonly ssl?: PostgresAddress['ssl'] | undefined;
  readonly user: string;
  readonly password: string;
}

export type AskedPlace =
  | { readonly kind: 'shared' }
  | { readonly kind: 'file' }
  | ({ readonly kind: 'postgres' } & AskedDatabase);

export interface TenantPlaces {
  /**
   * Whether a database could be used: the one named, else the tenant's own. Throws `not_found`,
   * `invalid_request` and `storage_unavailable` with what is in the way.
   */
  test(actor: Principal, slug: string, asked: AskedDatabase | null): Promise<PlaceReport>;
  /**
   * Begins to move the tenant's own data there, or back, and answers at once; one that failed
   * begins again where it was. Throws `conflict` while something else is done with its data.
   */
  move(actor: Principal, slug: string, to: AskedPlace): Promise<TenantRecord>;
}

export interface TenantPlacesOptions {
  readonly repository: TenantRepository;
  readonly mover: DataMover;
  readonly jobs: Pick<TenantJobs, 'run'>;
  readonly authorize: (actor: Principal, permission: 'tenants.write') => void;
  readonly refreshSnapshot: () => Promise<void>;
  /** Hides credentials; bound to the tenant and to the address. */
  readonly seal: (
    owner: PlaceOwner,
    address: PostgresAddress,
    login: { readonly user: string; readonly password: string },
  ) => string;
  readonly allowsPort: (port: number) => boolean;
  /** Whether a literal address may be called; names are judged when they are called. */
  readonly allowsAddress: (address: string) => boolean;
  /** Files stand beside a shared file alone: other hosts would not see them. */
  readonly hasFiles: boolean;
  /** Whose data stays where it is. */
  readonly ownSlug: string;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** Every method may throw `permission_denied` and `storage_unavailable`. */
export function createTenantPlaces(options: TenantPlacesOptions): TenantPlaces {
  const { repository, mover, jobs, authorize } = options;
  return {
    async test(actor, slug, asked) {
      authorize(actor, 'tenants.write');
      const record = await find(repository, slug);
      const place = asked === null ? record.place : postgresPlace(options, record, asked);
      if (place !== null) return mover.probe(record, place);
      throw invalid('database', 'the tenant has no database of its own; name one to try');
    },
    async move(actor, slug, asked) {
      authorize(actor, 'tenants.write');
      const before = await find(repository, slug);
      if (slug === options.ownSlug) throw invalid('slug', 'the operators’ own tenant stays');
      const to = placeOf(options, before, asked);
      if (to?.kind === 'postgres') await mover.probe(before, to);
      const record = await repository.modify(slug, (found) => beginMove(options, found, to));
      await options.refreshSnapshot();
      void jobs.run(slug);
      return record ?? before;
    },
  };
}

function beginMove(
  { ids, clock }: TenantPlacesOptions,
  { job, place: from, erasedAtMs }: TenantRecord,
  to: DataPlace | null,
): { readonly job: MoveJob } {
  if (erasedAtMs !== null || (job !== null && job.endedAtMs === null)) {
    throw new GatewayError('conflict', {
      message: 'Something else is being done with the data of this tenant. Wait for its end.',
    });
  }
  if (addressOf(from) === addressOf(to)) {
    throw new GatewayError('conflict', {
      message: 'The data of this tenant lies there already.',
      field: 'to',
    });
  }
  return {
    job: {
      ...{ kind: 'move', id: ids.next('job'), step: 'preparing', from, to, rows: 0 },
      ...{ startedAtMs: clock.wallMs(), endedAtMs: null, error: null },
      ...{ owner: null, leaseUntilMs: 0 },
    },
  };
}

function placeOf(
  options: TenantPlacesOptions,
  owner: PlaceOwner,
  asked: AskedPlace,
): DataPlace | null {
  if (asked.kind === 'shared') return null;
  if (asked.kind === 'postgres') return postgresPlace(options, owner, asked);
  if (options.hasFiles) return { kind: 'file' };
  throw invalid('to', 'a file of its own stands beside SQLite alone; name a `postgres`');
}

function postgresPlace(
  { seal, allowsPort, allowsAddress }: TenantPlacesOptions,
  owner: PlaceOwner,
  { user, password, ...asked }: AskedDatabase,
): DataPlace {
  const bare = asked.host.replace(/^\[(.*)\]$/, '$1');
  const isAddress = isIP(bare) !== 0;
  const host = isAddress ? bare : hostName(asked.host);
  if (host === null || (!isAddress && asked.host.includes(':'))) {
    throw invalid('host', 'expected the name of a host, or an address');
  }
  if (isIP(host) !== 0 && !allowsAddress(host)) {
    throw invalid('host', 'this address is private or reserved, and in no range that is allowed');
  }
  if (!allowsPort(asked.port)) throw invalid('port', `port ${asked.port} is not allowed`);
  const { port, database, ssl = 'verify-full' } = asked;
  const address = { host, port, database, ssl };
  return { kind: 'postgres', ...address, sealed: seal(owner, address, { user, password }) };
}

/** Without credentials: other ones lead to the same place. */
function addressOf(place: DataPlace | null): string {
  if (place === null || place.kind === 'file') return place?.kind ?? 'shared';
  return JSON.stringify([place.host, place.port, place.database]);
}

async function find(repository: TenantRepository, slug: string): Promise<TenantRecord> {
  const record = await repository.get(slug);
  if (record !== null) return record;
  throw new GatewayError('not_found', { message: 'There is no tenant with this slug.' });
}

function invalid(field: string, why: string): GatewayError {
  return new GatewayError('invalid_request', { message: `\`${field}\`: ${why}.`, field });
}
