#!/usr/bin/env bash
# The README's section "The sidecar" as it stands there: a local account and `lowtide serve` beside it, through work, an idle time, a
# changed policy, a broken one, the kill switch, a restart and an end. Needs python3 and curl.
cd "$(dirname "$0")/../.."
. scripts/serve/sidecar.sh
write_readme_files
start_account
"$program" serve --config lowtide.toml --check >check.out 2>check.log || fail "the README's configuration"
grep -q "render: pool render, mode full, every 30s" check.out || fail "--check does not tell the policy"
ok "the configuration of the README is whole"

start_sidecar
within 60 curl -fs "$http/readyz"
ok "ready: $(curl -fs "$http/readyz")"
within 90 grep -q 'order accepted.*pool="render"' sidecar.log
ok "the pool grows for the tasks: $(grep -o 'INFO order decision.*' sidecar.log | head -1 | cut -c1-120)"
grows() { [ "$(health 'page["totals"]["current"]["dedicated"] + page["totals"]["current"]["spot"]')" -ge 1 ]; }
within 90 grows
ok "its nodes come"
shrinks() { is 'page["totals"]["target"]["dedicated"] + page["totals"]["target"]["spot"]' 0; }
within 150 shrinks
# Until its nodes are gone a pool takes no other order, and is looked at again half a minute later.
gone() { is 'page["totals"]["current"]["dedicated"] + page["totals"]["current"]["spot"]' 0; }
within 90 gone
ok "nobody waits any more, and the pool is empty again"

sed -i 's/total: \[0, 6\]/total: [2, 6], dedicated: [2, 6]/' policies/render.yaml
within 30 is 'page["health"]["reload"]["times"] >= 2' True
within 15 is 'page["totals"]["target"]["dedicated"]' 2
ok "a policy that is saved is in effect at once"
sed 's/interval: 30s/interval: 5s/' policies/render.yaml >policies/new && mv policies/new policies/render.yaml
within 30 metric_is lowtide_reload_success 0
is 'page["status"]' degraded || fail "a broken policy is not told"
grep -q 'render.yaml.*line=4' sidecar.log || fail "the log does not say where the policy is broken"
is 'page["policies"][0]["pool"]' render || fail "the old policy is gone"
ok "a broken policy keeps what it was, told with its line: $(curl -fs "$http/readyz")"
sed -i 's/interval: 5s/interval: 30s/' policies/render.yaml
within 30 metric_is lowtide_reload_success 1
ok "and is mended"

echo "inspection until noon" >STOP
sed -i 's/total: \[2, 6\], dedicated: \[2, 6\]/total: [4, 6], dedicated: [4, 6]/' policies/render.yaml
within 15 is 'any("inspection until noon" in reason["message"] for reason in page["reasons"])' True
within 30 grep -q 'no order.*inspection until noon\|everything is stopped.*inspection until noon' sidecar.log
sleep 2
is 'page["totals"]["target"]["dedicated"]' 2 || fail "something was ordered in spite of the kill switch"
ok "the kill switch stops everything, with its reason"
rm STOP
within 90 is 'page["totals"]["target"]["dedicated"]' 4
ok "and orders go out again without it"

lines_before=$("$program" serve --config lowtide.toml --check >/dev/null && wc -c <lowtide.db)
kill -TERM "$sidecar"
code=0
wait "$sidecar" || code=$?
[ "$code" -eq 0 ] || fail "SIGTERM ended it with $code"
ok "SIGTERM ends it with 0"

# The restart logs JSON, and sends its traces to a collector that keeps what it is sent.
collector_port=$(free_port)
python3 - "$collector_port" <<'PY' 2>collector.log &
import http.server, sys
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with open("traces", "ab") as traces:
            traces.write(f"{self.path} {self.headers['content-type']}\n".encode() + body)
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Collector).serve_forever()
PY
started+=($!)
cat >>lowtide.toml <<TOML

[log]
format = "json"
level = "debug"

[traces]
endpoint = "http://127.0.0.1:$collector_port"
TOML
mv sidecar.log first.log
start_sidecar
within 60 curl -fs "$http/readyz"
grep -q 'goes on with what the ledger remembers.*"pools":1' sidecar.log || fail "the restart remembers nothing"
[ "$(wc -c <lowtide.db)" -ge "$lines_before" ] || fail "the ledger has become shorter"
ok "a restart goes on with what the ledger remembers"
within 30 grep -q '"decision":[0-9]*,"pool":"render"' sidecar.log
python3 - <<'PY' || fail "a line of the log is no JSON"
import json
lines = [json.loads(line) for line in open("sidecar.log")]
assert all({"timestamp", "level", "message"} <= line.keys() for line in lines), lines
PY
ok "each line of its log is JSON, and each decision has its number in the ledger"
within 40 grep -q '^/v1/traces application/x-protobuf' traces
kill -TERM "$sidecar"
wait "$sidecar" || fail "SIGTERM ended it with $?"
for span in tick look decide record; do
    grep -aq "$span" traces || fail "no span $span was sent"
done
ok "a collector gets the spans of its ticks"
secret() { grep -arF "$AZURE_BATCH_ACCESS_KEY" first.log sidecar.log sidecar.out check.out traces lowtide.db*; }
! secret || fail "the key of the account is told"
ok "no output holds the key of the account"
