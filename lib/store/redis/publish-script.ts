/**
 * Publishing a change is this one script: Redis runs it as a whole or not at all. Everything that could
 * fail is looked at before the first write, and that first write is one which Redis refuses where it is
 * a replica, out of memory or cannot save. (Redis before 7 cannot tell what a user may do: one with only some
 * of the rights could leave half a change there.) Values go from the arguments to the hashes and into the log as
 * the texts that they are: a JSON library of Lua would lose empty arrays and digits of numbers.
 */
import { KINDS } from '../../core/config/model.ts';

export const PUBLISH_SCRIPT = `\
-- KEYS: head, log, then one hash a kind
-- ARGV: 1 expected revision (0: an empty store), or revision:id, '' for any
--       2 the new revision is greater than this
--       3 id, 4 time, 5 actor and 6 message of the change
--       7 epoch, used where a history begins
--       8 number of changes, and 9 bytes, that the log keeps
--      10 longest text of operations in a message
--      11 channel
--      then of each operation: kind, id, and the value as JSON, '' to delete
local KINDS = {${KINDS.map((kind) => `'${kind}'`).join(', ')}}
local FIRST = 12
local MAX_REVISION = 9007199254740990
local MAX_LOGGED_BYTES = 268435456
local BATCH = 1000
local head_key, log_key, channel = KEYS[1], KEYS[2], ARGV[11]

local function refuse(code, text)
  return redis.error_reply(code .. ' ' .. text)
end

-- A whole number up to MAX_REVISION, or nil.
local function count_of(text)
  if text and #text <= 16 and text:find('^%d+$') and tonumber(text) <= MAX_REVISION then
    return tonumber(text)
  end
end

-- 1. Are the keys what they should be?
for index, key in ipairs(KEYS) do
  local wanted = index == 2 and 'stream' or 'hash'
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then
    return refuse('UNREADABLE', key .. ' is a ' .. found .. ' and should be a ' .. wanted)
  end
end

-- 2. Where does the store stand?
local head = redis.call('HMGET', head_key, 'epoch', 'revision', 'id', 'logBytes')
local epoch, parent, current = head[1], head[3], 0
local begins = not (head[1] or head[2] or head[3])
if begins then
  epoch, parent = ARGV[7], ''
else
  current = count_of(head[2])
  if not epoch or epoch == '' or not parent or parent == '' or not current or current == 0 then
    return refuse('UNREADABLE', head_key .. ' has no valid epoch, revision or id')
  end
end
local wanted_revision, wanted_id = ARGV[1]:match('^(%d+):?(.*)$')
local is_other = count_of(wanted_revision) ~= current or (wanted_id ~= '' and wanted_id ~= parent)
if ARGV[1] ~= '' and is_other then
  return {'conflict', current}
end
local floor, max_length, max_bytes = count_of(ARGV[2]), count_of(ARGV[8]), count_of(ARGV[9])
local max_message = count_of(ARGV[10])
if #KEYS ~= 2 + #KINDS or (#ARGV - FIRST + 1) % 3 ~= 0 or not floor or not max_length or not max_bytes
  or not max_message or ARGV[3] == '' or ARGV[4] == '' or ARGV[7] == '' then
  return refuse('MALFORMED', 'the keys or arguments are not those of this script')
end
local revision = math.max(current, floor) + 1
if revision > MAX_REVISION then
  return refuse('MALFORMED', 'the revision cannot count any further')
end

-- 3. What is asked for? Of several operations on one entry the last decides.
local hashes, touched, final, put_text, delete_text = {}, {}, {}, {}, {}
for index, kind in ipairs(KINDS) do
  hashes[kind], touched[kind], final[kind] = KEYS[2 + index], {}, {}
  put_text[kind] = ',{"op":"put","kind":"' .. kind .. '","id":"'
  delete_text[kind] = ',{"op":"delete","kind":"' .. kind .. '","id":'
end

-- Pieces of text are put together once, at the end: Lua would keep every text on the way there.
local function add_put(pieces, kind, id, value)
  local count = pieces.count
  pieces[count + 1], pieces[count + 2], pieces[count + 3] = put_text[kind], id, '","value":'
  pieces[count + 4], pieces[count + 5] = value, '}'
  pieces.count = count + 5
end

local function add_delete(pieces, kind, id)
  local count = pieces.count
  pieces[count + 1], pieces[count + 2], pieces[count + 3] = delete_text[kind], cjson.encode(id), '}'
  pieces.count = count + 3
end

local function list_of(pieces)
  if pieces.count == 0 then return '[]' end
  pieces[1], pieces[pieces.count + 1] = '[' .. pieces[1]:sub(2), ']'
  return table.concat(pieces, '', 1, pieces.count + 1)
end

-- Certificates have host names for ids, also wildcards.
local function is_valid_id(kind, id)
  if kind == 'certificate' then
    local name = id:gsub('^%*%.', '')
    return #name <= 251 and name:find('^[a-z0-9][a-z0-9.-]*$')
  end
  return #id <= 128 and id:find('^%w[%w._-]*$')
end

-- True for what begins and ends as the text of an object does.
local function looks_like_object(value)
  return (value:byte(1) == 123 or value:find('^%s*{')) and (value:byte(-1) == 125 or value:find('}%s*$'))
end

local pieces = {count = 0}
for at = FIRST, #ARGV, 3 do
  local kind, id, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local problem
  if not hashes[kind] then
    problem = 'there is no kind ' .. kind
  elseif value == '' then
    add_delete(pieces, kind, id)
  elseif not is_valid_id(kind, id) then
    problem = 'the id is not valid'
  elseif not looks_like_object(value) or not pcall(cjson.decode, value) then
    problem = 'the value is not the JSON text of an object'
  else
    add_put(pieces, kind, id, value)
  end
  if problem then
    return refuse('MALFORMED', 'operation ' .. (at - FIRST) / 3 .. ': ' .. problem)
  end
  if final[kind][id] == nil then
    table.insert(touched[kind], id)
  end
  final[kind][id] = value
end
local ops = list_of(pieces)

-- 4. What undoes it? In an order in which no route is ever without what it names.
local deletes = {}
pieces = {count = 0}
for index, kind in ipairs(KINDS) do
  local ids = touched[kind]
  deletes[index] = {count = 0}
  for first = 1, #ids, BATCH do
    local last = math.min(first + BATCH - 1, #ids)
    local before = redis.call('HMGET', hashes[kind], unpack(ids, first, last))
    for position = first, last do
      local id, value = ids[position], not begins and before[position - first + 1]
      if is_valid_id(kind, id) then
        if value and looks_like_object(value) then
          add_put(pieces, kind, id, value)
        else
          add_delete(deletes[index], kind, id)
        end
      end
    end
  end
end
for index = #KINDS, 1, -1 do
  for at = 1, deletes[index].count do
    pieces[pieces.count + at] = deletes[index][at]
  end
  pieces.count = pieces.count + deletes[index].count
end
local undo = list_of(pieces)
local size = #ops + #undo + #ARGV[5] + #ARGV[6]
if size > MAX_LOGGED_BYTES then
  return refuse('MALFORMED', 'the change is too large for the log: split it')
end

-- 5. A log that belongs to another history, or is ahead of the head, cannot be continued.
-- XINFO would tell more, but brings the oldest change along: often the whole configuration.
local revision_text = string.format('%.0f', revision)
local has_log = redis.call('TYPE', log_key).ok == 'stream'
if has_log and not begins and redis.call('XRANGE', log_key, revision_text .. '-0', '+', 'COUNT', 1)[1] then
  has_log = false
end
local bytes, length = tonumber(head[4] or '') or 0, 0
if has_log then length = redis.call('XLEN', log_key) end

-- 6. May the user do all of it? Redis 6.2 cannot tell.
if redis.acl_check_cmd then
  local needed = {
    {'HSET', head_key, 'f', 'v'}, {'HDEL', hashes[KINDS[1]], 'f'}, {'UNLINK', log_key},
    {'XADD', log_key, '1-0', 'f', 'v'}, {'XDEL', log_key, '1-0'}, {'PUBLISH', channel, ''},
  }
  for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
      return refuse('NOPERM', 'the user may not run ' .. command[1] .. ' on ' .. command[2])
    end
  end
end

-- 7. From here on everything is written. The first write is one that takes memory.
redis.call('HSET', head_key, 'epoch', epoch, 'revision', revision_text, 'id', ARGV[3], 'parent', parent,
  'at', ARGV[4])
if begins then
  redis.call('UNLINK', log_key, unpack(KEYS, 3))
elseif not has_log then
  redis.call('UNLINK', log_key)
end
for _, kind in ipairs(KINDS) do
  local ids = touched[kind]
  for first = 1, #ids, BATCH do
    local set, deleted = {}, {}
    for position = first, math.min(first + BATCH - 1, #ids) do
      local id = ids[position]
      if final[kind][id] == '' then
        deleted[#deleted + 1] = id
      else
        set[#set + 1] = id
        set[#set + 1] = final[kind][id]
      end
    end
    if #set > 0 then redis.call('HSET', hashes[kind], unpack(set)) end
    if #deleted > 0 then redis.call('HDEL', hashes[kind], unpack(deleted)) end
  end
end

-- 8. The log: the oldest changes make room for this one.
if begins or not has_log then
  bytes, length = 0, 0
end
while length > 0 and (length >= max_length or bytes + size > max_bytes) do
  local oldest = redis.call('XRANGE', log_key, '-', '+', 'COUNT', 1)[1]
  local fields = oldest[2]
  for at = 2, #fields, 2 do
    if fields[at - 1] ~= 'id' and fields[at - 1] ~= 'parent' and fields[at - 1] ~= 'at' then
      bytes = bytes - #fields[at]
    end
  end
  redis.call('XDEL', log_key, oldest[1])
  length = length - 1
end
if length == 0 or bytes < 0 then bytes = 0 end
local entry = {'XADD', log_key, revision_text .. '-0', 'id', ARGV[3], 'parent', parent, 'at', ARGV[4],
  'actor', ARGV[5], 'message', ARGV[6], 'ops', ops, 'undo', undo}
-- Refused where entries that were ahead have been deleted: such a log begins anew.
if type(redis.pcall(unpack(entry))) == 'table' then
  redis.call('UNLINK', log_key)
  bytes = 0
  redis.call(unpack(entry))
end
redis.call('HSET', head_key, 'logBytes', string.format('%.0f', bytes + size))

-- 9. The news, without the operations where they are many.
local news = '{"type":"change","epoch":' .. cjson.encode(epoch) .. ',"revision":' .. revision_text
  .. ',"id":' .. cjson.encode(ARGV[3]) .. ',"parent":' .. (parent == '' and 'null' or cjson.encode(parent))
  .. ',"at":' .. cjson.encode(ARGV[4]) .. ',"actor":' .. cjson.encode(ARGV[5])
if #ops <= max_message then
  news = news .. ',"ops":' .. ops
end
redis.call('PUBLISH', channel, news .. '}')
return {'written', revision, parent, epoch}
`;
