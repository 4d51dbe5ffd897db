-- Removes a connection of a person.  Further ARGV: person, connection, fingerprint.
purge()
if redis.call('HDEL', connections, replica .. '/' .. ARGV[4] .. '/' .. ARGV[5]) == 1 then
  depart(ARGV[4])
  if redis.call('HINCRBY', digests, replica, '-' .. ARGV[6]) <= 0 then
    redis.call('HDEL', digests, replica)
    redis.call('ZREM', leases, replica)
  end
end
announce()
return 1
