-- Gives a session to a person, unless it belongs to another person.
--
-- KEYS: session.  ARGV: person's id, name, at, milliseconds after which it expires unused.
-- Returns 1 if the session belongs to the person.
local owner = redis.call('HGET', KEYS[1], 'id')
if owner then
  return owner == ARGV[1] and 1 or 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2], 'created_at', ARGV[3], 'used_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
