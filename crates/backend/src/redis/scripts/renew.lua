-- Prolongs the replica's lease, if it still has one, and returns the room's state.
-- Further ARGV: epoch and head that the replica has seen ('' and 0 if none), a fresh epoch.
-- Returns the epoch ('' if the room does not exist), the head, the version of presence, and the replica's digest ('' if
-- it has no connections in the room).
if redis.call('ZSCORE', leases, replica) then
  prolong()
end
purge()
announce()
local log = redis.call('HMGET', room, 'epoch', 'head')
if log[1] and log[1] == ARGV[4] and tonumber(log[2]) < tonumber(ARGV[5]) then
  -- Redis crashed and lost the end of the log. Switch to a fresh epoch, because the lost seqs will be used again.
  log[1] = ARGV[6]
  redis.call('HSET', room, 'epoch', log[1])
end
return {
  log[1] or '',
  tonumber(log[2] or '0'),
  tonumber(redis.call('GET', version) or '0'),
  redis.call('HGET', digests, replica) or '',
}
