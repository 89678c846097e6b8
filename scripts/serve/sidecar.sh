# What the scripts beside this one share: the README's sidecar on ports of its own, and an end to whatever they started.
# To be sourced, from the top of the repository.

set -euo pipefail
here=$PWD
program=${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
[ -n "$program" ] || { echo "no lowtide to test: run 'cargo build' first, or name one in LOWTIDE" >&2; exit 1; }
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER
scratch=$(mktemp -d)
started=()
end() {
    for pid in ${started[@]+"${started[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap end EXIT

step=0
ok() { step=$((step + 1)); echo "ok $step  $*"; }
fail() {
    echo "failed: $*" >&2
    tail -n 30 "$scratch"/*.log >&2 || true
    exit 1
}
# Waits at most so many seconds until a command succeeds.
within() {
    local seconds=$1 since=$SECONDS
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((SECONDS - since)) -le "$seconds" ] || fail "not within $seconds seconds: $*"
        sleep 0.2
    done
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Writes the files of the README's section "The sidecar", on free ports; sets http, the address of the sidecar.
write_readme_files() {
    account_port=$(free_port)
    sidecar_port=$(free_port)
    python3 - "$here/README.md" "$scratch" "$account_port" "$sidecar_port" <<'PY'
import os, re, sys
readme, folder, account, sidecar = sys.argv[1:]
section = open(readme).read().split("## The sidecar\n")[1].split("\n## ")[0]
section = section.replace("127.0.0.1:10800", "127.0.0.1:" + account).replace("127.0.0.1:9464", "127.0.0.1:" + sidecar)
os.makedirs(folder + "/policies", exist_ok=True)
files = {}
for kind, text in re.findall(r"```(\w+)\n(.*?)```", section, re.S):
    named = re.match(r"# (\S+\.yaml)\n", text)
    if named:
        files[named.group(1)] = text
    elif kind == "text":
        files["night.csv"] = text
    elif kind == "toml":
        files["lowtide.toml"] = text
    elif kind == "sh":
        files["key"] = re.search(r"AZURE_BATCH_ACCESS_KEY=(\S+)", text).group(1)
for name, text in files.items():
    open(os.path.join(folder, name), "w").write(text)
assert sorted(files) == ["key", "lowtide.toml", "night.csv", "policies/render.yaml", "scenario.yaml"], sorted(files)
PY
    export AZURE_BATCH_ACCESS_KEY
    AZURE_BATCH_ACCESS_KEY=$(cat "$scratch/key")
    http=http://127.0.0.1:$sidecar_port
    cd "$scratch"
}
start_account() {
    "$program" emulate --scenario scenario.yaml --listen "127.0.0.1:$account_port" >account.out 2>account.log &
    started+=($!)
    within 30 grep -q endpoint account.out
}
start_sidecar() {
    "$program" serve --config lowtide.toml >sidecar.out 2>>sidecar.log &
    sidecar=$!
    started+=("$sidecar")
    within 60 curl -fs "$http/livez"
}
# Prints one part of the page of health.
health() { curl -fs "$http/healthz" | python3 -c "import json, sys; page = json.load(sys.stdin); print($1)"; }
is() { [ "$(health "$1")" = "$2" ]; }
metric() { curl -fs "$http/metrics" | grep "^$1 " | sed 's/.* //'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
