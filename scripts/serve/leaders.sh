#!/usr/bin/env bash
# Two real sidecars over one real PostgreSQL: the one that leads is killed, stopped, cut off, or given a wrong clock, the server goes
# away, and never are there two that write or order: leaders.sh [ROUNDS]. Installs PostgreSQL where it is not there. Needs python3
# and a C compiler.
cd "$(dirname "$0")/../.."
. scripts/serve/account.sh
. scripts/store/server.sh
trap 'end; end_postgres; rm -rf "$scratch"' EXIT
loadable skew strike
find_postgres
make_postgres "$scratch"
bash "$server_run" server start

open_scenario 20 <<'YAML'
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
python3 "$here/scripts/serve/leaders.py" "$program" "$http" "$scratch" "$programs/psql" "$port" "$server_run" "${1:-2}"
