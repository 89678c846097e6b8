# shellcheck shell=bash
# What the scripts beside this one share: tools in a cache, and what was not run.
# To be sourced, from the top of the repository.

set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
cache=${LOWTIDE_DEPLOY:-target/deploy}
mkdir -p "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step=0
ok() { step=$((step + 1)); echo "ok $step  $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
# What this machine cannot show is said, never passed over.
not_run() { echo "not run: $*"; }

# Makes a virtual environment with these packages, once; prints its folder.
environment() {
    local folder=$cache/$1
    shift
    if [ "$(cat "$folder/installed" 2>/dev/null)" != "$*" ]; then
        echo "installing $*" >&2
        rm -rf "$folder"
        python3 -m venv "$folder" >&2
        "$folder/bin/pip" install --quiet "$@" >&2
        echo "$*" >"$folder/installed"
    fi
    echo "$folder"
}

# Puts a Debian package's programs on the path. It is unpacked into the cache and not installed, so that no service starts with it.
unpacked() {
    local package=$1 program=$2
    if ! command -v "$program" >/dev/null; then
        if [ ! -d "$cache/$package" ]; then
            echo "unpacking $package" >&2
            (
                cd "$scratch"
                # An index that is old, or not there, is brought first. apt warns that it may not give up root in our folder.
                apt-get download -qq "$package" >said 2>&1 || {
                    if [ "$(id -u)" -eq 0 ]; then apt-get update -qq; else sudo apt-get update -qq; fi >&2
                    apt-get download -qq "$package" >said 2>&1 || { cat said >&2; exit 1; }
                }
            )
            dpkg -x "$scratch/$package"_*.deb "$cache/$package"
        fi
        PATH=$(realpath -s "$cache/$package")/usr/bin:$(realpath -s "$cache/$package")/bin:$PATH
        command -v "$program" >/dev/null || fail "$package has no $program"
    fi
}
