#!/usr/bin/env bash
# A pool that follows a lease (`actuator: leaseFormula`), and a sidecar that dies: the pool keeps what was decided until the lease is
# over, then follows its tasks by itself, and is taken over again without a flap. An hour and more of the account's time passes in a
# minute and a half. Needs python3 and a C compiler.
cd "$(dirname "$0")/../.."
here=$PWD
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER
cc -O1 -shared -fPIC -o "$scratch/skew.so" scripts/serve/skew.c

cd "$scratch"
cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 500, spotCores: 500 }
timing: { allocation: 5s, creating: 5s, starting: 5s, leaving: 5s, stopping: 5s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
# The account and the sidecar share a clock on the wall that runs faster than the machine's.
SKEW_SINCE=$(date +%s)
export SKEW_SPEED=60 SKEW_SINCE
LD_PRELOAD=$scratch/skew.so open_account --scenario scenario.yaml --speed "$SKEW_SPEED"
export LOWTIDE_ACCOUNT="$account" AZURE_BATCH_ACCESS_KEY="$key"
python3 "$here/scripts/serve/lease.py" "$program" "$http" "$scratch/skew.so"
