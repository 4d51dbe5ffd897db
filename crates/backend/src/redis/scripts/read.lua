-- Reads a stretch of a room's log, and its head, atomically.
--
-- KEYS: room, log.  ARGV: 'newer' or 'older', the first seq in that direction, the most events, the most bytes. Reads a
-- little more than that many bytes; the caller drops the surplus.
-- Returns false if the room does not exist, else the epoch, the head, and the stream's entries in the order of reading.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return false
end
local head = tonumber(redis.call('HGET', KEYS[1], 'head'))
local entries = {}
local left, bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
-- '' means: from the latest on.
local from = ARGV[2] == '' and '+' or ARGV[2]
-- Always return at least one entry.
while left > 0 and (bytes > 0 or #entries == 0) do
  -- Read fewer entries at a time if few bytes are left, because events may be long.
  local count = math.min(left, math.max(8, math.min(1000, math.floor(bytes / 16384))))
  local some
  if ARGV[1] == 'newer' then
    some = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', count)
  else
    some = redis.call('XREVRANGE', KEYS[2], from, '-', 'COUNT', count)
  end
  for _, entry in ipairs(some) do
    entries[#entries + 1] = entry
    for _, part in ipairs(entry[2]) do
      bytes = bytes - #part
    end
  end
  if #some < count then
    break
  end
  left = left - count
  from = '(' .. some[#some][1]
end
return { epoch, head, entries }
