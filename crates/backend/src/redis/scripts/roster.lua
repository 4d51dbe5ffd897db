-- Reads the roster.  Further ARGV: the most people to list.
-- Returns the count of all people, then id and name of each person listed, in order.
purge()
announce()
local answer = { redis.call('HLEN', people) }
local limit = tonumber(ARGV[4])
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
