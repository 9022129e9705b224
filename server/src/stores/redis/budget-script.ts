/**
 * The decision over budgets as it runs inside Redis, for many exchanges at once: the twin of
 * `stores/memory/budget-store.ts`. What is kept there is told in `budget-account.ts`.
 */
import { ACCOUNT, EXCEEDED, GRANTED } from './budget-account.ts';
import { defineScript, type RedisScript } from './script.ts';

/**
 * Ends reservations, each once, then makes others, one after the other, each as if it were alone.
 *
 * KEYS: account, leases, amounts, recent of each scope. ARGV: time (-1: the server's), length of a
 * lease, life, and a text of words: how many end, how many are made; of each that ends its id,
 * its cost, the number of its scopes, and of each of these the number, its generation, when the
 * reservation was made, and `1` where the ledger has told the cost; of each that is made its id,
 * its amount, the number of its scopes, and of each the number, limit, period and `1` where the
 * limit only warns. A generation that nobody knows is `-`.
 *
 * Answers a text: the time; of each that ends, for each of its scopes, 1 (done) or 0 (the scope
 * is being loaded); of each that is made what was decided, `1` where little is left, and for
 * each of its scopes `1` where the amount is more than is left; then each scope's generation.
 */
const BUDGETS = `${ACCOUNT}
local leaseMs, life = tonumber(ARGV[2]), ARGV[3]
local next_word = string.gmatch(ARGV[4], '%S+')
local function next_number() return tonumber(next_word()) end
local places, answer = {}, { number(now) }
local function say(word) table.insert(answer, word) end

local function next_place()
  local at = next_number()
  local place = places[at]
  if not place then
    place = place_at(at * 4 - 3)
    place.recent = KEYS[at * 4]
    place.ended, place.gone, place.come, place.spent, place.reserved = {}, {}, {}, 0, 0
    place.made = {}
    places[at] = place
  end
  return place
end

local function end_one(place, id, exchange, cost, generation, made, told)
  local a = place.a
  local amount = not place.ended[id] and redis.call('HGET', place.amounts, id)
  if amount then
    place.ended[id] = true
    table.insert(place.gone, id)
    if a.g then place.reserved = place.reserved - tonumber(amount) end
  end
  if a.g and not a.stale and not told and cost ~= 0 then
    if generation ~= a.g then
      make_stale(place)
    elseif amount and made >= a.ps and redis.call('SISMEMBER', place.recent, exchange) == 0 then
      place.spent = place.spent + cost
    end
  end
  place.is_touched = a.g
end

local function end_next()
  local id, cost, scopes = next_word(), next_number(), next_number()
  local exchange = string.match(id, '^[^~]+')
  for _ = 1, scopes do
    local place = next_place()
    local generation, made, told = next_word(), next_number(), next_word() == '1'
    if place.a.loading then
      say(0)
    else
      say(1)
      end_one(place, id, exchange, cost, generation, made, told)
    end
  end
end

local function make_next()
  local id, amount, scopes = next_word(), next_word(), {}
  local matter, is_exceeded, is_tight = ${GRANTED}, false, 0
  for i = 1, next_number() do
    local place, limit, period = next_place(), next_number(), next_word()
    local is_soft = next_word() == '1'
    local a = place.a
    local one = standing(place, period, life)
    scopes[i] = { place = place, over = 0, counted = tonumber(amount) }
    if is_soft then scopes[i].counted = math.min(tonumber(amount), limit + 1) end
    if one ~= ${GRANTED} then
      if matter == ${GRANTED} then matter = one else matter = math.min(matter, one) end
    elseif a.s + a.v + tonumber(amount) > limit then
      scopes[i].over = 1
      if not is_soft then is_exceeded = true end
    end
    if a.s + 4 * (a.v + tonumber(amount)) > limit then is_tight = 1 end
    if is_soft and scopes[i].over == 1 then scopes[i].warns = true end
  end
  if matter == ${GRANTED} and is_exceeded then matter = ${EXCEEDED} end
  say(matter)
  say(is_tight)
  for _, scope in ipairs(scopes) do
    local place = scope.place
    if matter == ${EXCEEDED} and scope.warns then scope.over = 0 end
    say(scope.over)
    if matter == ${GRANTED} then
      -- Written with the sums alone: what fails before leaves nothing that counts only by half.
      if not place.made[id] and redis.call('HEXISTS', place.amounts, id) == 0 then
        place.made[id] = number(scope.counted)
        place.reserved = place.reserved + scope.counted
        place.a.v = place.a.v + scope.counted
      end
      table.insert(place.come, now + leaseMs)
      table.insert(place.come, id)
      place.is_touched = true
    end
  end
end

local function write(place)
  if #place.gone > 0 then
    redis.call('HDEL', place.amounts, unpack(place.gone))
    redis.call('ZREM', place.leases, unpack(place.gone))
  end
  for id, amount in pairs(place.made) do redis.call('HSET', place.amounts, id, amount) end
  if #place.come > 0 then redis.call('ZADD', place.leases, unpack(place.come)) end
  if place.reserved ~= 0 then
    redis.call('HINCRBY', place.account, 'v', number(place.reserved))
  end
  if place.spent ~= 0 then redis.call('HINCRBY', place.account, 's', number(place.spent)) end
  if place.is_touched then touch(place) end
end

local ending, making = next_number(), next_number()
for _ = 1, ending do end_next() end
for _, place in pairs(places) do
  write(place)
  place.a.v, place.a.s = place.a.v + place.reserved, place.a.s + place.spent
  place.gone, place.reserved, place.spent, place.is_touched = {}, 0, 0, false
end
for _ = 1, making do make_next() end
for _, place in pairs(places) do write(place) end
for at = 1, #KEYS / 4 do say(places[at].a.g or '-') end
return table.concat(answer, ' ')
`;

export function budgetScript(): RedisScript {
  return defineScript(BUDGETS);
}
