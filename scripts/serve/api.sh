#!/usr/bin/env bash
# Walks the interface of the sidecar with curl: reads, tokens and their rotation, pauses that survive a restart, plans, events,
# limits, TLS and client certificates; and the verbs that speak to it. Needs curl, openssl and python3.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT REQUESTS_CA_BUNDLE LOWTIDE_SERVER LOWTIDE_TOKEN LOWTIDE_TOKEN_FILE
for tool in curl openssl; do
    command -v $tool >/dev/null && continue
    run=()
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -y -qq --no-install-recommends $tool >/dev/null
done

cd "$scratch"
sidecar_pid=
close_sidecar() {
    if [ -n "$sidecar_pid" ]; then
        kill "$sidecar_pid" 2>/dev/null || true
        wait "$sidecar_pid" 2>/dev/null || true
        sidecar_pid=
    fi
}
trap 'close_sidecar; end; rm -rf "$scratch"' EXIT
step=0
ok() { step=$((step + 1)); echo "ok $step  $*"; }
fail() {
    echo "failed: $*" >&2
    tail -20 serve.log >&2 2>/dev/null || true
    exit 1
}

cat >scenario.yaml <<'YAML'
version: 1
pools: [ { id: render, vmSize: standard_d4s_v5, dedicated: 1 }, { id: other, vmSize: standard_d4s_v5 } ]
YAML
# Sixty times as fast: a resize takes seconds.
open_account --scenario scenario.yaml --speed 60
export AZURE_BATCH_ACCESS_KEY=$key
mkdir policies
wants() {
    cat >policies/render.yaml <<YAML
version: 1
pool: render
interval: 10s
demand: [ { formula: { role: targets, text: "\$TargetDedicatedNodes = $1;" } } ]
bounds: { total: [0, 20] }
YAML
}
wants 2
# What a policy may ask beside the account: a file with a number.
mkdir numbers
echo 7 >numbers/depth
printf '[files]\nfolder = "numbers"\n' >sources.toml
openssl rand -hex 32 >token
openssl rand -hex 32 >read-token
cat >lowtide.toml <<TOML
version = 1
sourcesFile = "sources.toml"
[account]
endpoint = "$http"
name = "$account"
keyEnv = "AZURE_BATCH_ACCESS_KEY"
[policies]
folder = "policies"
[ledger]
sqlite = "lowtide.db"
[http]
listen = "127.0.0.1:0"
tokenFile = "token"
readTokenFile = "read-token"
[log]
format = "json"
TOML
# Opens the sidecar of a configuration; sets url.
open_sidecar() {
    close_sidecar
    : >serve.log
    "$program" serve --config "$1" 2>serve.log &
    sidecar_pid=$!
    url=
    for _ in $(seq 200); do
        url=$(grep -oE 'https?://(127\.0\.0\.1|0\.0\.0\.0):[0-9]+' <(grep -m1 listening serve.log) | head -1 || true)
        [ -n "$url" ] && break
        kill -0 "$sidecar_pid" 2>/dev/null || fail "the sidecar ended"
        sleep 0.05
    done
    [ -n "$url" ] || fail "the sidecar does not listen"
    url=${url/0.0.0.0/127.0.0.1}
}
# Asks with curl and holds the status against the one that is expected; the answer is left in `said`.
ask() {
    local expected=$1 status
    shift
    status=$(curl -sS -o said -w '%{http_code}' --max-time 30 "$@") || fail "curl $*"
    [ "$status" = "$expected" ] || { cat said >&2; fail "status $status instead of $expected: curl $*"; }
}
says() { grep -qF -- "$1" said || { cat said >&2; fail "it does not say: $1"; }; }
value() { python3 -c 'import json, sys; print(eval("v" + sys.argv[1], {"v": json.load(open("said"))}))' "$1"; }
bearer() { echo "authorization: Bearer $(head -1 "$1")"; }
# Waits until a page says something.
until_says() {
    for _ in $(seq 200); do
        curl -sS -o said --max-time 10 "$url$1" && grep -qF -- "$2" said && return
        sleep 0.1
    done
    cat said >&2
    fail "$1 does not come to say: $2"
}

