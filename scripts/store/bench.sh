#!/usr/bin/env bash
# How quick a ledger of a million lines is, in a file of SQLite and in a PostgreSQL of its own: what it takes in, and each kind of
# search. Ten to twenty minutes, half of them compiling; LOWTIDE_LINES asks for another number, bench.sh dev for a build that is quick to make.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/store/server.sh

scratch_postgres
bash "$server_run" server start
bash "$server_run" psql postgres "CREATE DATABASE bench"

profile=${1:-release}
echo "== SQLite $(date -u +%F)"
env -u LOWTIDE_LEDGER cargo bench --locked --profile "$profile" --bench store
echo "== PostgreSQL $("$programs/postgres" --version | grep -o '[0-9.]*' | head -1)"
LOWTIDE_LEDGER="postgres://app@127.0.0.1:$port/bench" cargo bench --locked --profile "$profile" --bench store
