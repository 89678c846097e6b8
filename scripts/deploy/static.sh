#!/usr/bin/env bash
# The static program: one file that needs no library of the system, for the container and for any Linux. Installs Rust's target and
# Debian's musl-tools, whose compiler ring and SQLite need. About ten minutes on two cores, so that .ci/run does not build it.
#
#   scripts/deploy/static.sh              target/x86_64-unknown-linux-musl/dist/lowtide
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

triple=${1:-x86_64-unknown-linux-musl}
rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
if ! command -v musl-gcc >/dev/null; then
    echo "installing musl-tools" >&2
    if [ "$(id -u)" -eq 0 ]; then run=(); else run=(sudo); fi
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -qq -y --no-install-recommends musl-tools >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
fi
# Paths of this machine stay out of the program.
export RUSTFLAGS="--remap-path-prefix=$PWD=/lowtide --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo ${RUSTFLAGS:-}"
cargo build --locked --profile dist --features parquet --target "$triple"
built=target/$triple/dist/lowtide
if ldd "$built" >"$scratch/said" 2>&1 && ! grep -q "statically linked" "$scratch/said"; then
    cat "$scratch/said" >&2
    fail "the program needs libraries"
fi
ok "$built is static, $(du -h "$built" | cut -f1)"
"$built" demo --once >/dev/null
ok "it runs: $("$built" --version)"
if grep -qaF "$PWD/" "$built"; then fail "a path of this machine is in the program"; fi
ok "no path of this machine is in it"
