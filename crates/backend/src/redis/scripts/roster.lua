-- Reads the roster.  Further ARGV: the most people to list.
purge()
announce()
return list(tonumber(ARGV[4]))
