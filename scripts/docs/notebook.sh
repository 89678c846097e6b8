#!/usr/bin/env bash
# Tables as notebooks read them: CSV and Parquet of backtests, reports and ledgers, in pandas and DuckDB, held against -o json.
# Installs both into an environment of its own. With LOWTIDE unset a debug build with Parquet is made.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

lowtide=${LOWTIDE:-}
if [ -z "$lowtide" ]; then
    cargo build --locked --features parquet
    lowtide=target/debug/lowtide
fi
python=$(environment notebook pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1)/bin/python
"$python" scripts/docs/notebook.py "$(realpath "$lowtide")" "$scratch" >"$scratch/said" || { cat "$scratch/said" >&2; fail "a table is not what it should be"; }
while read -r line; do ok "$line"; done <"$scratch/said"
echo "notebook: $step steps in $SECONDS s"
