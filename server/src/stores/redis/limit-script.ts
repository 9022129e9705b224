/**
 * The decision over limits as it runs inside Redis: `stores/limit-decision.ts` in Lua, over the
 * same units, with the server's own clock, for many requests at once. A change in one of the two
 * belongs into the other; the suite plays random arrivals through both.
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

/** By their numbers in an answer. */
export const REASONS = [null, 'requests', 'tokens', 'concurrency'] as const;
/** Of one answer. */
export const FIGURES = 10;

/**
 * Gives back what was taken, then decides, one after the other, each as if it were alone.
 *
 * KEYS: hash and places of each scope. ARGV: time (-1: the server's), length of a lease, and a
 * text of words: how many give back, how many ask; of each that gives back its name, the length
 * its lease gets (0: its places are given back), how many more tokens it took (may be
 * negative), the number of its scopes, and of each of these the number, the limits of requests
 * and tokens, and whether it holds a place; of each that asks its name, its tokens, the
 * number of its scopes, and of each the number and the limits of requests, tokens and
 * concurrency.
 *
 * Answers a text of `FIGURES` whole numbers for each that asked: number of the refusing one of
 * its scopes (0: granted), number of the reason, wait, limit, remaining and reset of requests
 * and of tokens (limit -1: not limited), and 1 where more than a quarter of a limit is used.
 */
