/** Storing what consoles found out about destinations, by the clock of Redis. */
export const HEALTH_SCRIPT = `\
-- KEYS: health
-- ARGV: 1 channel, 2 most destinations that are kept
--       then of each report: cluster, destination, healthy ('true' or 'false'), sequence,
--       milliseconds that it holds, reason ('' for none)
local MAX_COUNT = 9007199254740991
local key = KEYS[1]
local found = redis.call('TYPE', key).ok
if found ~= 'hash' and found ~= 'none' then
  return redis.error_reply('UNREADABLE ' .. key .. ' is a ' .. found .. ' and should be a hash')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function read(text)
  local is_json, entry = pcall(cjson.decode, text)
  if is_json and type(entry) == 'table' and type(entry.sequence) == 'number'
    and type(entry.expiresAtMs) == 'number' and entry.expiresAtMs > now then
    return entry
  end
end

local function remove_expired(pairs_of_entries)
  local removed = 0
  for at = 1, #pairs_of_entries, 2 do
    if not read(pairs_of_entries[at + 1]) then
      removed = removed + redis.call('HDEL', key, pairs_of_entries[at])
    end
  end
  return removed
end

local function count_of(text)
  return text:find('^%d+$') and #text <= 16 and tonumber(text) <= MAX_COUNT and tonumber(text)
end

if (#ARGV - 2) % 6 ~= 0 or not count_of(ARGV[2]) then
  return redis.error_reply('MALFORMED the arguments are not those of this script')
end
for at = 3, #ARGV, 6 do
  if ARGV[at] == '' or ARGV[at + 1] == '' or (ARGV[at + 2] ~= 'true' and ARGV[at + 2] ~= 'false')
    or not count_of(ARGV[at + 3]) or not count_of(ARGV[at + 4]) then
    return redis.error_reply('MALFORMED report ' .. ((at - 3) / 6) .. ' is not valid')
  end
end

-- As Redis does with its own keys: a few at random, and again while many of them have expired.
for _ = 1, 10 do
  local sample = redis.call('HRANDFIELD', key, 20, 'WITHVALUES')
  if remove_expired(sample) * 8 < #sample or #sample == 0 then break end
end
if redis.call('HLEN', key) + (#ARGV - 2) / 6 > tonumber(ARGV[2]) then
  remove_expired(redis.call('HGETALL', key))
  if redis.call('HLEN', key) + (#ARGV - 2) / 6 > tonumber(ARGV[2]) then
    return redis.error_reply('FULL ' .. key .. ' has as many destinations as it may have')
  end
end

local told = {}
for at = 3, #ARGV, 6 do
  local cluster, destination, healthy = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local sequence, ttl, reason = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local field = cluster .. '/' .. destination
  local before = read(redis.call('HGET', key, field) or '')
  if not before or before.sequence < tonumber(sequence) then
    local rest = ',"sequence":' .. sequence
    local why = reason == '' and '' or ',"reason":' .. cjson.encode(reason)
    redis.call('HSET', key, field, '{"healthy":' .. healthy .. rest .. ',"expiresAtMs":'
      .. string.format('%.0f', now + tonumber(ttl)) .. why .. '}')
    told[#told + 1] = '{"cluster":' .. cjson.encode(cluster) .. ',"destination":' .. cjson.encode(destination)
      .. ',"healthy":' .. healthy .. rest .. ',"ttlMs":' .. ttl .. why .. '}'
  end
end
if #told > 0 then
  redis.call('PUBLISH', ARGV[1], '{"type":"health","reports":[' .. table.concat(told, ',') .. ']}')
end
return #told
`;
