/**
 * What is done to the account of one budget besides deciding (`budget-script.ts`): told, charged,
 * kept, and loaded from the ledger.
 */
import { ACCOUNT, GRANTED, LOADING, TO_LOAD } from './budget-account.ts';
import { defineScript, type RedisScript } from './script.ts';

/**
 * KEYS: account, leases, amounts. ARGV: time, life, period. Answers what is the matter, the time,
 * and the sums.
 */
const FIGURES = `${ACCOUNT}
local place = place_at(1)
local matter = standing(place, ARGV[3], ARGV[2])
if matter ~= ${GRANTED} then return { matter, now } end
return { ${GRANTED}, now, number(place.a.s), number(place.a.v) }
`;

/**
 * Books a cost for which nothing is reserved, once. KEYS: account, leases, amounts, recent, and
 * the mark of this booking. ARGV: time, exchange, cost, how long the mark is kept, and when a
 * reservation for it was made that expired (-1: there was none).
 */
const CHARGE = `${ACCOUNT}
local place = place_at(1)
local a = place.a
if a.loading then return { 0 } end
if not a.g or a.stale or redis.call('SISMEMBER', KEYS[4], ARGV[2]) == 1 then return { 1 } end
if not redis.call('SET', KEYS[5], '1', 'NX', 'PX', ARGV[4]) then return { 1 } end
roll_over(place, start_of(a.p))
local made = tonumber(ARGV[5])
if made >= 0 and made < a.ps then return { 1 } end
redis.call('HINCRBY', KEYS[1], 's', ARGV[3])
return { 1 }
`;

/** Leases go on. KEYS: leases. ARGV: time, length, exchanges. Answers those it does not know. */
const RENEW = `${ACCOUNT}
local unknown = {}
for i = 3, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), ARGV[i])
  else
    table.insert(unknown, ARGV[i])
  end
end
return unknown
`;

/**
 * Relies no more on an account that lacks a reservation of its period. KEYS: account, leases.
 * ARGV: time, then exchanges and when their reservations were made.
 */
const DOUBT = `${ACCOUNT}
local place = { account = KEYS[1], a = account(KEYS[1]) }
local a = place.a
if not a.g or a.loading then return 0 end
for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) >= a.ps and not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    make_stale(place)
    return 1
  end
end
return 0
`;

/**
 * Begins a load unless there is nothing to load or one is under way. KEYS: account, leases,
 * amounts. ARGV: time, token, length, period, life. Answers GRANTED (ready), LOADING or TO_LOAD (it
 * is ours), the time and the life.
 */
const BEGIN = `${ACCOUNT}
local place = place_at(1)
local matter = standing(place, ARGV[4], ARGV[5])
if matter == ${GRANTED} then return { ${GRANTED}, now } end
if matter == ${LOADING} then return { ${LOADING}, now } end
redis.call('HSET', KEYS[1], 'l', ARGV[2], 'lu', number(now + tonumber(ARGV[3])), 'stale', '1')
redis.call('PEXPIRE', KEYS[1], KEPT)
return { ${TO_LOAD}, now, life_of(ARGV[5]) }
`;

/**
 * A process tells what it holds. KEYS: account, leases, amounts, answers. ARGV: time, token,
 * length of leases, name of the process (empty: more is to come), then exchanges and amounts.
 * Answers 0 where it comes too late; an account that was made without it is not relied on.
 */
const ANSWER = `${ACCOUNT}
local place = place_at(1)
local a = place.a
if not a.loading or a.l ~= ARGV[2] then
  if a.g == ARGV[2] then make_stale(place) end
  return 0
end
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
const RECENT = `${ACCOUNT}
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
const FINISH = `${ACCOUNT}
local a = account(KEYS[1])
if a.g == ARGV[2] and not a.stale then return 1 end -- told once more
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
touch(place_at(1))
return 1
`;

export interface AccountScripts {
  readonly figures: RedisScript;
  readonly charge: RedisScript;
  readonly renew: RedisScript;
  readonly doubt: RedisScript;
  readonly begin: RedisScript;
  readonly answer: RedisScript;
  readonly recent: RedisScript;
  readonly finish: RedisScript;
}

export function accountScripts(): AccountScripts {
  return {
    figures: defineScript(FIGURES),
    charge: defineScript(CHARGE),
    renew: defineScript(RENEW),
    doubt: defineScript(DOUBT),
    begin: defineScript(BEGIN),
    answer: defineScript(ANSWER),
    recent: defineScript(RECENT),
    finish: defineScript(FINISH),
  };
}
