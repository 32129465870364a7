/** Saying that an instance is there, and finding those that are, by the clock of Redis. */
export const ANNOUNCE_SCRIPT = `\
-- KEYS: instances, and the key of this instance's record
-- ARGV: 1 instance, 2 its record as JSON, 3 milliseconds until it is taken for gone, 4 channel,
--       5 most instances that are kept
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if not known and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then
  return redis.error_reply('FULL ' .. KEYS[1] .. ' has as many instances as it may have')
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('PUBLISH', ARGV[4], '{"type":"instance","record":' .. ARGV[2] .. '}')
return 1
`;

export const LIST_INSTANCES_SCRIPT = `\
-- KEYS: instances
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
-- A replica refuses this, and the list is right all the same.
redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
`;
