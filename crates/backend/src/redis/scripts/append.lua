-- Stores messages of one author, each once and each with the next seq, and rings the room's doorbell.
--
-- KEYS: room, log, ids.  ARGV: channel, epoch and head that the caller has seen ('' and 0 if none), an epoch for a new
-- life of the log, author's id, author, at, then client_id and body of each message.
-- Author and bodies are JSON that is kept as it came. Answers nothing if there is no room, else the epoch, how many
-- messages were new, and the seq of each.
--
-- All or none: Redis refuses for want of memory only before the first write.
local room, log, ids = KEYS[1], KEYS[2], KEYS[3]
local channel, author_id, author, at = ARGV[1], ARGV[5], ARGV[6], ARGV[7]

local epoch = redis.call('HGET', room, 'epoch')
if not epoch then
  return false
end
local head = tonumber(redis.call('HGET', room, 'head'))
if epoch == ARGV[2] and head < tonumber(ARGV[3]) then
  -- Redis died and came back with less than it had. The same places must not mean something else in the same epoch.
  epoch = ARGV[4]
  redis.call('HSET', room, 'epoch', epoch)
end
local answer = { epoch, 0 }
local news = {}
for i = 8, #ARGV, 2 do
  local name = author_id .. ' ' .. ARGV[i]
  local seq = tonumber(redis.call('HGET', ids, name))
  if not seq then
    head = head + 1
    seq = head
    -- Lua writes large numbers with an exponent unless it is told not to.
    local digits = string.format('%.0f', seq)
    redis.call('HSET', ids, name, digits)
    redis.call('XADD', log, digits .. '-0', 'at', at, 'author', author, 'body', ARGV[i + 1])
    news[#news + 1] = digits .. ' ' .. ARGV[i + 1]
  end
  answer[#answer + 1] = seq
end
if #news > 0 then
  redis.call('HSET', room, 'head', string.format('%.0f', head), 'last_at', at)
  -- JSON holds no line ends, so that lines are enough to tell the parts from one another.
  redis.call('SPUBLISH', channel, 'events ' .. epoch .. ' ' .. at .. '\n' .. author .. '\n' .. table.concat(news, '\n'))
end
answer[2] = #news
return answer
