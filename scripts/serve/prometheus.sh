#!/usr/bin/env bash
# A real Prometheus scrapes `lowtide serve` while it steers the local account: what it then answers is what the ledger says, and its
# promtool finds nothing wrong with the metrics. Then the other way: the past of a pool out of Prometheus is that of the ledger, takes its
# place when the ledger is gone, and its absence is told. Installs the Debian package `prometheus` where it is not there. Needs python3, curl.
cd "$(dirname "$0")/../.."
. scripts/serve/sidecar.sh
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo "installing prometheus"
    run=()
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    # Only its programs are wanted: unpacked beside, so that no service of the system is started.
    (cd "$scratch" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb prometheus-package)
    export PATH=$scratch/prometheus-package/usr/bin:$PATH
fi
write_readme_files
port=$(free_port)
printf '\n[history]\nprometheus = "http://127.0.0.1:%s"\nlabels = { job = "lowtide" }\n' "$port" >>lowtide.toml
start_account
start_sidecar
within 60 curl -fs "$http/readyz"
within 90 grep -q 'order accepted.*pool="render"' sidecar.log
curl -fs "$http/metrics" >metrics.txt
promtool check metrics <metrics.txt || fail "promtool check metrics"
ok "promtool finds nothing wrong with $(grep -c '^# TYPE' metrics.txt) metrics"

cat >prometheus.yml <<YAML
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: lowtide
    static_configs: [ { targets: [ "127.0.0.1:$sidecar_port" ] } ]
YAML
prometheus --config.file=prometheus.yml --storage.tsdb.path="$scratch/tsdb" --web.listen-address="127.0.0.1:$port" \
    --log.level=warn >prometheus.log 2>&1 &
prometheus=$!
started+=("$prometheus")
within 60 curl -fs "http://127.0.0.1:$port/-/ready"
# Prints the one value that a query gives.
ask() {
    curl -fs --get "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$1" |
        python3 -c 'import json, sys; found = json.load(sys.stdin)["data"]["result"]; print(found[0]["value"][1] if found else "nothing")'
}
up() { [ "$(ask up)" = 1 ]; }
within 60 up
ok "Prometheus scrapes it"
# Counts the lines of a kind in the ledger.
ledger() { python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:lowtide.db?mode=ro", uri=True).execute(
    "select count(*) from ledger where kind = ?", sys.argv[1:]).fetchone()[0])' "$1"; }
agrees() { [ "$(ask 'sum(lowtide_decisions_total)')" = "$(ledger decided)" ]; }
within 90 agrees
ok "it counts the decisions that the ledger holds: $(ask 'sum(lowtide_decisions_total)')"
settled() { [ "$(ask 'sum(lowtide_apply_total)')" = "$(ledger settled)" ]; }
within 90 settled
ok "and the orders: $(ask 'sum(lowtide_apply_total)')"
[ "$(ask 'lowtide_leader')" = 1 ] || fail "nobody leads"
[ "$(ask 'lowtide_ready')" = 1 ] || fail "it is not ready"
outcome='sum(lowtide_target_nodes{pool="render",stage="outcome"})'
told=$(health 'page["totals"]["target"]["dedicated"] + page["totals"]["target"]["spot"]')
echo "    nodes wanted now: $(ask "$outcome"), target at the latest look: $told"
ok "leader and ready are told; policy $(ask 'count(lowtide_policy_info{pool="render",mode="full"})')"

# Prints one part of the course of the pool.
course() { curl -fs "$http/api/v1/pools/render/series?$1" | python3 -c "import json, sys; told = json.load(sys.stdin); print($2)"; }
# Holds what Prometheus told against what the ledger says: a moment of it is that of the decision before, unless one was just made.
compare() {
    curl -fs "$http/api/v1/pools/render/series?from=4m&points=600&history=ledger" >ledger.json
    curl -fs "$http/api/v1/pools/render/series?from=4m&history=prometheus" >past.json
    python3 - <<'PY'
import bisect, json
ledger, past = json.load(open("ledger.json")), json.load(open("past.json"))
assert past["history"] == {"of": "prometheus"}, past["history"]
# A look is scraped at the latest two seconds after it.
late, held = 2.5, 0
for place, at in enumerate(past["at"]):
    before = bisect.bisect_right(ledger["at"], at) - 1
    if past["dedicated"][place] is None or before < 0 or at - ledger["at"][before] < late:
        continue
    for name in "dedicated", "spot", "targetDedicated", "targetSpot", "waiting", "running", "preempted":
        one, other = past[name][place], ledger[name][before]
        assert one == other, f"{name} at {at}: Prometheus {one}, the ledger {other}"
        held += 1
# What an hour costs is told by counters over five minutes: within what it was meanwhile.
cost, most = [one for one in past["costHourly"] if one], max(one for one in ledger["costHourly"] if one is not None)
assert held >= 49 and cost, f"{held} numbers, {len(cost)} costs"
assert 0 < cost[-1] <= 1.1 * most, f"an hour costs {cost[-1]} by the counters, {most} at the most by the ledger"
print(f"{held} numbers at {len(past['at'])} moments; an hour costs ${cost[-1]:.3f} by the counters, ${most:.3f} at the most by the ledger")
PY
}
compared() { compare >compared 2>compare.log; }
within 150 compared
ok "the past out of Prometheus is that of the ledger: $(cat compared)"
marks=$(course "from=4m&history=prometheus" 'len(told["marks"])')
[ "$marks" -gt 0 ] || fail "no decision is a mark"
# A ledger that begins anew has no past; Prometheus has.
kill "$sidecar"
wait "$sidecar" || fail "the sidecar ended with $?"
rm -f lowtide.db*
sleep 20
start_sidecar
looked() { [ "$(course "from=1h" 'told["history"]["of"]')" = both ]; }
within 60 looked
before=$(course "from=1h" 'sum(at < told["at"][-1] - 20 and n is not None for at, n in zip(told["at"], told["dedicated"]))')
[ "$before" -ge 2 ] || fail "$before points are from before"
ok "the ledger begins anew, and $before points of what was before come from Prometheus"
kill "$prometheus"
wait "$prometheus" 2>/dev/null || true
# What is past is kept for a while; another time is asked for anew.
absent() { [ "$(course "from=2h" 'told["history"].get("fault") is not None and told["history"]["of"] == "ledger"')" = True ]; }
within 60 absent
ok "Prometheus is gone, and that is told: $(course "from=2h" 'told["history"]["fault"]')"
