-- Notes that a replica has people in these rooms, and forgets those that no replica has named for too long.
--
-- KEYS: occupied (slug -> when a replica last named it).  ARGV: for how many milliseconds that counts, then slugs.
-- Redis' own clock: replicas may disagree about the time.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
return 1
