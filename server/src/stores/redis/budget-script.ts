/**
 * Budgets as they are decided and booked inside Redis, in whole nano-dollars, on the server's
 * clock. Each scope has:
 *
 * - an account (hash): `g` the generation, which is the load it was made by; `e` the life of
 *   the server in which it was made; `p`, `ps` period and its start; `s` spent; `v` reserved;
 *   `l`, `lu` the load under way and its end; `stale` when it must not be relied on any more;
 * - the reservations that count: their amounts (hash) and the ends of their leases (sorted
 *   set), both by the id of the exchange;
 * - the exchanges that the load of this generation found in the ledger and that ended lately
 *   (set), so that a booking still on its way is not counted twice.
 *
 * An account that is missing, stale, of another period or of another life of the server (which
 * may have lost the last writes) is not decided upon: it is loaded.
 */
import { defineScript, type RedisScript } from './script.ts';

export const GRANTED = 0;
export const EXCEEDED = 1;
export const TO_LOAD = 2;
const LOADING = 3;

const COMMON = `
local DAY = 86400000
local KEPT = '172800000'
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function number(value) return string.format('%.0f', value) end

local function start_of(period)
  if period == 'total' then return 0 end
  local days = math.floor(now / DAY)
  if period == 'day' then return days * DAY end
  local z = days + 719468
  local doe = z - math.floor(z / 146097) * 146097
  local years = math.floor(
    (doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * years + math.floor(years / 4) - math.floor(years / 100))
  local month = math.floor((5 * doy + 2) / 153)
  return (days - (doy - math.floor((153 * month + 2) / 5))) * DAY
end

local function account(key)
  local a = redis.call('HMGET', key, 'g', 'p', 'ps', 's', 'v', 'l', 'lu', 'stale', 'e')
  return {
    g = a[1], p = a[2], ps = tonumber(a[3] or '0'), s = tonumber(a[4] or '0'),
    v = tonumber(a[5] or '0'), l = a[6], stale = a[8], e = a[9],
    loading = a[6] and tonumber(a[7]) > now
  }
end

local function touch(...)
  for _, key in ipairs({ ... }) do redis.call('PEXPIRE', key, KEPT) end
end

local function roll_over(key, leases, amounts, a, start)
  if start <= a.ps then return end
  a.ps, a.s, a.v = start, 0, 0
  redis.call('HSET', key, 'ps', number(start), 's', '0', 'v', '0')
  redis.call('DEL', leases, amounts)
end

-- The account when it may be relied on; else nil, and what is the matter.
local function standing(key, leases, amounts, period, life)
  local a = account(key)
  if a.loading then return nil, ${LOADING} end
  if not a.g or a.stale then return nil, ${TO_LOAD} end
  local start = start_of(period)
  if life ~= '' and a.e ~= life then return nil, ${TO_LOAD} end
  if a.p ~= period or start < a.ps then return nil, ${TO_LOAD} end
  roll_over(key, leases, amounts, a, start)
  if #redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 1) > 0 then
    redis.call('HSET', key, 'stale', '1')
    return nil, ${TO_LOAD}
  end
  return a
end
`;

/**
 * KEYS: account, leases, amounts of each scope. ARGV: time, exchange, length of its lease,
 * amount, life, then limit, period and `1` where the limit only warns, of each scope. Answers what
 * was decided and the time, then: granted, generation and `1` where a limit that warns is
 * passed, of each scope; exceeded, the numbers of the scopes.
 */
const RESERVE = `${COMMON}
local id, leaseMs, amount = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local accounts, waits, exceeded, reply = {}, nil, {}, {}
for i = 1, #KEYS / 3 do
  local k = i * 3 - 2
  local a, matter = standing(KEYS[k], KEYS[k + 1], KEYS[k + 2], ARGV[i * 3 + 4], ARGV[5])
  if not a then
    waits = math.min(waits or matter, matter)
  else
    accounts[i] = a
    a.over = a.s + a.v + amount > tonumber(ARGV[i * 3 + 3])
    if a.over and ARGV[i * 3 + 5] ~= '1' then table.insert(exceeded, i) end
  end
end
if waits then return { waits, now } end
if #exceeded > 0 then return { ${EXCEEDED}, now, unpack(exceeded) } end
for i, a in ipairs(accounts) do
  local k = i * 3 - 2
  if redis.call('HSETNX', KEYS[k + 2], id, ARGV[4]) == 1 then
    redis.call('HINCRBY', KEYS[k], 'v', ARGV[4])
  end
  redis.call('ZADD', KEYS[k + 1], now + leaseMs, id)
  touch(KEYS[k], KEYS[k + 1], KEYS[k + 2])
  table.insert(reply, a.g)
  table.insert(reply, a.over and 1 or 0)
end
return { ${GRANTED}, now, unpack(reply) }
`;

/** KEYS: account, leases, amounts. ARGV: time, life, period. Answers GRANTED, time and sums. */
const FIGURES = `${COMMON}
local a, matter = standing(KEYS[1], KEYS[2], KEYS[3], ARGV[3], ARGV[2])
if not a then return { matter, now } end
return { ${GRANTED}, now, number(a.s), number(a.v) }
`;

/**
 * Ends a reservation, once. KEYS: account, leases, amounts, recent of each scope. ARGV: time,
 * exchange, cost, then generation, when it was made and `1` where the ledger has told the cost,
 * of each scope. Answers for each: 1 done, 0 while the scope is loaded.
 */
