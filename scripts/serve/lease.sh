#!/usr/bin/env bash
# A pool that follows a lease (`actuator: leaseFormula`), and a sidecar that dies: the pool keeps what was decided until the lease is
# over, then follows its tasks by itself, and is taken over again without a flap. An hour and more of the account's time passes in a
# minute and a half. Needs python3 and a C compiler.
cd "$(dirname "$0")/../.."
. scripts/serve/account.sh
loadable skew

# The account and the sidecar share a clock on the wall that runs faster than the machine's.
SKEW_SINCE=$(date +%s)
export SKEW_SPEED=60 SKEW_SINCE
LD_PRELOAD=$scratch/skew.so open_scenario "$SKEW_SPEED" <<'YAML'
timing: { allocation: 5s, creating: 5s, starting: 5s, leaving: 5s, stopping: 5s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
python3 "$here/scripts/serve/lease.py" "$program" "$http" "$scratch/skew.so"
