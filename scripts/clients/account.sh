# What the scripts beside this one share: virtual environments in a cache, and an account that ends with the script.
# To be sourced, from the top of the repository.

set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
cache=${LOWTIDE_CLIENTS:-target/clients}

# Makes a virtual environment with these packages, once; prints its folder.
client() {
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

# The program under test: the one that is given, else the build that is newest.
program=${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
[ -n "$program" ] || { echo "no lowtide to test: run 'cargo build' first, or name one in LOWTIDE" >&2; exit 1; }

scratch=$(mktemp -d)
account_pid=
end() {
    if [ -n "$account_pid" ]; then
        kill "$account_pid" 2>/dev/null || true
        wait "$account_pid" 2>/dev/null || true
        account_pid=
    fi
}
trap 'end; rm -rf "$scratch"' EXIT

# Opens an account with these arguments, on free ports; sets account, key, http, and https and certificate where there are any.
open_account() {
    rm -f "$scratch/account.json"
    "$program" emulate --listen 127.0.0.1:0 -o json "$@" >"$scratch/account.json" 2>"$scratch/account.log" &
    account_pid=$!
    for _ in $(seq 200); do
        [ -s "$scratch/account.json" ] && break
        kill -0 "$account_pid" 2>/dev/null || { cat "$scratch/account.log" >&2; exit 1; }
        sleep 0.05
    done
    local said
    said=$(python3 -c '
import json, sys
said = json.load(open(sys.argv[1]))
for name in ("account", "key", "http", "https", "certificate"):
    print(said.get(name) or "-")
' "$scratch/account.json")
    # shellcheck disable=SC2034
    { read -r account; read -r key; read -r http; read -r https; read -r certificate; } <<<"$said"
}
