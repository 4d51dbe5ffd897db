-- Prolongs the replica's lease, if it still has one. Returns the version of presence, and the replica's digest ('' if it
-- has no connections in the room).
if redis.call('ZSCORE', leases, replica) then
  prolong()
end
purge()
announce()
return {
  tonumber(redis.call('GET', version) or '0'),
  redis.call('HGET', digests, replica) or '',
}
