-- A stretch of a room's log and where the log stands, in one view.
--
-- KEYS: room, log.  ARGV: 'newer' or 'older', the first seq in that direction, how many.
-- Answers nothing if there is no room, else the epoch, the head, and the stream's entries in the direction read.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return false
end
local head = tonumber(redis.call('HGET', KEYS[1], 'head'))
local entries = {}
if ARGV[3] ~= '0' then
  if ARGV[1] == 'newer' then
    entries = redis.call('XRANGE', KEYS[2], ARGV[2], '+', 'COUNT', ARGV[3])
  else
    -- Absent: from the latest on.
    local from = ARGV[2] == '' and '+' or ARGV[2]
    entries = redis.call('XREVRANGE', KEYS[2], from, '-', 'COUNT', ARGV[3])
  end
end
return { epoch, head, entries }
