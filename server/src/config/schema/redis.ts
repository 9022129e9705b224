/**
 * The shared stores: where Redis is, in each of its forms, and how patient we are with it.
 */
import { decimal, flag, group, optionalText, whole } from './setting.ts';

const ADDRESS = /^rediss?:\/\/\S+$/;
const HOSTS = /^[\w.-]+:\d{1,5}(\s*,\s*[\w.-]+:\d{1,5})*$/;
const ANY = /^.{1,4096}$/s;

const address = 'a `redis:` or `rediss:` address';
const hosts = '`host:port`, separated by commas';

/** Of one process: hot, background and push, for each of the two stores. */
const CONNECTIONS_LEAST = 6;

export const redisGroup = group(
  { apply: 'restart', description: 'Redis or Valkey, shared by processes and hosts.' },
  {
    url: optionalText(ADDRESS, {
      ...{ env: ['REDIS_URL'], secret: true, accepts: address },
      description: 'Cached answers, and all else where `state_url` is not set.',
    }),
    state_url: optionalText(ADDRESS, {
      ...{ env: ['REDIS_STATE_URL'], secret: true, accepts: address },
      description: 'Counters, budgets and locks: a Redis that evicts nothing.',
    }),
    host: optionalText(/^[\w.:-]{1,255}$/, {
      env: ['REDIS_HOST'],
      accepts: 'an address or a host name',
      description: 'The Redis where there is no `url`.',
    }),
    port: whole(
      6379,
      { min: 1, max: 65_535 },
      {
        env: ['REDIS_PORT'],
        description: 'Its port.',
      },
    ),
    username: optionalText(/^[\x21-\x7e]{1,256}$/, {
      env: ['REDIS_USERNAME'],
      accepts: 'printable ASCII without spaces',
      description: 'The user, where the address does not name one.',
    }),
    password: optionalText(ANY, {
      ...{ env: ['REDIS_PASSWORD'], secret: true },
      description: 'The password, where the address does not hold one.',
    }),
    sentinels: optionalText(HOSTS, {
      ...{ env: ['REDIS_SENTINELS'], accepts: hosts },
      description: 'The sentinels that know the Redis, in the place of `url`.',
    }),
    sentinel_name: optionalText(/^[\w.-]{1,128}$/, {
      env: ['REDIS_SENTINEL_NAME'],
      accepts: 'letters, digits, `_`, `.` and `-`',
      description: 'The name under which the sentinels know it.',
    }),
    sentinel_password: optionalText(ANY, {
      ...{ env: ['REDIS_SENTINEL_PASSWORD'], secret: true },
      description: 'The password of the sentinels themselves.',
    }),
    cluster_nodes: optionalText(HOSTS, {
      ...{ env: ['REDIS_CLUSTER_NODES'], accepts: hosts },
      description: 'Some nodes of a Redis Cluster, in the place of `url`.',
    }),
    tls: flag(false, {
      env: ['REDIS_TLS'],
      description: 'TLS to sentinels, nodes of a cluster or `host`; `rediss:` says it in a `url`.',
    }),
    tls_ca_file: optionalText(/^[^\0]+$/, {
      env: ['REDIS_TLS_CA_FILE'],
      accepts: 'a path',
      description: 'The authorities that sign its certificate (PEM); else those of the system.',
    }),
    max_connections: whole(
      10,
      { min: CONNECTIONS_LEAST, max: 10_000 },
      {
        env: ['REDIS_MAX_CONNECTIONS'],
        description:
          'Told by `/cache/health`, not enforced: a process uses 6 to a Redis, shared by all.',
      },
    ),
    command_ms: whole(
      25,
      { min: 1, max: 1000 },
      {
        description: 'The longest a request waits for one command; for all of them, twice that.',
      },
    ),
    background_ms: whole(
      500,
      { min: 10, max: 60_000 },
      {
        description: 'The longest wait for commands that no request waits for.',
      },
    ),
    failure_threshold: whole(
      5,
      { min: 1, max: 10_000 },
      {
        description: 'Failures after which a store is left alone for a while.',
      },
    ),
    open_seconds: decimal(
      2,
      { min: 0.05, max: 3600 },
      {
        description: 'How long; then one command probes whether it is back.',
      },
    ),
  },
);
