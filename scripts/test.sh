#!/usr/bin/env bash
# All tests, or one part of them: check (formats, lints, layering), unit (cargo test), browser (Playwright).
# `soak` runs what is too long for every change: the large sizes of tests that have two, then people who come and go.
# The set-up comes first, so a fresh clone needs nothing else. At the end stands how long each step took.
set -euo pipefail

part=${1:-all}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export HUBBUB_TOOLS=${HUBBUB_TOOLS:-$root/.tools}
wasm=wasm32-unknown-unknown
# Everything but the browser build, together: a crate is compiled once, with the features that all of them need. The
# browser build stays apart, because Leptos has `hydrate` there and `ssr` here.
native=(--workspace --exclude frontend --features app/ssr)

# The budget of each step in seconds, for a warm run on two cores. Together they are the 12 minutes that `make test` may
# take. A step over its budget is reported and does not fail: machines are noisy. If it stays over, make it faster, or
# move its longest tests to `make soak`; do not raise the sum.
budgets="
set-up      5
check      40
compile   120
unit      145
build      95
browser   220
replicas   95
"

step=""
began=0
times=()
building=""
build_log=$(mktemp)
unsteady=$(mktemp)

# Begins a step. What stood before it is over.
step() {
    over
    step=$1 began=$SECONDS
    printf '\n== %s (%ss)\n' "$1" "$SECONDS"
}

over() {
    [ -z "$step" ] || times+=("$step $((SECONDS - began))")
    step=""
}

report() {
    local status=$? name took budget grown=() sum=0
    [ -z "$building" ] || wait "$building" || true
    [ -z "$step" ] || [ "$status" = 0 ] || printf '\n== FAILED in %s\n' "$step"
    over
    [ ! -s "$unsteady" ] || { printf '\n== Failed, or passed only the second time\n'; cat "$unsteady"; }
    rm -f "$unsteady" "$build_log"
    printf '\n%-12s %6s %8s\n' step took budget
    for name in "${times[@]}"; do
        read -r name took <<<"$name"
        budget=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$budgets")
        printf '%-12s %4s s %8s\n' "$name" "$took" "${budget:+$budget s}"
        sum=$((sum + took))
        [ -z "$budget" ] || [ "$took" -le "$budget" ] || grown+=("$name took $took s; its budget is $budget s")
    done
    printf '%-12s %4s s\n' all "$sum"
    [ ${#grown[@]} = 0 ] || printf '\n!! OVER BUDGET (scripts/test.sh): %s' "${grown[@]}"
    [ ${#grown[@]} = 0 ] || printf '\n'
}
trap report EXIT

# Runs browser tests. At most FLAKY of them may need a second try: a flaky test is a fault of the test or of the
# product. Find out which, and mend it.
FLAKY=2
playwright() {
    local log status=0
    log=$(mktemp)
    (cd end2end && npx playwright test "$@") 2>&1 | tee "$log" || status=$?
    # The names at the end of the output, below "1 failed" and "1 flaky".
    awk '/^  [0-9]+ [a-z]/ { on = /^  [0-9]+ (failed|flaky|interrupted)/ } on' "$log" >>"$unsteady"
    rm -f "$log"
    [ "$status" = 0 ] || return "$status"
    [ "$(awk '/^  [0-9]+ flaky/ { sum += $1 } END { print sum + 0 }' "$unsteady")" -le "$FLAKY" ]
}

# Says what a step is doing.
say() { printf -- '-- %s\n' "$1"; }

step set-up
scripts/setup.sh test
# shellcheck source=/dev/null
. "$HUBBUB_TOOLS/env"

check() {
    step check
    say "formats"
    cargo fmt --all --check
    say "lints"
    cargo clippy -q "${native[@]}" --all-targets -- -D warnings
    cargo clippy -q -p frontend --target "$wasm" -- -D warnings
    say "the browser build contains nothing of the server"
    local leaked
    leaked=$(cargo tree -q -p frontend --target "$wasm" -e normal --prefix none | awk '{print $1}' | sort -u \
        | grep -xE 'tokio|axum|hyper|socketioxide|rusqlite|tokio-postgres|redis|backend|chat|chrono' || true)
    [ -z "$leaked" ] || { echo "the browser build depends on: $leaked" >&2; exit 1; }
    if cargo tree -q -p frontend --target "$wasm" -e features,normal | grep -q 'leptos feature "ssr"'; then
        echo "the browser build has Leptos' feature ssr" >&2; exit 1
    fi
    say "licences, sources and banned crates"
    cargo deny --offline check bans licenses sources
    if timeout 60 cargo deny fetch db >"$HUBBUB_TOOLS/advisories.log" 2>&1; then
        cargo deny --offline check advisories
    else
        echo "advisories: not checked, because their list (github.com/RustSec) cannot be reached from here"
    fi
    say "types of the browser tests"
    (cd end2end && npx tsc --noEmit)
}

unit() {
    # Tests with a PostgreSQL, a Redis or a server of their own wait most of the time.
    export RUST_TEST_THREADS=8
    step compile
    cargo test -q "${native[@]}" --no-run
    step unit
    cargo test -q "${native[@]}"
}

browser() {
    if [ -n "$building" ]; then
        step build
        wait "$building" || { cat "$build_log"; exit 1; }
        building=""
    else
        build
    fi
    step browser
    playwright
    # Several replicas on one PostgreSQL and one Redis, behind nginx and HAProxy.
    step replicas
    playwright --project=replicas
}

# The release build has a folder of its own in target/, so it can run beside the tests without a browser, which mostly
# wait. Whatever it prints comes at the end if it fails.
build_beside() {
    build >"$build_log" 2>&1 &
    building=$!
}

build() {
    step build
    say "release build"
    cargo leptos build --release --precompress
    # leptos_config brings it along for the server; the linker drops it as long as nothing here uses it.
    if grep -qa 'regex_automata\|regex-automata' target/site/pkg/*.wasm; then
        echo "the browser build contains the crate regex" >&2; exit 1
    fi
    say "the checker, which judges what the tests have seen"
    cargo build -q -p testkit --bin check
}

soak() {
    build
    cargo build -q --release -p simulation
    step slow-readers
    cargo test -q -p server --test all slow:: -- --ignored
    export HUBBUB_TEST_SIZE=large
    step large
    playwright --project=live --project=wire --grep @soak
    step large-replicas
    playwright --project=replicas --grep @soak
    step come-and-go
    playwright --project=soak
}

case $part in
    all) check; build_beside; unit; browser ;;
    check | unit | browser | soak) "$part" ;;
    *) echo "usage: test.sh [all|check|unit|browser|soak]" >&2; exit 2 ;;
esac