open_sidecar lowtide.toml
until_says /api/v1/pools '"pool":"render"'
ask 200 "$url/api/v1/pools/render"
[ "$(value '["explanation"]["decision"]["policy"]')" = render ] || fail "the decision names its policy"
ask 200 "$url/api/v1/account"
says '"account":"lowtide"'
ask 200 "$url/api/v1/policies"
says '"policy":"render"'
ask 404 "$url/api/v1/pools/rendr"
says "did you mean render?"
ask 404 "$url/api/v1/nothing"
says "wayOut"
ok "reads are open on loopback, and a wrong one says what was meant"

ask 200 "$url/api/v1/openapi.json"
python3 - <<'PY'
import json
document = json.load(open("said"))
assert document["openapi"].startswith("3.1"), document["openapi"]
names = set(document["components"]["schemas"])
def walk(node):
    if isinstance(node, dict):
        reference = node.get("$ref")
        if reference:
            assert reference.rsplit("/", 1)[1] in names, reference
        for inner in node.values():
            walk(inner)
    elif isinstance(node, list):
        for inner in node:
            walk(inner)
walk(document)
for path in ["pools", "pools/{id}", "pools/{id}/decisions", "pools/{id}/explain", "events", "account", "policies", "openapi.json"]:
    assert "get" in document["paths"]["/api/v1/" + path], path
for path in ["plan", "pools/{id}/pause", "pools/{id}/resume", "reload"]:
    assert "post" in document["paths"]["/api/v1/" + path], path
PY
ok "the description is OpenAPI 3.1, whole, and has every path"

ask 401 -X POST "$url/api/v1/reload"
says "token-needed"
ask 401 -X POST -H "authorization: Bearer guessed-0123456789abcdef" "$url/api/v1/reload"
ask 403 -X POST -H "$(bearer read-token)" "$url/api/v1/reload"
ask 202 -X POST -H "$(bearer token)" "$url/api/v1/reload"
ask 403 -H "host: evil.example" "$url/api/v1/pools"
head -c 3000000 /dev/zero >large
ask 413 -X POST -H "$(bearer token)" --data-binary @large "$url/api/v1/plan"
ok "writes need a token that lets write; a foreign host and a large body are refused"

old=$(cat token)
openssl rand -hex 32 >token.new
cat token.new token >both && mv both token
ask 202 -X POST -H "authorization: Bearer $old" "$url/api/v1/reload"
for _ in $(seq 100); do
    [ "$(curl -sS -o said -w '%{http_code}' -X POST -H "$(bearer token.new)" "$url/api/v1/reload")" = 202 ] && break
    sleep 0.1
done
mv token.new token
ask 202 -X POST -H "$(bearer token)" "$url/api/v1/reload"
for _ in $(seq 100); do
    [ "$(curl -sS -o said -w '%{http_code}' -X POST -H "authorization: Bearer $old" "$url/api/v1/reload")" = 401 ] && break
    sleep 0.2
done
says "token-wrong"
ok "a token is rotated: both count, then the new one alone"

curl -sSN --max-time 15 "$url/api/v1/events" >events &
listener=$!
sleep 1
wants 3
until_says "/api/v1/pools/render" '"dedicated":3'
wait $listener || true
grep -q '^event: decided' events || { cat events >&2; fail "no decision was heard"; }
first=$(grep -m1 '^id: ' events | cut -d' ' -f2)
curl -sSN --max-time 3 -H "last-event-id: $first" "$url/api/v1/events" >again || true
[ "$(grep -c '^id: ' again)" -ge 1 ] || fail "nothing was heard behind $first"
if grep -q "^id: $first\$" again; then fail "$first was heard twice"; fi
curl -sSN --max-time 2 -H "last-event-id: 1-1" "$url/api/v1/events" >again || true
grep -q '^event: gap' again || fail "a number of another run is not told as a gap"
ok "events are heard as they happen, a listener goes on where it was, and is told what it missed"

ask 200 "$url/api/v1/pools/render/decisions?from=1h&text=formula&limit=2"
[ "$(value '["decisions"].__len__()')" -ge 1 ] || fail "no decision was found"
ask 200 "$url/api/v1/pools/render/explain?at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
says "by policy render"
ok "decisions are searched, and explained as of a moment"

