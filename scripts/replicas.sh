#!/usr/bin/env bash
# Runs PostgreSQL, Redis, replicas of Hubbub and a proxy on this machine until Ctrl-C or SIGTERM. Touches nothing else on
# it: data and logs are in data/replicas, and the script stops only what it started.
#   PORT=3000 REPLICAS=3 PROXY=nginx POSTGRES_PORT=3032 REDIS_PORT=3079 scripts/replicas.sh
# The replicas take the ports after PORT. With HUBBUB_DATABASE_URL they use that database, and no PostgreSQL is started;
# HUBBUB_REDIS_URL is the same for Redis.
set -euo pipefail

port=${PORT:-3000}
replicas=${REPLICAS:-3}
proxy=${PROXY:-nginx}
postgres_port=${POSTGRES_PORT:-$((port + 32))}
redis_port=${REDIS_PORT:-$((port + 79))}
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${REPLICAS_DIR:-$root/data/replicas}
binary=${HUBBUB_BIN:-$root/target/release/hubbub}
export HUBBUB_SITE_DIR=${HUBBUB_SITE_DIR:-$root/target/site}
export PATH=$PATH:/usr/sbin

say() { printf 'replicas: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

[[ $replicas =~ ^[1-9]$ ]] || die "REPLICAS=$replicas: 1 to 9 are possible"
case $proxy in nginx | haproxy) ;; *) die "PROXY=$proxy: nginx or haproxy" ;; esac
[ -x "$binary" ] || die "no server at $binary: run \`make build\`, or set HUBBUB_BIN"

# Debian has a folder for each version of PostgreSQL, and puts it on nobody's PATH.
postgres_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
PATH=$postgres_bin:$PATH

wanted=("$proxy")
[ -n "${HUBBUB_DATABASE_URL:-}" ] || wanted+=(postgres initdb pg_isready)
[ -n "${HUBBUB_REDIS_URL:-}" ] || wanted+=(redis-server redis-cli)
for program in "${wanted[@]}"; do
    command -v "$program" >/dev/null || die "$program is missing: run scripts/setup.sh replicas"
done

# --- Running children: names and process ids, in the order of starting ----------------------------

names=()
pids=()
nap=

# Each child has its own process group: Ctrl-C reaches only this script, which stops them in order.
set -m
# start NAME COMMAND...
start() {
    local name=$1
    shift
    "$@" >>"$folder/$name.log" 2>&1 </dev/null &
    names+=("$name")
    pids+=($!)
    # Keeps the shell from reporting its end; the watch below does that, by name.
    disown
}

alive() { kill -0 "$1" 2>/dev/null; }

