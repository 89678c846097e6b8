#!/usr/bin/env bash
# The recording rules and alerts: whole, tested one by one, with a runbook each, and of metrics that there are.
# Unpacks Debian's prometheus for promtool when there is none.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

unpacked prometheus promtool
python=$(environment yaml PyYAML==6.0.3)/bin/python
promtool check rules deploy/prometheus/*.rules.yaml deploy/prometheus/*.alerts.yaml >"$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
ok "promtool reads $(grep -o '[0-9]* rules found' "$scratch/said" | awk '{ n += $1 } END { print n }') rules"
promtool check config --syntax-only deploy/prometheus/prometheus.yaml >"$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
ok "promtool reads the example configuration"
promtool test rules deploy/prometheus/tests/*.yaml >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
ok "$(grep -c SUCCESS "$scratch/said") files of tests pass"
"$python" scripts/deploy/rules.py
echo "rules: $step steps in $SECONDS s"
