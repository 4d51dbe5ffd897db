#!/usr/bin/env bash
# All tests, or one part of them: check (formats, lints, layering), unit (cargo test), browser (Playwright).
# The set-up comes first, so a fresh clone needs nothing else.
set -euo pipefail

part=${1:-all}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export HUBBUB_TOOLS=${HUBBUB_TOOLS:-$root/.tools}
wasm=wasm32-unknown-unknown

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "set-up"
scripts/setup.sh test
# shellcheck source=/dev/null
. "$HUBBUB_TOOLS/env"

check() {
    step "formats"
    cargo fmt --all --check
    # One package at a time: the whole workspace at once would turn on Leptos' `ssr` and `hydrate` together.
    step "lints"
    cargo clippy -q -p protocol -p chat -p backend -p testkit --all-targets -- -D warnings
    cargo clippy -q -p app --features ssr --all-targets -- -D warnings
    cargo clippy -q -p simulation -p bench --all-targets -- -D warnings
    cargo clippy -q -p server --all-targets -- -D warnings
    cargo clippy -q -p frontend --target "$wasm" -- -D warnings
    step "the browser build holds nothing of the server"
    local leaked
    leaked=$(cargo tree -q -p frontend --target "$wasm" -e normal --prefix none | awk '{print $1}' | sort -u \
        | grep -xE 'tokio|axum|hyper|socketioxide|rusqlite|redis|backend|chat|chrono' || true)
    [ -z "$leaked" ] || { echo "the browser build depends on: $leaked" >&2; exit 1; }
    if cargo tree -q -p frontend --target "$wasm" -e features,normal | grep -q 'leptos feature "ssr"'; then
        echo "the browser build has Leptos' feature ssr" >&2; exit 1
    fi
    step "licences, sources and banned crates"
    cargo deny --offline check bans licenses sources
    if timeout 60 cargo deny fetch db >"$HUBBUB_TOOLS/advisories.log" 2>&1; then
        cargo deny --offline check advisories
    else
        echo "advisories: not checked, because their list (github.com/RustSec) cannot be reached from here"
    fi
    step "types of the browser tests"
    (cd end2end && npx tsc --noEmit)
}

unit() {
    step "tests of the crates"
    # Those with a Redis wait most of the time.
    RUST_TEST_THREADS=8 cargo test -q -p protocol -p chat -p backend -p testkit
    cargo test -q -p app --features ssr
    step "simulation, load generator"
    cargo test -q -p simulation -p bench
    step "tests of the server"
    cargo test -q -p server
}

browser() {
    step "the checker, which judges what the tests have seen"
    cargo build -q -p testkit --bin check
    step "release build"
    cargo leptos build --release --precompress
    # leptos_config brings it along for the server; the linker drops it as long as nothing here uses it.
    if grep -qa 'regex_automata\|regex-automata' target/site/pkg/*.wasm; then
        echo "the browser build holds the crate regex" >&2; exit 1
    fi
    step "browser and official client"
    (cd end2end && npx playwright test)
    step "several replicas on one Redis, behind nginx and HAProxy"
    (cd end2end && npx playwright test --project=replicas)
}

case $part in
    all) check; unit; browser ;;
    check | unit | browser) "$part" ;;
    *) echo "usage: test.sh [all|check|unit|browser]" >&2; exit 2 ;;
esac
step "done"
