/**
 * Budgets as they are kept inside Redis, in whole nano-dollars, on the server's clock. Each
 * scope has:
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

import { OWN_LIFE } from './workers.ts';

export const GRANTED = 0;
export const EXCEEDED = 1;
export const TO_LOAD = 2;
export const LOADING = 3;

/** What every script on an account begins with; its first argument: time (-1: the server's). */
export const ACCOUNT = `
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

local function touch(place)
  for _, key in ipairs({ place.account, place.leases, place.amounts }) do
    redis.call('PEXPIRE', key, KEPT)
  end
end

-- A scope with its account as it stands; \`k\` is the first of its keys.
local function place_at(k)
  return { account = KEYS[k], leases = KEYS[k + 1], amounts = KEYS[k + 2], a = account(KEYS[k]) }
end

local function roll_over(place, start)
  local a = place.a
  if start <= a.ps then return end
  a.ps, a.s, a.v = start, 0, 0
  redis.call('HSET', place.account, 'ps', number(start), 's', '0', 'v', '0')
  redis.call('DEL', place.leases, place.amounts)
end

local function make_stale(place)
  redis.call('HSET', place.account, 'stale', '1')
  place.a.stale = '1'
end

-- The life as it is written down; see \`Workers.life\`.
local own_life
local function life_of(told)
  if string.sub(told, 1, 1) ~= '${OWN_LIFE}' then return told end
  own_life = own_life or string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
  return own_life .. string.sub(told, 2)
end

-- Whether what was made in one life is good in another: of the same server, and not earlier.
local function is_good_in(made, life)
  if made == life or life == '' then return true end
  local made_by, made_since = string.match(made or '', '^(%w+)%.?(%d*)$')
  local server, since = string.match(life, '^(%w+)%.?(%d*)$')
  if not made_by or made_by ~= server then return false end
  return (tonumber(made_since) or 0) >= (tonumber(since) or 0)
end

-- GRANTED where the account may be relied on; else what is the matter.
local function standing(place, period, told_life)
  local a = place.a
  if a.loading then return ${LOADING} end
  if not a.g or a.stale then return ${TO_LOAD} end
  local start = start_of(period)
  if not is_good_in(a.e, life_of(told_life)) then return ${TO_LOAD} end
  if a.p ~= period or start < a.ps then return ${TO_LOAD} end
  roll_over(place, start)
  if not place.is_live then
    if #redis.call('ZRANGEBYSCORE', place.leases, '-inf', now, 'LIMIT', 0, 1) > 0 then
      make_stale(place)
      return ${TO_LOAD}
    end
    place.is_live = true
  end
  return ${GRANTED}
end
`;
