#!/usr/bin/env bash
# Steers a pool of the local account with lowtide itself: by key over http, by key through a proxy, by a managed identity over https
# with the account's own authority. Needs python3 and nothing that has to be installed.
cd "$(dirname "$0")/../.."
here=$PWD
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER

cd "$scratch"
cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 100, spotCores: 100 }
pools: [ { id: render, vmSize: standard_d4s_v5, dedicated: 1, taskSlotsPerNode: 4 } ]
YAML
open_account --scenario scenario.yaml --speed 60 --tls-listen 127.0.0.1:0 --tls-folder "$scratch/ca"

step=0
ok() { step=$((step + 1)); echo "ok $step  $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
# Runs lowtide and holds its exit code against the one that is expected; what it says is left in `said`.
lowtide() {
    local expected=$1 code=0
    shift
    "$program" "$@" >said 2>&1 || code=$?
    [ "$code" -eq "$expected" ] || { cat said >&2; fail "exit code $code instead of $expected: lowtide $*"; }
}
says() { grep -qF -- "$1" said || { cat said >&2; fail "it does not say: $1"; }; }
# A policy that wants so many nodes of each lane.
wants() {
    cat >policy.yaml <<YAML
version: 1
pool: render
interval: 60s
demand: [ { formula: { role: targets, text: "\$TargetDedicatedNodes = $1; \$TargetLowPriorityNodes = $2;" } } ]
bounds: { total: [0, 20] }
YAML
}
# Waits until the pool is steady at these nodes, which takes some minutes of the account's time.
steady_at() {
    for _ in $(seq 200); do
        "$program" plan policy.yaml -o json >plan.json 2>said || { cat said >&2; fail "plan"; }
        python3 -c '
import json, sys
pool = json.load(open("plan.json"))
sys.exit(pool["current"] != {"dedicated": int(sys.argv[1]), "spot": int(sys.argv[2])} or pool["order"] is not None)
' "$1" "$2" && return
        sleep 0.2
    done
    cat plan.json >&2
    fail "the pool does not come to $1 dedicated and $2 spot nodes"
}

export AZURE_BATCH_ACCOUNT=$account AZURE_BATCH_ENDPOINT=$http AZURE_BATCH_ACCESS_KEY=$key
wants 1 0
steady_at 1 0
ok "the pool of the scenario is there"
wants 3 4
lowtide 2 plan policy.yaml --detailed-exitcode
says "order 1 dedicated + 0 spot → 3 dedicated + 4 spot"
lowtide 0 apply policy.yaml --yes --ledger ledger.jsonl
says "render: accepted"
[ "$(grep -c '"kind":"decided"' ledger.jsonl)" -eq 1 ] || fail "the ledger has no decision"
[ "$(grep -n '"kind":"decided"' ledger.jsonl | cut -d: -f1)" -lt "$(grep -n '"kind":"settled"' ledger.jsonl | cut -d: -f1)" ] ||
    fail "a receipt stands before its decision"
ok "plan tells it, apply orders it, and the ledger has both, in this order"
steady_at 3 4
ok "the nodes are there"

lowtide 0 import native --out brought
lowtide 0 check brought
lowtide 2 diff brought
says "render: 1 difference"
says "policy: has one; pool: none"
ok "import makes a policy of the live pool, with a formula for its fixed size; diff tells that the pool has none"

python3 "$here/scripts/clients/proxy.py" proxy.log "${http#http://}" >proxy.port &
proxy_pid=$!
trap 'kill "$proxy_pid" 2>/dev/null || true; end; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -s proxy.port ] && break; sleep 0.05; done
HTTP_PROXY=http://127.0.0.1:$(cat proxy.port) lowtide 0 plan policy.yaml --endpoint http://behind-the-proxy.test:8080
says "render: no order"
grep -q "GET http://behind-the-proxy.test:8080/pools" proxy.log || fail "the proxy was passed by"
ok "a proxy of the environment is used"

unset AZURE_BATCH_ACCESS_KEY
export AZURE_BATCH_ENDPOINT=$https IDENTITY_ENDPOINT=$http/msi/token IDENTITY_HEADER=lowtide
lowtide 1 plan policy.yaml --auth managedIdentity
says "is not trusted"
says "--ca-file"
ok "a certificate of an unknown authority is refused, with a way out"
wants 2 1
lowtide 0 apply policy.yaml --yes --auth managedIdentity --ca-file "$certificate" --ledger ledger.jsonl
says "render: accepted"
ok "a managed identity orders over https, with the account's authority"
AZURE_BATCH_ACCESS_KEY=bG93dGlkZQ== lowtide 1 plan policy.yaml --auth sharedKey --endpoint "$http"
says "AuthenticationFailed"
if grep -q "bG93dGlkZQ==" said; then fail "the key is told"; fi
ok "a wrong key is refused, and not told"
echo "lowtide: $step steps in $SECONDS s"
