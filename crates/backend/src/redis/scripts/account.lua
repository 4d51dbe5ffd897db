-- Gives a session to a person, unless it is somebody else's.
--
-- KEYS: session.  ARGV: person's id, name, at, milliseconds that it lives unused.
-- Answers 1 if the session is the person's.
local whose = redis.call('HGET', KEYS[1], 'id')
if whose then
  return whose == ARGV[1] and 1 or 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2], 'created_at', ARGV[3], 'used_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