# Stops in reverse order: the proxy, all replicas, Redis, PostgreSQL.
stop() {
    trap '' INT TERM
    [ -z "$nap" ] || { kill "$nap" && wait "$nap"; } 2>/dev/null || true
    local n deadline kind last=
    for ((n = ${#pids[@]} - 1; n >= 0; n--)); do
        kind=${names[n]%-*}
        if [ -n "$last" ] && [ "$kind" != "$last" ]; then await "$last"; fi
        alive "${pids[n]}" && kill "-$(stop_signal "$kind")" "${pids[n]}" 2>/dev/null
        last=$kind
    done
    [ -z "$last" ] || await "$last"
    say "stopped"
}

# PostgreSQL takes SIGTERM as "once everybody has gone", and SIGINT as "now".
stop_signal() { [ "$1" = postgres ] && echo INT || echo TERM; }

# Waits until all children of a kind are gone, and kills them after 12 s.
await() {
    local kind=$1 n deadline=$((SECONDS + 12))
    for n in "${!pids[@]}"; do
        [ "${names[n]%-*}" = "$kind" ] || continue
        while alive "${pids[n]}"; do
            [ $SECONDS -lt $deadline ] || { say "${names[n]} does not stop; killed"; kill -KILL "${pids[n]}"; break; }
            sleep 0.1
        done
    done
}

# --- Checks ---------------------------------------------------------------------------------------

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

ready() (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    IFS= read -r -t 5 line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null

postgres_ready() { pg_isready -q -h 127.0.0.1 -p "$postgres_port"; }

redis_ready() { [ "$(redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>/dev/null)" = PONG ]; }

# until_ready NAME PID COMMAND...: waits up to 20 s, or until the process ends.
until_ready() {
    local name=$1 pid=$2 deadline=$((SECONDS + 20))
    shift 2
    until "$@"; do
        alive "$pid" || { tail -n 5 "$folder/$name.log" >&2; die "$name ended; its log is $folder/$name.log"; }
        [ $SECONDS -lt $deadline ] || die "$name is not ready after 20 s; its log is $folder/$name.log"
        sleep 0.1
    done
}

# --- Start ----------------------------------------------------------------------------------------

mkdir -p "$folder"
chmod 700 "$folder"
wanted=("$port")
addresses=()
for ((n = 1; n <= replicas; n++)); do
    wanted+=($((port + n)))
    addresses+=("127.0.0.1:$((port + n))")
done
[ -n "${HUBBUB_DATABASE_URL:-}" ] || wanted+=("$postgres_port")
[ -n "${HUBBUB_REDIS_URL:-}" ] || wanted+=("$redis_port")
for one in "${wanted[@]}"; do
    ! taken "$one" || die "port $one is in use: stop what uses it, or choose other ports with PORT, POSTGRES_PORT and REDIS_PORT"
done

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# PostgreSQL refuses to run as root. Run by root, it gets another user, who may pass through root's folders.
unprivileged=()
if [ "$(id -u)" = 0 ]; then
    user=$(id -un postgres 2>/dev/null || echo nobody)
    unprivileged=(setpriv --reuid "$user" --regid "$(id -gn "$user")" --clear-groups --inh-caps +dac_override --ambient-caps +dac_override)
fi

if [ -z "${HUBBUB_DATABASE_URL:-}" ]; then
    data=$folder/postgres
    if [ ! -e "$data/PG_VERSION" ]; then
        say "making a database in $data"
        mkdir -p "$data"
        [ "$(id -u)" != 0 ] || chown "$user" "$data"
        "${unprivileged[@]}" initdb -D "$data" -U hubbub --auth=trust --encoding=UTF8 --locale=C >"$folder/initdb.log" 2>&1 \
            || { tail -n 5 "$folder/initdb.log" >&2; die "initdb failed; its log is $folder/initdb.log"; }
        cat "$root/deploy/postgresql.conf" >>"$data/postgresql.conf"
    fi
    # No socket: its path may be too long for one.
    start postgres "${unprivileged[@]}" postgres -D "$data" -p "$postgres_port" -c unix_socket_directories=
    until_ready postgres "${pids[-1]}" postgres_ready
    export HUBBUB_DATABASE_URL=postgres://hubbub@127.0.0.1:$postgres_port/postgres
    say "PostgreSQL on 127.0.0.1:$postgres_port"
fi

if [ -z "${HUBBUB_REDIS_URL:-}" ]; then
    mkdir -p "$folder/redis"
    start redis redis-server "$root/deploy/redis.conf" --port "$redis_port" --dir "$folder/redis"
    until_ready redis "${pids[-1]}" redis_ready
    export HUBBUB_REDIS_URL=redis://127.0.0.1:$redis_port
    say "Redis on 127.0.0.1:$redis_port"
fi

export HUBBUB_TRUSTED_PROXIES=127.0.0.1
for ((n = 1; n <= replicas; n++)); do
    start "replica-$n" env HUBBUB_ADDR="${addresses[n - 1]}" HUBBUB_DATA_DIR="$folder/$n" "$binary"
    until_ready "replica-$n" "${pids[-1]}" ready $((port + n))
    say "replica $n on http://${addresses[n - 1]}"
done

"$root/deploy/render.sh" "$proxy" "127.0.0.1:$port" "$folder" "${addresses[@]}" >"$folder/$proxy.conf"
case $proxy in
    nginx) start nginx nginx -p "$folder" -c "$folder/nginx.conf" -g 'daemon off;' ;;
    haproxy) start haproxy haproxy -db -f "$folder/haproxy.conf" ;;
esac
until_ready "$proxy" "${pids[-1]}" ready "$port"
say "$proxy on http://127.0.0.1:$port  <- open this one"
say "logs and data in $folder; Ctrl-C stops everything"

# --- Watch ----------------------------------------------------------------------------------------

gone=0
told=()
while [ $gone -lt ${#pids[@]} ]; do
    for n in "${!pids[@]}"; do
        [ -z "${told[n]:-}" ] && ! alive "${pids[n]}" || continue
        told[n]=1
        gone=$((gone + 1))
        say "${names[n]} (process ${pids[n]}) ended; the last lines of $folder/${names[n]}.log:"
        tail -n 3 "$folder/${names[n]}.log" | sed 's/^/    /'
    done
    # Sleeps in the background, so that a signal takes effect at once.
    sleep 0.5 &
    nap=$!
    wait $nap || true
done
die "everything has ended"
