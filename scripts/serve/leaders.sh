#!/usr/bin/env bash
# Two real sidecars over one real PostgreSQL: the one that leads is killed, stopped, cut off, or given a wrong clock, the server goes
# away, and never are there two that write or order: leaders.sh [ROUNDS]. Installs PostgreSQL where it is not there. Needs python3
# and a C compiler.
cd "$(dirname "$0")/../.."
here=$PWD
. scripts/clients/account.sh
. scripts/store/server.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER
trap 'end; end_postgres; rm -rf "$scratch"' EXIT
for part in skew strike; do cc -O1 -shared -fPIC -o "$scratch/$part.so" "scripts/serve/$part.c"; done
find_postgres
make_postgres "$scratch"
bash "$server_run" server start

cd "$scratch"
cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 500, spotCores: 500 }
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
open_account --scenario scenario.yaml --speed 20
export LOWTIDE_ACCOUNT="$account" AZURE_BATCH_ACCESS_KEY="$key"
python3 "$here/scripts/serve/leaders.py" "$program" "$http" "$scratch" "$programs/psql" "$port" "$server_run" "${1:-2}"
