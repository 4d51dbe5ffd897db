-- Counts the people in many rooms.
--
-- KEYS: people and leases of each room.
-- Returns a count for each room, or -1 if a replica's lease there has expired, so that somebody has to purge it first.
-- Uses Redis' clock, because the replicas' clocks may differ.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local counts = {}
for i = 1, #KEYS, 2 do
  if redis.call('ZCOUNT', KEYS[i + 1], '-inf', now) > 0 then
    counts[#counts + 1] = -1
  else
    counts[#counts + 1] = redis.call('HLEN', KEYS[i])
  end
end
return counts
