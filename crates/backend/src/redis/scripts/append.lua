-- Stores messages of one author, each once and with the next seq, and publishes the new ones on the room's channel.
--
-- KEYS: room, log, ids.  ARGV: channel, epoch and head that the caller has seen ('' and 0 if none), a fresh epoch,
-- author's id, author, at, then client_id and body of each message.
-- Author and bodies are JSON, stored unchanged. Returns false if the room does not exist, else the epoch, the number of
-- new messages, and the seq of each message.
--
-- Either all messages are stored or none: Redis checks its memory limit only before a script's first write.
local room, log, ids = KEYS[1], KEYS[2], KEYS[3]
local channel, author_id, author, at = ARGV[1], ARGV[5], ARGV[6], ARGV[7]

local epoch = redis.call('HGET', room, 'epoch')
if not epoch then
  return false
end
local head = tonumber(redis.call('HGET', room, 'head'))
if epoch == ARGV[2] and head < tonumber(ARGV[3]) then
  -- Redis crashed and lost the end of the log. Switch to a fresh epoch, because the lost seqs will be used again.
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
    -- By default Lua writes large numbers with an exponent.
    local digits = string.format('%.0f', seq)
    redis.call('HSET', ids, name, digits)
    redis.call('XADD', log, digits .. '-0', 'at', at, 'author', author, 'body', ARGV[i + 1])
    news[#news + 1] = digits .. ' ' .. ARGV[i + 1]
  end
  answer[#answer + 1] = seq
end
if #news > 0 then
  redis.call('HSET', room, 'head', string.format('%.0f', head), 'last_at', at)
  -- JSON contains no line ends, so lines separate the parts.
  redis.call('SPUBLISH', channel, 'events ' .. epoch .. ' ' .. at .. '\n' .. author .. '\n' .. table.concat(news, '\n'))
end
answer[2] = #news
return answer
