/**
 * The settings of Redis: addresses that lead somewhere, one way to say where it is, and what a
 * single Redis for two purposes means.
 */
import { problemOfRedisUrl, redisConfig } from '../redis.ts';
import { type CheckInput, type Report, refuse, warn } from './report.ts';

const PLACES = ['cluster_nodes', 'sentinels', 'url'] as const;

export function checkRedis(input: CheckInput, report: Report): void {
  const { redis, cache } = input.settings;
  if (input.broken.some(([section]) => section === 'redis')) return;
  const before = report.problems.length;
  checkPlaces(input, report);
  if (report.problems.length > before) return;
  const config = redisConfig(redis);
  if (config === null) {
    if (redis.state_url !== undefined) {
      refuse(report, input, ['redis', 'state_url'], 'is set, and redis.url is not');
    }
    if (cache.backend === 'redis') {
      const message = '"redis" needs a Redis: set redis.url (REDIS_URL); accepted: auto, memory';
      refuse(report, input, ['cache', 'backend'], message);
    }
  } else if (config.state === config.cache) {
    const [place = 'host'] = PLACES.filter((name) => redis[name] !== undefined);
    const advice = 'give them one of their own with redis.state_url (REDIS_STATE_URL)';
    const risk = 'a Redis that evicts (`allkeys-lru`) may lose counters, budgets and locks';
    warn(report, input, ['redis', place], `serves cache and state alike: ${risk}; ${advice}`);
  }
}

function checkPlaces(input: CheckInput, report: Report): void {
  const { redis } = input.settings;
  const [first, second] = PLACES.filter((name) => redis[name] !== undefined);
  if (first !== undefined && second !== undefined) {
    refuse(report, input, ['redis', second], `names another place than redis.${first}: unset one`);
  }
  if (redis.sentinels !== undefined && redis.sentinel_name === undefined) {
    refuse(report, input, ['redis', 'sentinels'], 'needs redis.sentinel_name, the name they know');
  }
  for (const name of ['url', 'state_url'] as const) {
    const url = redis[name];
    const problem = url === undefined ? null : problemOfRedisUrl(url);
    if (problem !== null) {
      const accepted = 'redis://[user:password@]host[:port][/database]';
      refuse(report, input, ['redis', name], `${problem}; accepted: ${accepted}`);
    }
  }
}
