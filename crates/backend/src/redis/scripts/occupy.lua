-- Records that a replica has people in these rooms, and forgets rooms that no replica has reported for too long.
--
-- KEYS: occupied (slug -> when a replica last reported it).  ARGV: milliseconds that a report is valid, then slugs.
-- Uses Redis' clock, because the replicas' clocks may differ.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
return 1
