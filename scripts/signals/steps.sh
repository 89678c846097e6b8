# What the scripts beside this one share: a way to install what they need, ports that are free, and steps that say what they proved.
# To be sourced after scripts/clients/account.sh, from the top of the repository.

parts=()
# Ends what a script has started, and the account, and takes their folder away.
end_parts() {
    for part in ${parts[@]+"${parts[@]}"}; do kill "$part" 2>/dev/null || true; done
    for part in ${parts[@]+"${parts[@]}"}; do wait "$part" 2>/dev/null || true; done
    parts=()
    end
    rm -rf "$scratch"
}
trap end_parts EXIT

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# Prints a port that nobody listens on.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until a URL answers, or gives up after half a minute.
until_it_answers() {
    for _ in $(seq 300); do
        curl -sS -o /dev/null --max-time 2 "$1" 2>/dev/null && return
        sleep 0.1
    done
    echo "$1 does not answer" >&2
    exit 1
}

step=0
ok() { step=$((step + 1)); echo "ok $step  $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
# Plans with a file of sources; the decision is left in `plan.json`, and what is said in `said`.
plan() {
    "$program" plan policy.yaml --sources "${sources:-sources.toml}" -o json >plan.json 2>said || { cat said >&2; fail "plan"; }
    "$program" plan policy.yaml --sources "${sources:-sources.toml}" >told 2>>said || { cat said >&2; fail "plan"; }
}
# Holds a part of the plan against what is expected: `is 'plan["order"]["dedicated"]' 7`.
is() {
    python3 - "$1" "$2" <<'PY' || { cat told >&2; fail "$1 is not $2"; }
import json, sys
plan = json.load(open("plan.json"))
signal = (plan.get("signals") or [{}])[0]
found = eval(sys.argv[1])
wanted = eval(sys.argv[2])
if found != wanted:
    print(f"{sys.argv[1]} is {found!r}", file=sys.stderr)
    sys.exit(1)
PY
}
tells() { grep -qF -- "$1" told || { cat told >&2; fail "it does not tell: $1"; }; }
# No secret stands in anything that was said.
keeps() { if grep -qF -- "$1" said told plan.json; then fail "a secret is told"; fi; }
