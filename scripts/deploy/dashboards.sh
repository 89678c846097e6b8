#!/usr/bin/env bash
# The Grafana dashboards: as their source writes them, of metrics that there are, by Grafana's own types, and understood by a real
# Prometheus. Unpacks Debian's prometheus and installs Grafana's types with npm when they are not there.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

python3 scripts/deploy/grafana.py --check
ok "deploy/grafana is what scripts/deploy/grafana.py writes"
python3 scripts/deploy/dashboards.py >"$scratch/said"
ok "$(cat "$scratch/said")"

# Types of Grafana and their compiler, which npm brings.
types() {
    if [ ! -d "$cache/types/node_modules/@grafana/schema" ]; then
        echo "installing Grafana's types" >&2
        mkdir -p "$cache/types"
        echo '{ "private": true }' >"$cache/types/package.json"
        npm install --prefix "$cache/types" --silent --no-audit --no-fund typescript@5.9.3 @grafana/schema@13.2.3 >&2
    fi
    local panels
    panels=$(python3 scripts/deploy/grafana_types.py "$cache/types/dashboards.ts")
    (
        cd "$cache/types"
        node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target es2022 dashboards.ts
    ) >"$scratch/said" || { cut -c1-300 "$scratch/said" >&2; exit 1; }
    ok "$panels are what Grafana 13 says that dashboards are"
}
if command -v npm >/dev/null; then types; else not_run "Grafana's types, for want of npm"; fi
not_run "a real Grafana, which Debian does not package: how the pages look was not seen here"

unpacked prometheus prometheus
program=${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
if [ -n "$program" ] && "$program" serve --help >/dev/null 2>&1; then
    python3 scripts/deploy/live.py "$scratch" "$program" >"$scratch/live.said" || { cat "$scratch/live.said" >&2; exit 1; }
else
    not_run "the queries on what a sidecar exports: no build of it here; run 'cargo build' first, or name one in LOWTIDE"
    python3 scripts/deploy/live.py "$scratch" >"$scratch/live.said" || { cat "$scratch/live.said" >&2; exit 1; }
fi
while read -r line; do ok "$line"; done <"$scratch/live.said"
echo "dashboards: $step steps in $SECONDS s"
