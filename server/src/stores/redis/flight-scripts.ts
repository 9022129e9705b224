/**
 * What a shared flight is in Redis, and the scripts that touch it, each in one step.
 *
 * The *lease*, a hash: `t` is the token of the flight, every `w:<process>` a process that
 * follows; it lives as long as the leader renews it. The *log*, a stream of one token: record
 * number n has the id `n-0` and the field `d`; it outlives its flight for those who still read.
 * News of a token is published on the channel of each process that it concerns; the token
 * begins with the name of the leading process.
 */
import { defineScript } from './script.ts';

export const CHANNEL_PREFIX = 'esclusa:flights:';

/** KEYS entry lease · ARGV token lease_ms lookup process → `stored`, `lead`, or a token. */
export const ENTER = defineScript(`
if ARGV[3] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 'stored' end
if redis.call('HSETNX', KEYS[2], 't', ARGV[1]) == 1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return 'lead'
end
local token = redis.call('HGET', KEYS[2], 't')
redis.call('HSET', KEYS[2], 'w:' .. ARGV[4], 1)
redis.call('PUBLISH', '${CHANNEL_PREFIX}' .. string.match(token, '^[^.]+'), token)
return token`);

/**
 * KEYS lease log · ARGV token lease_ms keep_ms first_kept is_end, then id and record of each →
 * 1, or 0 where the flight is not this leader's any more.
 */
export const APPEND = defineScript(`
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return 0 end
for i = 6, #ARGV, 2 do redis.call('XADD', KEYS[2], ARGV[i], 'd', ARGV[i + 1]) end
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local process = string.match(field, '^w:(.+)$')
  if process then redis.call('PUBLISH', '${CHANNEL_PREFIX}' .. process, ARGV[1]) end
end
if ARGV[5] == '1' then redis.call('DEL', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`);

/**
 * KEYS lease log · ARGV token lease_ms keep_ms → how many follow; -1 where it is not this
 * leader's. What was written lives as long as its flight, however long that is silent.
 */
export const RENEW = defineScript(`
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return redis.call('HLEN', KEYS[1]) - 1`);

/**
 * KEYS lease · ARGV token [process] → 0 where somebody follows, but for that process, else 1 and
 * the flight is over.
 */
export const RELEASE = defineScript(`
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return 1 end
if ARGV[2] then redis.call('HDEL', KEYS[1], 'w:' .. ARGV[2]) end
if redis.call('HLEN', KEYS[1]) > 1 then return 0 end
redis.call('DEL', KEYS[1])
return 1`);

/** KEYS lease log · ARGV token last_id → the records behind it, and 1 while it is led. */
export const READ = defineScript(`
local records = redis.call('XRANGE', KEYS[2], '(' .. ARGV[2], '+')
return {records, redis.call('HGET', KEYS[1], 't') == ARGV[1] and 1 or 0}`);

/** KEYS lease · ARGV token process → how many follow still. */
export const LEAVE = defineScript(`
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'w:' .. ARGV[2])
redis.call('PUBLISH', '${CHANNEL_PREFIX}' .. string.match(ARGV[1], '^[^.]+'), ARGV[1])
return redis.call('HLEN', KEYS[1]) - 1`);