const SETTLE = `${COMMON}
local id, cost = ARGV[2], ARGV[3]
local exchange = string.match(id, '^[^~]+')
local reply = {}
for i = 1, #KEYS / 4 do
  local k = i * 4 - 3
  local g, made, told = ARGV[i * 3 + 1], tonumber(ARGV[i * 3 + 2]), ARGV[i * 3 + 3] == '1'
  local a = account(KEYS[k])
  if a.loading then
    reply[i] = 0
  else
    reply[i] = 1
    local amount = redis.call('HGET', KEYS[k + 2], id)
    if amount then
      redis.call('HDEL', KEYS[k + 2], id)
      redis.call('ZREM', KEYS[k + 1], id)
      if a.g and amount ~= '0' then redis.call('HINCRBY', KEYS[k], 'v', '-' .. amount) end
    end
    if a.g and not a.stale and not told and cost ~= '0' then
      if amount then
        if made >= a.ps and redis.call('SISMEMBER', KEYS[k + 3], exchange) == 0 then
          redis.call('HINCRBY', KEYS[k], 's', cost)
        end
      elseif g ~= a.g then
        redis.call('HSET', KEYS[k], 'stale', '1')
      end
    end
    if a.g then touch(KEYS[k], KEYS[k + 1], KEYS[k + 2]) end
  end
end
return reply
`;

/**
 * Books a cost for which nothing is reserved, once. KEYS: account, leases, amounts, recent, and
 * the mark of this booking. ARGV: time, exchange, cost, how long the mark is kept, and when a
 * reservation for it was made that expired (-1: there was none).
 */
const CHARGE = `${COMMON}
local a = account(KEYS[1])
if a.loading then return { 0 } end
if not a.g or a.stale or redis.call('SISMEMBER', KEYS[4], ARGV[2]) == 1 then return { 1 } end
if not redis.call('SET', KEYS[5], '1', 'NX', 'PX', ARGV[4]) then return { 1 } end
roll_over(KEYS[1], KEYS[2], KEYS[3], a, start_of(a.p))
local made = tonumber(ARGV[5])
if made >= 0 and made < a.ps then return { 1 } end
redis.call('HINCRBY', KEYS[1], 's', ARGV[3])
return { 1 }
`;

/** Leases go on. KEYS: leases. ARGV: time, length, exchanges. */
const RENEW = `${COMMON}
for i = 3, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), ARGV[i])
end
return 1
`;

/**
 * Begins a load unless there is nothing to load or one is under way. KEYS: account, leases,
 * amounts. ARGV: time, token, length, period, life. Answers GRANTED (ready), LOADING or TO_LOAD (it
 * is ours), and the time.
 */
const BEGIN = `${COMMON}
local a, matter = standing(KEYS[1], KEYS[2], KEYS[3], ARGV[4], ARGV[5])
if a then return { ${GRANTED}, now } end
if matter == ${LOADING} then return { ${LOADING}, now } end
redis.call('HSET', KEYS[1], 'l', ARGV[2], 'lu', number(now + tonumber(ARGV[3])), 'stale', '1')
touch(KEYS[1])
return { ${TO_LOAD}, now }
`;

/**
 * A process tells what it holds. KEYS: account, leases, amounts, answers. ARGV: time, token,
 * length of leases, name of the process (empty: more is to come), then exchanges and amounts.
 */
const ANSWER = `${COMMON}
local a = account(KEYS[1])
if not a.loading or a.l ~= ARGV[2] then return 0 end
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[i])
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[4], ARGV[4], ARGV[2])
  redis.call('PEXPIRE', KEYS[4], 60000)
end
return 1
`;

/** KEYS: account, recent. ARGV: time, token, `1` to begin anew, how long they are kept, ids. */
const RECENT = `${COMMON}
local a = account(KEYS[1])
if not a.loading or a.l ~= ARGV[2] then return 0 end
if ARGV[3] == '1' then redis.call('DEL', KEYS[2]) end
if #ARGV > 4 then
  redis.call('SADD', KEYS[2], unpack(ARGV, 5))
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return 1
`;

/**
 * Ends a load. KEYS: account, leases, amounts, answers. ARGV: time, token, and of a load that
 * succeeded period, start, sum and life. Answers 1 when the account is ready.
 */
const FINISH = `${COMMON}
local a = account(KEYS[1])
if a.l ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'l', 'lu')
redis.call('DEL', KEYS[4])
if #ARGV < 6 or not a.loading then return 0 end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[3], id)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local reserved = 0
for _, amount in ipairs(redis.call('HVALS', KEYS[3])) do reserved = reserved + tonumber(amount) end
redis.call('HSET', KEYS[1], 'g', ARGV[2], 'p', ARGV[3], 'ps', ARGV[4], 's', ARGV[5],
  'v', number(reserved), 'e', ARGV[6])
redis.call('HDEL', KEYS[1], 'stale')
touch(KEYS[1], KEYS[2], KEYS[3])
return 1
`;

export interface BudgetScripts {
  readonly reserve: RedisScript;
  readonly figures: RedisScript;
  readonly settle: RedisScript;
  readonly charge: RedisScript;
  readonly renew: RedisScript;
  readonly begin: RedisScript;
  readonly answer: RedisScript;
  readonly recent: RedisScript;
  readonly finish: RedisScript;
}

export function budgetScripts(): BudgetScripts {
  return {
    reserve: defineScript(RESERVE),
    figures: defineScript(FIGURES),
    settle: defineScript(SETTLE),
    charge: defineScript(CHARGE),
    renew: defineScript(RENEW),
    begin: defineScript(BEGIN),
    answer: defineScript(ANSWER),
    recent: defineScript(RECENT),
    finish: defineScript(FINISH),
  };
}
