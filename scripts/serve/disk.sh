#!/usr/bin/env bash
# The ledger in a file, when the disk is full, when another process holds the file, and when its bytes are wrong: orders stop, the pool
# holds, readiness and metrics tell, and work resumes. The disk is a small one in memory where one can be mounted, and a limit on the
# size of files elsewhere. Needs python3.
cd "$(dirname "$0")/../.."
. scripts/serve/account.sh
trap 'end; umount "$scratch/disk" 2>/dev/null || true; rm -rf "$scratch"' EXIT

cd "$scratch"
mkdir disk
mount -t tmpfs -o size=4m none disk 2>/dev/null || true
open_scenario 20 <<'YAML'
timing: { allocation: 1s, creating: 1s, starting: 1s, leaving: 1s, stopping: 1s }
pools: [ { id: render, vmSize: standard_d2s_v5, dedicated: 3 } ]
YAML
python3 "$here/scripts/serve/disk.py" "$program" "$http"
