/**
 * How a database is reached for a backup: by the driver, for what we ask ourselves, and by
 * PostgreSQL's own clients, with the same address, role and trust.
 *
 * The sessions of both see the rows of every tenant (`esclusa.tenant`), as migrations do.
 */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import type pg from 'pg';
import type { DatabaseLogin, PostgresAddress } from '../../tenancy/ports/data-place.ts';
import { clientConfig, connect } from '../engines/postgres/client.ts';
import { type DialGuard, guardedStream } from '../engines/postgres/guarded-socket.ts';
import { BackupError } from './failure.ts';

export interface PostgresTarget {
  readonly url: string;
  /** Which addresses may be called, for a database that a tenant named; null: any. */
  readonly guard: DialGuard | null;
}

/** Copies take as long as they take; locks of others are not waited for forever. */
const LIMITS = { statementMs: 0, lockMs: 30_000, silenceMs: 0, connectMs: 10_000 };
const EVERY_TENANT = '-c esclusa.tenant=*';
const CONNECT_SECONDS = '10';
/** What the machine trusts; the clients of PostgreSQL do not look there by themselves. */
const TRUSTED = [
  ...['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'],
  '/etc/ssl/cert.pem',
];

/** Throws `backup_unreachable`. */
export async function openSession({ url, guard }: PostgresTarget): Promise<pg.Client> {
  const config = { ...clientConfig(url, 'backup', LIMITS), options: EVERY_TENANT };
  try {
    return await connect({ ...config, ...(guard !== null && { stream: guardedStream(guard) }) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupError('backup_unreachable', { where: placeOf(url), why }, error);
  }
}

/** Where a database is, without who may use it. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url.replace(/^postgres\w*(\+\w+)?:/, 'http:'));
  return `${searchParams.get('host') ?? host}${pathname}`;
}

/** The address of a tenant's own database with its login. */
export function urlOfPlace(address: PostgresAddress, login: DatabaseLogin): string {
  const { host, port, database, ssl } = address;
  const encoded = encodeURIComponent;
  const who = `${encoded(login.user)}:${encoded(login.password)}`;
  const where = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const compatible = ssl === 'require' ? 'uselibpqcompat=true&' : '';
  return `postgresql://${who}@${where}/${encoded(database)}?${compatible}sslmode=${ssl}`;
}

/** All that a client of PostgreSQL is told; nothing else of our environment reaches it. */
export async function clientEnvironment(
  { url, guard }: PostgresTarget,
  searchPath: string,
): Promise<Readonly<Record<string, string>>> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(
    url.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:'),
  );
  const host = searchParams.get('host') ?? hostname.replace(/^\[|\]$/g, '');
  const address = guard === null ? null : await judgedAddress(host, guard);
  return {
    PATH: searchPath,
    LC_ALL: 'C',
    PGHOST: decodeURIComponent(host),
    ...(address !== null && { PGHOSTADDR: address }),
    PGPORT: port === '' ? '5432' : port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGAPPNAME: 'esclusa backup',
    PGCLIENTENCODING: 'UTF8',
    PGCONNECT_TIMEOUT: CONNECT_SECONDS,
    PGOPTIONS: EVERY_TENANT,
    ...tlsOf(searchParams),
  };
}

/** The driver checks certificates where it uses TLS, unless it was told to be like libpq. */
function tlsOf(parameters: URLSearchParams): Readonly<Record<string, string>> {
  const isLibpq = parameters.get('uselibpqcompat') === 'true';
  const said = parameters.get('sslmode') ?? 'disable';
  const asLibpq = said === 'no-verify' ? 'require' : said;
  const isChecked = !isLibpq && ['prefer', 'require', 'verify-ca', 'verify-full'].includes(said);
  const mode = isChecked ? 'verify-full' : asLibpq;
  const root = parameters.get('sslrootcert') ?? TRUSTED.find((path) => existsSync(path));
  const certificate = parameters.get('sslcert');
  const key = parameters.get('sslkey');
  return {
    PGSSLMODE: mode,
    ...(mode.startsWith('verify') && root !== undefined && { PGSSLROOTCERT: root }),
    ...(certificate !== null && { PGSSLCERT: certificate }),
    ...(key !== null && { PGSSLKEY: key }),
  };
}

/** The clients resolve names themselves; so the address that was judged is given to them. */
function judgedAddress(host: string, guard: DialGuard): Promise<string> {
  const refused = () => new BackupError('backup_no_source', { why: `${host} is not allowed` });
  if (isIP(host) !== 0) {
    return guard.allows(host) ? Promise.resolve(host) : Promise.reject(refused());
  }
  return new Promise((resolve, reject) => {
    guard.lookup(host, {}, (error, answer) => {
      const first = Array.isArray(answer) ? answer[0]?.address : answer;
      if (error !== null || first === undefined) reject(refused());
      else resolve(first);
    });
  });
}
