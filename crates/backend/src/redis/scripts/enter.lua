-- Adds a connection of a person, and reads the roster.
-- Further ARGV: person, connection, fingerprint, sort key, name, the most people to list.
purge()
if arrive(ARGV[4], ARGV[5], ARGV[7], ARGV[8]) then
  redis.call('HINCRBY', digests, replica, ARGV[6])
end
prolong()
announce()
return list(tonumber(ARGV[9]))
