-- The beginning of every script about a room's presence.
--
-- KEYS, always: people (id -> connections, sort key, name), names (sorted for the roster), connections
-- ('replica/person/connection'), leases (replica -> expiry), digests (replica -> sum of its connections' fingerprints),
-- version (incremented with each change, so that a follower notices a missing one).
-- ARGV, always: channel, replica, its lease in milliseconds.
--
-- A script changes the presence and announces the change in one step, so all replicas receive changes in one order.
local people, names, connections, leases, digests, version = unpack(KEYS)
local channel, replica, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- Use Redis' clock, because the replicas' clocks may differ.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local changes = {}

local function change(kind, person, name)
  local next = string.format('%.0f', redis.call('INCR', version))
  local here = redis.call('HLEN', people)
  changes[#changes + 1] = kind .. ' ' .. next .. ' ' .. here .. ' ' .. person .. ' ' .. name
end

-- Must be called at the end of the script.
local function announce()
  if #changes > 0 then
    redis.call('SPUBLISH', channel, '1 presence -\n' .. table.concat(changes, '\n'))
  end
end

-- Adds a connection of a person. Returns true if it is new.
local function arrive(person, connection, key, name)
  if redis.call('HSETNX', connections, replica .. '/' .. person .. '/' .. connection, 1) == 0 then
    return false
  end
  local count, rest = string.match(redis.call('HGET', people, person) or '', '^(%d+)(\t.*)$')
  if count then
    redis.call('HSET', people, person, (count + 1) .. rest)
  else
    redis.call('HSET', people, person, '1\t' .. key .. '\t' .. name)
    redis.call('ZADD', names, 0, key .. '\t' .. person)
    change('entered', person, name)
  end
  return true
end

-- Removes one of a person's connections.
local function depart(person)
  local count, key, name = string.match(redis.call('HGET', people, person) or '', '^(%d+)\t([^\t]*)\t(.*)$')
  if not count then
    return
  end
  if count == '1' then
    redis.call('HDEL', people, person)
    redis.call('ZREM', names, key .. '\t' .. person)
    change('left', person, name)
  else
    redis.call('HSET', people, person, (count - 1) .. '\t' .. key .. '\t' .. name)
  end
end

-- Returns the count of all people, then id and name of as many as the limit allows, in order.
local function list(limit)
  local answer = { redis.call('HLEN', people) }
  if limit > 0 then
    for _, member in ipairs(redis.call('ZRANGE', names, 0, limit - 1)) do
      local person = string.match(member, '\t([^\t]*)$')
      local name = string.match(redis.call('HGET', people, person) or '', '^%d+\t[^\t]*\t(.*)$')
      if name then
        answer[#answer + 1] = person
        answer[#answer + 1] = name
      end
    end
  end
  return answer
end

local function prolong()
  redis.call('ZADD', leases, now + lease, replica)
end

-- Removes replicas whose lease has expired, and their connections.
local function purge()
  local dead = {}
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
    dead[one] = true
    redis.call('ZREM', leases, one)
    redis.call('HDEL', digests, one)
  end
  if next(dead) then
    for _, field in ipairs(redis.call('HKEYS', connections)) do
      local of, person = string.match(field, '^([^/]*)/([^/]*)/')
      if dead[of] then
        redis.call('HDEL', connections, field)
        depart(person)
      end
    end
  end
end

