#!/bin/sh
# Writes nginx.conf or haproxy.cfg of this folder for other addresses to standard output:
#   render.sh nginx|haproxy LISTEN FOLDER REPLICA...
#   render.sh nginx 127.0.0.1:3000 /tmp/proxy 127.0.0.1:3001 127.0.0.1:3002 127.0.0.1:3003
# FOLDER takes nginx's process id, logs and temporary files. nginx's workers run as PROXY_USER, by default the current
# user. `make replicas`, compose.yaml and the tests use this script, so they test these files.
set -eu

[ $# -ge 4 ] || { echo "usage: render.sh nginx|haproxy LISTEN FOLDER REPLICA..." >&2; exit 2; }
kind=$1 listen=$2 folder=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
case $kind in
    nginx) source=$here/nginx.conf ;;
    haproxy) source=$here/haproxy.cfg ;;
    *) echo "render.sh: nginx or haproxy, not $kind" >&2; exit 2 ;;
esac

# Repeats a line about the first replica for each replica, and drops the lines about the others.
awk -v replicas="$*" '
    BEGIN { count = split(replicas, address, " ") }
    /127\.0\.0\.1:3001/ {
        for (n = 1; n <= count; n++) {
            line = $0
            gsub(/127\.0\.0\.1:3001/, address[n], line)
            line = named(line, n)
            print line
        }
        next
    }
    /127\.0\.0\.1:300[0-9]/ { next }
    { print }
    # r1 and any1 are server names, and r1 is a cookie value.
    function named(line, n) {
        gsub(/ r1/, " r" n, line)
        gsub(/\/r1/, "/r" n, line)
        gsub(/ any1/, " any" n, line)
        return line
    }
' "$source" | sed \
    -e "s|^user www-data;|user ${PROXY_USER:-$(id -un)};|" \
    -e "s|listen 80;|listen $listen;|" \
    -e "s|bind :80 |bind $listen |" \
    -e "s|/run/nginx.pid|$folder/nginx.pid|" \
    -e "s|/var/log/nginx|$folder|" \
    -e "s|/var/lib/nginx|$folder|"
