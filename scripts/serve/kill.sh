#!/usr/bin/env bash
# Kills the real sidecar (SIGKILL) at every point at which it writes, against the real local account, and holds what is in the
# account and in the ledger against each other: kill.sh [KILLS] [SECONDS]. Needs python3 and nothing that has to be installed.
cd "$(dirname "$0")/../.."
here=$PWD
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER

cd "$scratch"
cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 500, spotCores: 500 }
# As fast as can be, so that the pool is steady again when the next life of the sidecar begins.
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3, taskSlotsPerNode: 1 } ]
YAML
open_account --scenario scenario.yaml --speed 200
export LOWTIDE_ACCOUNT="$account" AZURE_BATCH_ACCESS_KEY="$key"
python3 "$here/scripts/serve/kill.py" "$program" "$http" "${1:-400}" "${2:-240}"
