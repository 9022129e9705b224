/**
 * The decision over limits as it runs inside Redis: `stores/limit-decision.ts` in Lua, over the
 * same units, with the server's own clock. A change in one of the two belongs into the other;
 * the suite plays random arrivals through both.
 *
 * A scope has a hash (levels `r` and `t` in units of 1/60 000, as of `at`) that ends when it
 * has drained, and a sorted set of the requests that hold a place, by the end of their lease.
 */
import { defineScript, type RedisScript } from './script.ts';

/** What stands for "not limited" in a script's arguments. */
export const UNLIMITED = -1;
/** A wait that never ends, and one that nobody knows, in a script's answer. */
export const NEVER_MS = -1;
export const UNKNOWN_MS = -2;

const COMMON = `
local UNITS = 60000
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function read(key, rpm, tpm)
  if rpm < 0 and tpm < 0 then return { r = 0, t = 0, at = now } end
  local stored = redis.call('HMGET', key, 'r', 't', 'at')
  local use = {
    r = tonumber(stored[1] or '0'), t = tonumber(stored[2] or '0'), at = tonumber(stored[3] or '0')
  }
  local elapsed = now - use.at
  if elapsed > 0 then
    use.r = math.max(0, use.r - math.max(rpm, 0) * elapsed)
    use.t = math.max(0, use.t - math.max(tpm, 0) * elapsed)
    use.at = now
  end
  return use
end

local function drain(level, limit)
  if limit <= 0 then return 0 end
  return math.ceil(level / limit)
end

local function number(value) return string.format('%.0f', value) end

local function keep(key, use, rpm, tpm)
  if rpm < 0 and tpm < 0 then
    redis.call('DEL', key)
    return
  end
  if rpm < 0 then use.r = 0 end
  if tpm < 0 then use.t = 0 end
  redis.call('HSET', key, 'r', number(use.r), 't', number(use.t), 'at', number(use.at))
  redis.call('PEXPIRE', key, math.max(drain(use.r, rpm), drain(use.t, tpm)) + 1000)
end
`;

/**
 * KEYS: hash and places of each scope. ARGV: time (-1: the server's), tokens, the lease's name
 * and length, then limits of requests, tokens and concurrency of each scope.
 * Answers: number of the refusing scope (0: granted), reason, wait, and limit, remaining and
 * reset of requests and of tokens (limit -1: not limited).
 */
const TAKE = `${COMMON}
local tokens, lease, leaseMs = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local scopes = #KEYS / 2
local uses, limits = {}, {}
local worst, reason, wait = 0, '', 0

local function consider(scope, why, ms)
  local rank = ms == ${NEVER_MS} and math.huge or math.max(ms, 0)
  local before = wait == ${NEVER_MS} and math.huge or math.max(wait, 0)
  if worst == 0 or rank > before then worst, reason, wait = scope, why, ms end
end

local function wait_for(level, amount, limit)
  if limit < 0 then return 0 end
  if limit == 0 or amount > limit then return ${NEVER_MS} end
  return math.max(0, math.ceil((level + amount * UNITS - limit * UNITS) / limit))
end

for i = 1, scopes do
  local rpm, tpm = tonumber(ARGV[i * 3 + 2]), tonumber(ARGV[i * 3 + 3])
  local places = tonumber(ARGV[i * 3 + 4])
  limits[i] = { rpm = rpm, tpm = tpm, places = places }
  uses[i] = read(KEYS[i * 2 - 1], rpm, tpm)
  if places >= 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[i * 2], '-inf', now)
    if redis.call('ZCARD', KEYS[i * 2]) >= places then
      consider(i, 'concurrency', places == 0 and ${NEVER_MS} or ${UNKNOWN_MS})
    end
  end
  local forRequest = wait_for(uses[i].r, 1, rpm)
  if forRequest ~= 0 then consider(i, 'requests', forRequest) end
  local forTokens = wait_for(uses[i].t, tokens, tpm)
  if forTokens ~= 0 then consider(i, 'tokens', forTokens) end
end

if worst == 0 then
  for i = 1, scopes do
    local limit, use = limits[i], uses[i]
    if limit.rpm >= 0 then use.r = use.r + UNITS end
    if limit.tpm >= 0 then use.t = use.t + tokens * UNITS end
    keep(KEYS[i * 2 - 1], use, limit.rpm, limit.tpm)
    if limit.places >= 0 then
      redis.call('ZADD', KEYS[i * 2], now + leaseMs, lease)
      redis.call('PEXPIRE', KEYS[i * 2], leaseMs + 1000)
    end
  end
end

local function figures(level, limit)
  local remaining = math.max(0, math.floor((limit * UNITS - level) / UNITS))
  return { limit, remaining, drain(level, limit) }
end

local told = { r = nil, t = nil }
for i = 1, scopes do
  for _, kind in ipairs({ { 'r', limits[i].rpm }, { 't', limits[i].tpm } }) do
    if kind[2] >= 0 then
      local own = figures(uses[i][kind[1]], kind[2])
      local other = told[kind[1]]
      if other == nil or own[2] < other[2] then told[kind[1]] = own end
    end
  end
end
local none = { ${UNLIMITED}, 0, 0 }
local r, t = told.r or none, told.t or none
return { worst, reason, wait, r[1], r[2], r[3], t[1], t[2], t[3] }
`;

/**
 * Ends a lease, or keeps it. KEYS: hash and places of each scope. ARGV: time, the lease's name
 * and length (0: its places are given back), how many more tokens it took (may be negative),
 * then the limits of requests and tokens and whether it holds a place, of each scope.
 */
const AMEND = `${COMMON}
local lease, leaseMs, more = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for i = 1, #KEYS / 2 do
  local rpm, tpm = tonumber(ARGV[i * 3 + 2]), tonumber(ARGV[i * 3 + 3])
  if tpm >= 0 and more ~= 0 then
    local use = read(KEYS[i * 2 - 1], rpm, tpm)
    use.t = math.max(0, use.t + more * UNITS)
    keep(KEYS[i * 2 - 1], use, rpm, tpm)
  end
  if ARGV[i * 3 + 4] == '1' then
    if leaseMs == 0 then
      redis.call('ZREM', KEYS[i * 2], lease)
    else
      redis.call('ZADD', KEYS[i * 2], now + leaseMs, lease)
      redis.call('PEXPIRE', KEYS[i * 2], leaseMs + 1000)
    end
  end
end
return 1
`;

export interface LimitScripts {
  readonly take: RedisScript;
  readonly amend: RedisScript;
}

export function limitScripts(): LimitScripts {
  return { take: defineScript(TAKE), amend: defineScript(AMEND) };
}
