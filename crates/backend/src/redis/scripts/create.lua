-- Creates a room with an empty log, or says that its address is taken.
--
-- KEYS: room, log, ids.  ARGV: slug, title, created_at, last_at or '', epoch.
-- Answers 1 if the room is the caller's. The epoch is the caller's own, so that the same call again, after one whose
-- answer was lost, succeeds too.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch then
  return epoch == ARGV[5] and 1 or 0
end
-- Whatever is left of a room that was lost in part would be in the way of the new log.
redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'slug', ARGV[1], 'title', ARGV[2], 'created_at', ARGV[3], 'epoch', ARGV[5], 'head', 0)
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'last_at', ARGV[4])
end
return 1
