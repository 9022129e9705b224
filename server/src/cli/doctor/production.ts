/**
 * What production asks beyond a configuration that is right: that is refused where its secrets
 * are weak, its origins open or its errors long, and the database where its role or its budget
 * of connections does not fit. Here is what works all the same, and should not go there.
 */
import type { Config } from '../../config/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, remark } from './finding.ts';

const CHECK = 'production';
const LOCAL = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|)$/;
const SECURE_MODES = ['require', 'verify-ca', 'verify-full'];

export function checkProduction(
  { doctor: { production: say } }: Messages,
  config: Config,
): readonly Finding[] {
  const remote = Object.values(config.providers).filter(
    ({ connection }) => 'baseUrl' in connection,
  );
  const found = [
    ...(remote.length === 0 ? [fault(CHECK, say.noVendor)] : []),
    ...(config.startup.validation ? [] : [remark(CHECK, say.unchecked)]),
    ...plainPlaces(config).map((what) => remark(CHECK, say.plain(what))),
  ];
  return found.length === 0 ? [good(CHECK, say.good)] : found;
}

/** What is spoken to over a network in plain text. */
function plainPlaces({ database, redis, providers }: Config): readonly string[] {
  const places: string[] = [];
  if (database.kind === 'postgres' && isPlainDatabase(database.url)) places.push('PostgreSQL');
  for (const endpoint of redis === null ? [] : [redis.cache, redis.state]) {
    const { place, isSecure } = endpoint;
    const isLocal = place.kind === 'standalone' && LOCAL.test(place.host);
    if (!isSecure && !isLocal && !places.includes('Redis')) places.push('Redis');
  }
  for (const { name, connection } of Object.values(providers)) {
    const url = 'baseUrl' in connection ? new URL(connection.baseUrl) : null;
    if (url?.protocol === 'http:' && !LOCAL.test(url.hostname)) places.push(name);
  }
  return places;
}

function isPlainDatabase(text: string): boolean {
  const url = new URL(text);
  const mode = url.searchParams.get('sslmode') ?? '';
  return !LOCAL.test(url.hostname) && !SECURE_MODES.includes(mode);
}