const LIMITS = `
local UNITS = 60000
-- What a scope owes for longer is forgotten; Redis bears no longer lives in every form.
local LIFE_MOST = 31536000000
local now, leaseMs = tonumber(ARGV[1]), tonumber(ARGV[2])
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local next_word = string.gmatch(ARGV[3], '%S+')
local function next_number() return tonumber(next_word()) end
local function number(value) return string.format('%.0f', value) end

local function drain(level, limit)
  if limit <= 0 then return 0 end
  return math.ceil(level / limit)
end

-- By the number of a scope: what it has used as of now, and who holds its places.
local uses, places = {}, {}

local function use_of(scope, rpm, tpm)
  local use = uses[scope]
  if not use then
    local stored = redis.call('HMGET', KEYS[scope * 2 - 1], 'r', 't', 'at')
    use = {
      r = tonumber(stored[1] or '0'), t = tonumber(stored[2] or '0'),
      at = tonumber(stored[3] or '0')
    }
    uses[scope] = use
  end
  local elapsed = now - use.at
  if elapsed > 0 then
    use.r = math.max(0, use.r - math.max(rpm, 0) * elapsed)
    use.t = math.max(0, use.t - math.max(tpm, 0) * elapsed)
    use.at = now
  end
  if rpm < 0 then use.r = 0 end
  if tpm < 0 then use.t = 0 end
  return use
end

local function keep(use, rpm, tpm)
  use.lifeMs = math.min(math.max(drain(use.r, rpm), drain(use.t, tpm)) + 1000, LIFE_MOST)
end

local function places_of(scope)
  local held = places[scope]
  if not held then
    redis.call('ZREMRANGEBYSCORE', KEYS[scope * 2], '-inf', now)
    held = { count = redis.call('ZCARD', KEYS[scope * 2]), new = {} }
    places[scope] = held
  end
  return held
end

local function give_back()
  local name, ms, more, scopes = next_word(), next_number(), next_number(), next_number()
  for _ = 1, scopes do
    local scope, rpm, tpm, holds = next_number(), next_number(), next_number(), next_word()
    if tpm >= 0 and more ~= 0 then
      local use = use_of(scope, rpm, tpm)
      use.t = math.max(0, use.t + more * UNITS)
      keep(use, rpm, tpm)
    end
    if holds == '1' then
      if ms == 0 then
        redis.call('ZREM', KEYS[scope * 2], name)
      else
        redis.call('ZADD', KEYS[scope * 2], now + ms, name)
        redis.call('PEXPIRE', KEYS[scope * 2], ms + 1000)
      end
    end
  end
end

local function wait_for(level, amount, limit)
  if limit < 0 then return 0 end
  if limit == 0 or amount > limit then return ${NEVER_MS} end
  return math.max(0, math.ceil((level + amount * UNITS - limit * UNITS) / limit))
end

local function tighter(told, level, limit)
  if limit < 0 then return told end
  local remaining = math.max(0, math.floor((limit * UNITS - level) / UNITS))
  if told and told[2] <= remaining then return told end
  return { limit, remaining, drain(level, limit) }
end

local NONE = { ${UNLIMITED}, 0, 0 }
local answer = {}

local function decide()
  local name, tokens, scopes = next_word(), next_number(), {}
  local worst, reason, wait = 0, 0, 0
  local function consider(at, why, ms)
    local rank = ms == ${NEVER_MS} and math.huge or math.max(ms, 0)
    local before = wait == ${NEVER_MS} and math.huge or math.max(wait, 0)
    if worst == 0 or rank > before then worst, reason, wait = at, why, ms end
  end
  for at = 1, next_number() do
    local scope = {
      id = next_number(), rpm = next_number(), tpm = next_number(), most = next_number()
    }
    scopes[at] = scope
    if scope.rpm < 0 and scope.tpm < 0 then
      scope.use = { r = 0, t = 0 }
    else
      scope.use = use_of(scope.id, scope.rpm, scope.tpm)
    end
    if scope.most >= 0 then
      scope.held = places_of(scope.id)
      if scope.held.count >= scope.most then
        consider(at, 3, scope.most == 0 and ${NEVER_MS} or ${UNKNOWN_MS})
      end
    end
    local for_request = wait_for(scope.use.r, 1, scope.rpm)
    if for_request ~= 0 then consider(at, 1, for_request) end
    local for_tokens = wait_for(scope.use.t, tokens, scope.tpm)
    if for_tokens ~= 0 then consider(at, 2, for_tokens) end
  end
  local requests, of_tokens, is_tight = nil, nil, 0
  for _, scope in ipairs(scopes) do
    local use, held = scope.use, scope.held
    if worst == 0 then
      if scope.rpm >= 0 then use.r = use.r + UNITS end
      if scope.tpm >= 0 then use.t = use.t + tokens * UNITS end
      if scope.rpm >= 0 or scope.tpm >= 0 then keep(use, scope.rpm, scope.tpm) end
      if held then
        held.count = held.count + 1
        table.insert(held.new, now + leaseMs)
        table.insert(held.new, name)
        if held.count * 4 > scope.most then is_tight = 1 end
      end
      if scope.tpm >= 0 and use.t * 4 > scope.tpm * UNITS then is_tight = 1 end
    end
    requests = tighter(requests, use.r, scope.rpm)
    of_tokens = tighter(of_tokens, use.t, scope.tpm)
  end
  for _, part in ipairs({ { worst, reason, wait }, requests or NONE, of_tokens or NONE }) do
    for _, value in ipairs(part) do table.insert(answer, number(value)) end
  end
  table.insert(answer, is_tight)
end

local giving, asking = next_number(), next_number()
for _ = 1, giving do give_back() end
for _ = 1, asking do decide() end
for scope, use in pairs(uses) do
  if use.lifeMs then
    local key = KEYS[scope * 2 - 1]
    redis.call('HSET', key, 'r', number(use.r), 't', number(use.t), 'at', number(use.at))
    redis.call('PEXPIRE', key, use.lifeMs)
  end
end
for scope, held in pairs(places) do
  if #held.new > 0 then
    redis.call('ZADD', KEYS[scope * 2], unpack(held.new))
    redis.call('PEXPIRE', KEYS[scope * 2], leaseMs + 1000)
  end
end
return table.concat(answer, ' ')
`;

export function limitScript(): RedisScript {
  return defineScript(LIMITS);
}
