#!/usr/bin/env bash
# The chart: linted and rendered by Helm's own library, held to the schemas of Kubernetes, and its configurations read by the program.
# Installs Helm's library for Python, the schemas, and Debian's prometheus when they are not there.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

python=$(environment chart helm-python-sdk==0.2.2 kubernetes-validate==1.37.0 PyYAML==6.0.3)/bin/python
# The library tells every link that it follows.
"$python" scripts/deploy/chart.py "$scratch" >"$scratch/said" 2>"$scratch/faults" || { grep -v " INFO " "$scratch/faults" >&2; exit 1; }
while read -r line; do ok "$line"; done <"$scratch/said"
unpacked prometheus promtool
promtool check rules "$scratch/rules.yaml" >"$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
ok "the chart's PrometheusRule: $(sed -n 's/.*SUCCESS: //p' "$scratch/said")"
not_run "ServiceMonitor and PrometheusRule against the operator's own schemas, which no registry here has"
not_run "an installation: there is no cluster"

program=${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
if [ -z "$program" ] || ! "$program" serve --help >/dev/null 2>&1; then
    not_run "the configurations of the chart: no build of the program here; run 'cargo build' first, or name one in LOWTIDE"
    exit
fi
# Policies and secrets where a pod would have them.
mkdir -p "$scratch/policies" "$scratch/secrets"
printf 'version: 1\npool: render\ndemand: [ { backlog: { drainWithin: 15m } } ]\n' >"$scratch/policies/render.yaml"
printf 'a2V5\n' >"$scratch/secrets/batch-key"
printf 'postgres://lowtide:word@127.0.0.1:1/lowtide\n' >"$scratch/secrets/postgres-address"
printf 'token\n' >"$scratch/token"
printf '%064d\n' 1 >"$scratch/secrets/http-token"
printf '%064d\n' 2 >"$scratch/secrets/http-read-token"
printf 'word\n' >"$scratch/secrets/history-password"
other='s|/none/|/none/|'
if ! "$program" schema config | grep -q postgresFile; then
    not_run "a ledger in PostgreSQL: this build of the program takes none, and a file of SQLite stands in for it"
    other="s|^postgresFile = .*|sqlite = \"$scratch/ledger.db\"|"
fi
for setting in least full managed; do
    sed "s|/etc/lowtide|$scratch|; s|/var/lib/lowtide|$scratch|; $other" "$scratch/$setting.toml" >"$scratch/$setting-here.toml"
    AZURE_CLIENT_ID=00000000-0000-0000-0000-000000000001 AZURE_TENANT_ID=00000000-0000-0000-0000-000000000002 \
        AZURE_FEDERATED_TOKEN_FILE=$scratch/token AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/ \
        "$program" serve --config "$scratch/$setting-here.toml" --check >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; fail "the configuration of the setting $setting"; }
done
ok "lowtide serve --check takes the configurations of all settings"
echo "chart: $step steps in $SECONDS s"
