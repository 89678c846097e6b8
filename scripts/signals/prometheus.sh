#!/usr/bin/env bash
# Numbers of a real Prometheus as demand: fresh, stale, NaN, empty, several series and refused; and the past of a pool's metrics, which
# formulas look back on at once. Installs Prometheus where it is missing. Needs python3 and curl.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh
. scripts/signals/steps.sh
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY
program=$(realpath -s "$program")

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo "installing prometheus" >&2
    as_root apt-get update -qq
    # The package would start a service, which nobody needs here.
    policy=/usr/sbin/policy-rc.d
    made=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        made=yes
    fi
    as_root apt-get install -y --no-install-recommends prometheus >&2
    [ "$made" = no ] || as_root rm -f "$policy"
fi

cd "$scratch"
# What was scraped each 15 seconds for three hours until a few seconds from now, so that it is fresh for a while; one series ended ten
# minutes ago, one is no number, and one has a gap of twenty minutes that ends an hour ago.
python3 - >history.om <<'PY'
import time
end = int(time.time()) + 90
def series(name, labels, value, until=0):
    for at in range(end - 3 * 3600, end - until, 15):
        told = value(end - at)
        if told is not None:
            print(f"{name}{{{labels}}} {told} {at}")
print("# TYPE waiting gauge")
series("waiting", 'pool="agents"', lambda age: 9)
series("waiting", 'pool="empty"', lambda age: 0)
series("waiting", 'pool="stale"', lambda age: 9, until=600 + 90)
series("waiting", 'pool="odd"', lambda age: "NaN")
print("# TYPE batch_tasks gauge")
series("batch_tasks", 'pool="agents"', lambda age: None if 3600 < age < 4800 else (24 if age > 1800 else 8))
print("# EOF")
PY
cat >prometheus.yml <<'YAML'
global: { scrape_interval: 15s }
YAML
promtool tsdb create-blocks-from openmetrics history.om data >blocks.log
port=$(free_port)
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --storage.tsdb.retention.time=10y \
    --web.listen-address="127.0.0.1:$port" --log.level=warn >prometheus.log 2>&1 &
parts+=($!)
for _ in $(seq 300); do curl -fs -o /dev/null "http://127.0.0.1:$port/-/ready" && break; sleep 0.1; done

cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 100, spotCores: 100 }
pools: [ { id: agents, vmSize: standard_d4s_v5, dedicated: 4, taskSlotsPerNode: 4 } ]
YAML
open_account --scenario scenario.yaml --speed 1
export AZURE_BATCH_ACCOUNT=$account AZURE_BATCH_ENDPOINT=$http AZURE_BATCH_ACCESS_KEY=$key
cat >sources.toml <<TOML
[prometheus.default]
url = "http://127.0.0.1:$port"
[prometheus.default.history]
"\$PendingTasks" = 'batch_tasks{pool="{pool}"}'
[prometheus.gone]
url = "http://127.0.0.1:$(free_port)"
TOML
asks() {
    cat >policy.yaml <<YAML
version: 1
pool: agents
interval: 60s
demand: [ { $1 } ]
bounds: { total: [0, 40] }
guards: { missing: { enough: 0%, staleAfter: 90s, within: 90s } }
YAML
}
queue() { asks "queue: { source: prometheus, plus: nothing, query: '$1'${2:+, $2} }"; }

queue 'sum(waiting{pool="{pool}"})'
plan
is 'signal["value"], signal["state"]' '9.0, "fresh"'
is 'plan["order"]["dedicated"]' 3
ok "an instant query is demand, with the id of the pool in it"

asks "track: { source: prometheus, query: 'avg(waiting{pool=\"agents\"})', target: 4.5 }"
plan
is 'plan["steps"][0]["reason"]["code"], signal["value"]' '"track", 9.0'
ok "a query is kept near its target"

queue 'waiting{pool="empty"}'
plan
is 'signal["value"], signal["state"], plan["order"]["dedicated"]' '0.0, "fresh", 0'
ok "a zero is a real zero: the pool goes to nothing"

queue 'waiting{pool="stale"}'
plan
is 'signal["state"], signal["lack"], plan["hold"]["code"]' '"missing", "empty", "signalMissing"'
ok "a series that ended ten minutes ago is no number, though the server might look back for it"
queue 'waiting{pool="stale"}' "staleAfter: 1h"
plan
is 'signal["state"], signal["value"]' '"fresh", 9.0'
python3 -c '
import json, re
age = json.load(open("plan.json"))["signals"][0]["age"]
minutes = sum(float(n) * {"H": 60, "M": 1, "S": 1 / 60}[u] for n, u in re.findall(r"([\d.]+)([HMS])", age))
assert 9.5 < minutes < 13, age
' || fail "its age is not that of its last sample"
ok "where it may be an hour old, its age is that of its last sample and not of the question"

queue 'waiting{pool="odd"}'
plan
is 'signal["lack"], plan["hold"]["code"]' '"notANumber", "signalMissing"'
ok "NaN is no number"
queue '0 / (waiting{pool="empty"} * 0)'
plan
is 'signal["lack"]' '"notANumber"'
ok "nor is what is divided by nothing"
queue 'waiting{pool="absent"}'
plan
is 'signal["lack"], plan["hold"]["code"]' '"empty", "signalMissing"'
ok "an empty vector is no zero"
queue 'sum(waiting{pool="absent"}) or vector(0)'
plan
is 'signal["value"], plan["order"]["dedicated"]' '0.0, 0'
ok "unless the query makes it one"
queue 'waiting'
plan
tells "series, and one number is wanted"
ok "several series are refused with a way out"
queue 'sum(waiting'
plan
tells "could not be asked"
is 'plan["hold"]["code"]' '"signalMissing"'
ok "a query that cannot be read holds the pool"
queue 'sum(waiting)' "endpoint: gone"
plan
tells "cannot be reached"
ok "and so does a server that is gone"

cat >policy.yaml <<'YAML'
version: 1
pool: agents
interval: 60s
demand:
  - formula:
      role: demand
      text: |
        hour = $PendingTasks.GetSample(TimeInterval_Hour, 90);
        $TargetDedicatedNodes = max(hour) / $TaskSlotsPerNode;
bounds: { total: [0, 40] }
YAML
"$program" plan policy.yaml -o json >plan.json 2>said
is 'plan["hold"]["code"]' '"formulaFault"'
plan
is 'plan["hold"], plan["order"]["dedicated"]' 'None, 6'
ok "a formula that wants 90 % of an hour has none after a start, and all of it out of Prometheus"
python3 - <<'PY'
text = open("policy.yaml").read()
text = text.replace("TimeInterval_Hour, 90", "TimeInterval_Hour * 1, TimeInterval_Minute * 85, 90")
open("policy.yaml", "w").write(text)
PY
plan
is 'plan["hold"]["code"]' '"formulaFault"'
ok "a gap of twenty minutes in the past stays one"
echo "prometheus: $step steps in $SECONDS s"
