#!/usr/bin/env bash
# Kills the real sidecar (SIGKILL) at every point at which it writes, against the real local account, and holds what is in the
# account and in the ledger against each other: kill.sh [KILLS] [SECONDS]. It goes on beyond so many kills until one fell between
# every two lines, or its time is over. Needs python3 and a C compiler.
cd "$(dirname "$0")/../.."
. scripts/serve/account.sh
loadable strike

open_scenario 20 <<'YAML'
# As fast as can be, so that the pool is steady again when the next life of the sidecar begins.
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools:
  - { id: free, vmSize: standard_d2s_v5, dedicated: 3 }
  - { id: cooled, vmSize: standard_d2s_v5, dedicated: 3 }
  - { id: leased, vmSize: standard_d2s_v5, dedicated: 3 }
  - { id: new, vmSize: standard_d2s_v5, dedicated: 3 }
  - { id: newer, vmSize: standard_d2s_v5, dedicated: 3 }
YAML
python3 "$here/scripts/serve/kill.py" "$program" "$http" "$scratch/strike.so" "${1:-140}" "${2:-180}"