ask 200 -X POST -H "$(bearer token)" -H 'content-type: application/json' "$url/api/v1/plan" --data-binary \
    '{"policies":[{"name":"own","text":"version: 1\npool: other\ninterval: 60s\ndemand: [ { formula: { role: targets, text: \"$TargetDedicatedNodes = 9;\" } } ]\nbounds: { total: [0, 20] }\n"}]}'
says '"changes":true'
says '"unmatched":["render"]'
queued='{"policies":[{"name":"queued","text":"version: 1\npool: other\ndemand: [ { queue: { source: file, name: depth } } ]\nbounds: { total: [0, 20] }\n"}]}'
ask 200 -X POST -H "$(bearer token)" "$url/api/v1/plan" --data-binary "$queued"
[ "$(value '["decisions"][0]["order"]["dedicated"]')" = 7 ] || fail "seven messages in a file are not planned for: $(cat said)"
rm numbers/depth
ask 200 -X POST -H "$(bearer token)" "$url/api/v1/plan" --data-binary "$queued"
says '"changes":false'
ask 422 -X POST -H "$(bearer token)" "$url/api/v1/plan" --data-binary '{"policies":[{"name":"own","text":"version: 1\npool: render\nbonds: 3\n"}]}'
says "did you mean"
ok "a plan tells what other policies would order, what they ask beside the account included, or what is wrong with them"

export LOWTIDE_SERVER=$url LOWTIDE_TOKEN_FILE=token
"$program" pause render --for 2h --why "a release runs" >said || fail "pause"
says "nothing is ordered until"
wants 5
until_says "/api/v1/pools/render" "a release runs"
until_says "/api/v1/pools/render" '"reasonCode":"halted"'
"$program" status >said || true
says "a release runs"
open_sidecar lowtide.toml
export LOWTIDE_SERVER=$url
until_says "/api/v1/pools/render" '"reasonCode":"halted"'
ok "a pause holds the pool, is told by status, and survives a restart"
"$program" resume render >said || fail "resume"
says "nothing is paused"
until_says "/api/v1/pools/render" '"dedicated":5'
close_sidecar
"$program" pause 'r*' --in --ledger lowtide.db >said || fail "pause in the ledger"
says "no nodes are taken away until it is resumed"
"$program" resume 'r*' --ledger lowtide.db >said || fail "resume in the ledger"
ok "it goes on when it is resumed; the ledger itself takes pauses as well"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" 2>/dev/null
}
signed() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$2.key" -out "$2.csr" -subj "/CN=$2" 2>/dev/null
    openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days 1 -out "$2.crt" \
        -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n') 2>/dev/null
}
authority servers
authority clients
authority strangers
signed servers tls
signed clients operator
signed strangers stranger
cat >tls.toml <<TOML
$(sed -n '/^\[http\]/q;p' lowtide.toml)
[http]
listen = "0.0.0.0:0"
tokenFile = "token"
tls = { certificateFile = "tls.crt", keyFile = "tls.key", clientAuthorityFile = "clients.pem" }
[log]
format = "json"
TOML
open_sidecar tls.toml
case $url in https://*) ;; *) fail "it does not speak https: $url" ;; esac
ask 200 --cacert servers.pem "$url/livez"
ask 401 --cacert servers.pem "$url/api/v1/pools"
ask 200 --cacert servers.pem -H "$(bearer token)" "$url/api/v1/pools"
ask 202 --cacert servers.pem --cert operator.crt --key operator.key -X POST "$url/api/v1/reload"
if curl -sS -o said --max-time 10 --cacert servers.pem --cert stranger.crt --key stranger.key "$url/api/v1/pools" 2>/dev/null; then
    fail "a stranger's certificate was let in"
fi
cat operator.crt operator.key >operator.pem
env -u LOWTIDE_TOKEN_FILE "$program" status --server "${url/127.0.0.1/localhost}" --server-ca-file servers.pem --client-certificate operator.pem >said 2>&1 || true
says "account lowtide"
ok "over https reads need a token where others reach the door; a client certificate lets write, a stranger's nothing"
if grep -qF "$(head -1 token)" serve.log || grep -qF "$key" serve.log; then fail "a secret is in the log"; fi
ok "no secret is in the log"
echo "interface: $step steps in $SECONDS s"
