/**
 * Where the shared stores are, read from the `redis` settings: from addresses, from host and
 * port, from sentinels or from the nodes of a cluster.
 *
 * The settings were checked before (`check/redis.ts`); the same functions say what is wrong.
 */
import type { Settings } from './schema/file.ts';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export type RedisPlace =
  | ({ readonly kind: 'standalone' } & RedisHost)
  | {
      readonly kind: 'sentinel';
      readonly name: string;
      readonly sentinels: readonly RedisHost[];
      readonly sentinelPassword: string | null;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisHost[] };

export interface RedisEndpoint {
  readonly place: RedisPlace;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly isSecure: boolean;
}

export interface RedisConfig {
  readonly cache: RedisEndpoint;
  /** The same as `cache` where there is only one. */
  readonly state: RedisEndpoint;
  readonly tlsCaFile: string | null;
  readonly maxConnections: number;
  readonly commandMs: number;
  readonly backgroundMs: number;
  readonly breaker: {
    readonly failureThreshold: number;
    readonly openMs: number;
  };
}

type RedisSettings = Settings['redis'];

const DEFAULT_PORT = 6379;
const DATABASES_MAX = 1024;
const MS_PER_SECOND = 1000;

/** null: there is no Redis. */
export function redisConfig(settings: RedisSettings): RedisConfig | null {
  const cache = mainEndpoint(settings);
  if (cache === null) return null;
  const { state_url: stateUrl } = settings;
  return {
    cache,
    state: stateUrl === undefined ? cache : endpointOfUrl(settings, stateUrl),
    tlsCaFile: settings.tls_ca_file ?? null,
    maxConnections: settings.max_connections,
    commandMs: settings.command_ms,
    backgroundMs: settings.background_ms,
    breaker: {
      failureThreshold: settings.failure_threshold,
      openMs: settings.open_seconds * MS_PER_SECOND,
    },
  };
}

/** What is wrong with an address in words that hold no password; null: nothing. */
export function problemOfRedisUrl(text: string): string | null {
  if (!URL.canParse(text)) return 'is not an address';
  const url = new URL(text);
  if (url.hostname === '') return 'names no host';
  if (url.search !== '' || url.hash !== '') return 'has a query, which has no meaning here';
  const database = databaseOf(url);
  if (database === null) return 'must end in the host, or in the number of a database';
  return decoded(url.password) === null || decoded(url.username) === null
    ? 'has a password that is not percent-encoded'
    : null;
}

function mainEndpoint(settings: RedisSettings): RedisEndpoint | null {
  const { url, host, sentinels, cluster_nodes: nodes } = settings;
  if (nodes !== undefined) {
    return endpoint(settings, { kind: 'cluster', nodes: hostsOf(nodes) });
  }
  if (sentinels !== undefined) {
    return endpoint(settings, {
      ...{ kind: 'sentinel', name: settings.sentinel_name ?? '' },
      sentinels: hostsOf(sentinels),
      sentinelPassword: settings.sentinel_password ?? null,
    });
  }
  if (url !== undefined) return endpointOfUrl(settings, url);
  return host === undefined
    ? null
    : endpoint(settings, { kind: 'standalone', host, port: settings.port });
}

function endpoint(settings: RedisSettings, place: RedisPlace): RedisEndpoint {
  const { username = null, password = null, tls: isSecure } = settings;
  return { place, username, password, database: 0, isSecure };
}

function endpointOfUrl(settings: RedisSettings, text: string): RedisEndpoint {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  return {
    place: { kind: 'standalone', host, port },
    username: decoded(url.username) || (settings.username ?? null),
    password: decoded(url.password) || (settings.password ?? null),
    database: databaseOf(url) ?? 0,
    isSecure: url.protocol === 'rediss:',
  };
}

function databaseOf({ pathname }: URL): number | null {
  if (pathname === '' || pathname === '/') return 0;
  const digits = /^\/(\d{1,4})$/.exec(pathname)?.[1];
  const number = Number(digits);
  return digits === undefined || number >= DATABASES_MAX ? null : number;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function hostsOf(text: string): readonly RedisHost[] {
  return text.split(',').map((part) => {
    const [host = '', port = ''] = part.trim().split(':');
    return { host, port: Number(port) };
  });
}
