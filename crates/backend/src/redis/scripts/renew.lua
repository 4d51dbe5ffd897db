-- Prolongs the replica's lease, if it still has one, and says where the room stands.
-- ARGV, further: epoch and head that the replica has seen ('' and 0 if none), an epoch for a new life of the log.
-- Answers the epoch ('' if there is no room), the head, the version of presence, and the replica's digest ('' if
-- nobody of it is here).
if redis.call('ZSCORE', leases, replica) then
  prolong()
end
purge()
announce()
local log = redis.call('HMGET', room, 'epoch', 'head')
if log[1] and log[1] == ARGV[4] and tonumber(log[2]) < tonumber(ARGV[5]) then
  -- Redis died and came back with less than it had. The same places must not mean something else in the same epoch.
  log[1] = ARGV[6]
  redis.call('HSET', room, 'epoch', log[1])
end
return {
  log[1] or '',
  tonumber(log[2] or '0'),
  tonumber(redis.call('GET', version) or '0'),
  redis.call('HGET', digests, replica) or '',
}
