#!/usr/bin/env bash
# The ledger in a file, when the disk is full, when another process holds the file, and when its bytes are wrong: orders stop, the pool
# holds, readiness and metrics tell, and work resumes. The disk is a small one in memory where one can be mounted, and a limit on the
# size of files elsewhere. Needs python3.
cd "$(dirname "$0")/../.."
here=$PWD
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER
trap 'end; umount "$scratch/disk" 2>/dev/null || true; rm -rf "$scratch"' EXIT

cd "$scratch"
mkdir disk
mount -t tmpfs -o size=4m none disk 2>/dev/null || true
cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 500, spotCores: 500 }
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
open_account --scenario scenario.yaml --speed 20
export LOWTIDE_ACCOUNT="$account" AZURE_BATCH_ACCESS_KEY="$key"
python3 "$here/scripts/serve/disk.py" "$program" "$http"
