/**
 * From an address to a client of the library: standalone, Sentinel or Cluster, with or without
 * TLS. Every default of the library that would hang a request is set here.
 *
 * 1. Nothing queues while there is no connection: a command fails at once.
 * 2. Nothing is sent twice: what was under way when a connection broke fails.
 * 3. A connection is tried again for ever, after a jittered pause that grows to a second.
 * 4. A server that says READONLY was a primary once: the connection is made anew, at most once
 *    in two seconds, to find the primary of now.
 * 5. A silent connection is given up: `LIFE_SIGN_MS` without a byte while commands wait.
 *
 * The waits of callers are shorter and not here: `client.ts`.
 */
import type { Cluster, DNSLookupFunction, Redis } from 'ioredis';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { AT_ONCE } from './script.ts';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export type RedisPlace =
  | ({ readonly kind: 'standalone' } & RedisHost)
  | {
      readonly kind: 'sentinel';
      /** Under which the sentinels know the primary. */
      readonly name: string;
      readonly sentinels: readonly RedisHost[];
      readonly sentinelPassword: string | null;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisHost[] };

export interface RedisAddress {
  readonly place: RedisPlace;
  readonly username: string | null;
  readonly password: string | null;
  /** 0 in a cluster. */
  readonly database: number;
  readonly tls: RedisTls | null;
}

export interface RedisTls {
  /** Authorities to trust, PEM; null: those of the system. */
  readonly ca: string | null;
}

/** What a connection is for: `hot` may be waited for by a request. */
export type LaneKind = 'hot' | 'background' | 'push';

export type RedisConnection = Redis | Cluster;
export type RedisLibrary = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

export interface ConnectionDeps {
  readonly library: RedisLibrary;
  readonly clock: Clock;
  readonly random: Random;
}

/** Of a whole handshake step; requests wait far shorter, by timers of their own. */
const COMMAND_MS = 1000;
const CONNECT_MS = 2000;
const LIFE_SIGN_MS = 3000;
const RETRY_FIRST_MS = 50;
const RETRY_MOST_MS = 1000;
const READONLY_PAUSE_MS = 2000;
const KEEP_ALIVE_MS = 300_000;
const REDIRECTIONS = 4;
const SHORT_PAUSE_MS = 20;

/** Opens at once and goes on trying; an `error` of it is never thrown. */
export function connect(
  deps: ConnectionDeps,
  address: RedisAddress,
  name: string,
  lane: LaneKind,
): RedisConnection {
  const { Cluster: ClusterClient, Redis: RedisClient } = deps.library;
  const { place } = address;
  if (place.kind !== 'cluster') return new RedisClient(redisOptions(deps, address, name, lane));
  const nodes = place.nodes.map(({ host, port }) => ({ host, port }));
  return new ClusterClient(nodes, clusterOptions(deps, address, name, lane));
}

export function redisOptions(
  deps: Omit<ConnectionDeps, 'library'>,
  address: RedisAddress,
  name: string,
  lane: LaneKind,
) {
  const { place } = address;
  const pause = pauses(deps.random);
  const common = { ...commonOptions(deps, address, name, lane), db: address.database };
  const queueing = { enableOfflineQueue: false, retryStrategy: pause };
  if (place.kind !== 'sentinel') {
    const host = place.kind === 'standalone' ? { host: place.host, port: place.port } : {};
    return { ...common, ...queueing, ...host };
  }
  return {
    ...common,
    ...queueing,
    sentinels: place.sentinels.map(({ host, port }) => ({ host, port })),
    name: place.name,
    ...(place.sentinelPassword === null ? {} : { sentinelPassword: place.sentinelPassword }),
    ...(address.tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls(address) }),
    sentinelRetryStrategy: pause,
    sentinelCommandTimeout: COMMAND_MS,
    failoverDetector: true,
  };
}

export function clusterOptions(
  deps: Omit<ConnectionDeps, 'library'>,
  address: RedisAddress,
  name: string,
  lane: LaneKind,
) {
  const pause = pauses(deps.random);
  return {
    enableOfflineQueue: false,
    ...pipelining(lane),
    clusterRetryStrategy: pause,
    clusterNodeRetryStrategy: pause,
    maxRedirections: REDIRECTIONS,
    retryDelayOnFailover: SHORT_PAUSE_MS,
    retryDelayOnClusterDown: SHORT_PAUSE_MS,
    retryDelayOnTryAgain: SHORT_PAUSE_MS,
    slotsRefreshTimeout: COMMAND_MS,
    // Names in certificates: addresses from the cluster are not looked up again.
    ...(address.tls === null ? {} : { dnsLookup: asGiven }),
    redisOptions: commonOptions(deps, address, name, lane),
  };
}

function commonOptions(
  { clock }: Omit<ConnectionDeps, 'library'>,
  address: RedisAddress,
  name: string,
  lane: LaneKind,
) {
  return {
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    ...(address.tls === null ? {} : { tls: tls(address) }),
    connectionName: `esclusa-${name}-${lane}`,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    socketTimeout: LIFE_SIGN_MS,
    keepAlive: KEEP_ALIVE_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    ...pipelining(lane),
    reconnectOnError: onReadonly(clock),
  };
}

/** What was gathered already need not wait another turn. */
function pipelining(lane: LaneKind) {
  return { enableAutoPipelining: lane === 'hot', autoPipeliningIgnoredCommands: [AT_ONCE] };
}

const asGiven: DNSLookupFunction = (host, done) => done(null, host);

function tls({ tls: settings }: RedisAddress): { ca?: string } {
  const ca = settings?.ca ?? null;
  return ca === null ? {} : { ca };
}

/** Half of the pause is chance, so that processes do not come back as one. */
function pauses(random: Random): (attempts: number) => number {
  return (attempts) => {
    const pauseMs = Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempts - 1, 10), RETRY_MOST_MS);
    return Math.round(pauseMs * (0.5 + random.float() / 2));
  };
}

function onReadonly(clock: Clock): (error: Error) => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    if (!message.startsWith('READONLY')) return false;
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs < READONLY_PAUSE_MS) return false;
    lastMs = nowMs;
    return true;
  };
}
