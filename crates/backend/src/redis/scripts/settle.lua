-- Replaces all connections of this replica in the room.
-- Further ARGV: the sum of their fingerprints, then person, connection, sort key, name of each.
purge()
local real = {}
for i = 5, #ARGV, 4 do
  real[replica .. '/' .. ARGV[i] .. '/' .. ARGV[i + 1]] = true
end
for _, field in ipairs(redis.call('HKEYS', connections)) do
  local of, person = string.match(field, '^([^/]*)/([^/]*)/')
  if of == replica and not real[field] then
    redis.call('HDEL', connections, field)
    depart(person)
  end
end
for i = 5, #ARGV, 4 do
  arrive(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
if next(real) then
  redis.call('HSET', digests, replica, ARGV[4])
  prolong()
else
  redis.call('HDEL', digests, replica)
  redis.call('ZREM', leases, replica)
end
announce()
return 1
