-- Creates a room with an empty log, unless its address is taken.
--
-- KEYS: room, log, ids.  ARGV: slug, title, created_at, last_at or '', epoch.
-- Returns 1 if the caller created the room. The caller's epoch identifies it, so repeating a call whose answer was lost
-- succeeds too.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch then
  return epoch == ARGV[5] and 1 or 0
end
-- Remove what is left of a room that was partly lost.
redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'slug', ARGV[1], 'title', ARGV[2], 'created_at', ARGV[3], 'epoch', ARGV[5], 'head', 0)
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'last_at', ARGV[4])
end
return 1
