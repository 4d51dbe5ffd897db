-- Prolongs the replica's lease, if it still has one, and says where the room stands.
-- Answers the epoch ('' if there is no room), the head, the version of presence, and the replica's digest ('' if
-- nobody of it is here).
if redis.call('ZSCORE', leases, replica) then
  prolong()
end
purge()
announce()
local log = redis.call('HMGET', room, 'epoch', 'head')
return {
  log[1] or '',
  tonumber(log[2] or '0'),
  tonumber(redis.call('GET', version) or '0'),
  redis.call('HGET', digests, replica) or '',
}
