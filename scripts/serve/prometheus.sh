#!/usr/bin/env bash
# A real Prometheus scrapes `lowtide serve` while it steers the local account: what it then answers is what the ledger says, and its
# promtool finds nothing wrong with the metrics. Installs the Debian package `prometheus` where it is not there. Needs python3, curl.
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
start_account
start_sidecar
within 15 curl -fs "$http/readyz"
within 45 grep -q 'order accepted.*pool="render"' sidecar.log
curl -fs "$http/metrics" >metrics.txt
promtool check metrics <metrics.txt || fail "promtool check metrics"
ok "promtool finds nothing wrong with $(grep -c '^# TYPE' metrics.txt) metrics"

port=$(free_port)
cat >prometheus.yml <<YAML
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: lowtide
    static_configs: [ { targets: [ "127.0.0.1:$sidecar_port" ] } ]
YAML
prometheus --config.file=prometheus.yml --storage.tsdb.path="$scratch/tsdb" --web.listen-address="127.0.0.1:$port" \
    --log.level=warn >prometheus.log 2>&1 &
started+=($!)
within 30 curl -fs "http://127.0.0.1:$port/-/ready"
# Prints the one value that a query gives.
ask() {
    curl -fs --get "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$1" |
        python3 -c 'import json, sys; found = json.load(sys.stdin)["data"]["result"]; print(found[0]["value"][1] if found else "nothing")'
}
up() { [ "$(ask up)" = 1 ]; }
within 30 up
ok "Prometheus scrapes it"
# Counts the lines of a kind in the ledger.
ledger() { python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:lowtide.db?mode=ro", uri=True).execute(
    "select count(*) from ledger where kind = ?", sys.argv[1:]).fetchone()[0])' "$1"; }
agrees() { [ "$(ask 'sum(lowtide_decisions_total)')" = "$(ledger decided)" ]; }
within 45 agrees
ok "it counts the decisions that the ledger holds: $(ask 'sum(lowtide_decisions_total)')"
settled() { [ "$(ask 'sum(lowtide_apply_total)')" = "$(ledger settled)" ]; }
within 45 settled
ok "and the orders: $(ask 'sum(lowtide_apply_total)')"
[ "$(ask 'lowtide_leader')" = 1 ] || fail "nobody leads"
[ "$(ask 'lowtide_ready')" = 1 ] || fail "it is not ready"
outcome='sum(lowtide_target_nodes{pool="render",stage="outcome"})'
told=$(health 'page["totals"]["target"]["dedicated"] + page["totals"]["target"]["spot"]')
echo "    nodes wanted now: $(ask "$outcome"), target at the latest look: $told"
ok "leader and ready are told; policy $(ask 'count(lowtide_policy_info{pool="render",mode="full"})')"
