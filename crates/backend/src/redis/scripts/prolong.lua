-- Records that a session was used. A session that has ended stays ended.
--
-- KEYS: session.  ARGV: at, milliseconds after which it expires unused.
local used_at = redis.call('HGET', KEYS[1], 'used_at')
if not used_at then
  return 0
end
if tonumber(used_at) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'used_at', ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
