#!/usr/bin/env bash
# The Azure CLI against a local account: with the account's key, and with a login of a managed identity, all offline.
# Installs azure-cli into target/clients when it is not there (730 MB, a few minutes); the walk itself takes about three minutes,
# most of it the CLI's own start.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh

cli=$(client az azure-cli==2.91.0)
open_account --speed 60 --scenario scripts/clients/walk.yaml --tls-listen 127.0.0.1:0 --tls-folder "$scratch/ca"

# A configuration of its own: whoever runs this stays logged in where they were.
export AZURE_CONFIG_DIR=$scratch/az AZURE_CORE_COLLECT_TELEMETRY=no AZURE_CORE_NO_COLOR=1 AZURE_CORE_ONLY_SHOW_ERRORS=1
az() { "$cli/bin/python" -m azure.cli "$@"; }

count=0
step() {
    count=$((count + 1))
    printf 'ok %3d %5d s  %s\n' "$count" "$SECONDS" "$1"
}
fail() {
    echo "not as expected: $*" >&2
    exit 1
}
# Checks that a command prints this.
prints() {
    local wanted=$1 seen
    shift
    seen=$("$@") || fail "$* failed"
    [ "$seen" = "$wanted" ] || fail "$* printed '$seen', not '$wanted'"
}
# Checks that a command fails with this exit code and says that.
refused() {
    local code=$1 wanted=$2 seen status=0
    shift 2
    seen=$("$@" 2>&1) || status=$?
    [ "$status" = "$code" ] || fail "$* ended with $status, not $code: $seen"
    case $seen in *"$wanted"*) ;; *) fail "$* said '$seen', not '$wanted'" ;; esac
}
# Asks until a command prints this.
until_prints() {
    local wanted=$1 seen=
    shift
    for _ in $(seq 30); do
        seen=$("$@")
        [ "$seen" = "$wanted" ] && return
    done
    fail "$* still prints '$seen', not '$wanted'"
}

# Prints a pool's state, dedicated nodes and their target.
pool() {
    az batch pool show --pool-id "$1" -o tsv \
        --query "join(' ', [allocationState, to_string(currentDedicatedNodes), to_string(targetDedicatedNodes)])"
}

export AZURE_BATCH_ACCOUNT=$account AZURE_BATCH_ACCESS_KEY=$key AZURE_BATCH_ENDPOINT=$http
prints "" az batch pool list --query "[].id" -o tsv
AZURE_BATCH_ACCESS_KEY=c3RyYW5nZXI= refused 1 AuthenticationFailed az batch pool list
step "the account's key is taken, another is refused"

az batch pool create --id p0 --vm-size standard_d2s_v5 --target-dedicated-nodes 2 --task-slots-per-node 2 \
    --image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id "batch.node.ubuntu 22.04"
refused 1 PoolExists az batch pool create --id P0 --vm-size standard_d2s_v5 \
    --image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id "batch.node.ubuntu 22.04"
refused 3 PoolNotFound az batch pool show --pool-id nowhere
until_prints "steady 2 2" pool p0
step "a pool is created and grows to 2"

az batch job create --id j1 --pool-id p0
prints t1 az batch task create --job-id j1 --task-id t1 --command-line "echo hello" --query id -o tsv
until_prints 1 az batch job task-counts show --job-id j1 --query taskCounts.completed -o tsv
prints completed az batch task list --job-id j1 --query "[].state" -o tsv
step "a task is added, runs and ends"

refused 1 OperationInvalidForCurrentState az batch pool autoscale evaluate --pool-id p0 \
    --auto-scale-formula '$TargetDedicatedNodes=3;'
az batch pool autoscale enable --pool-id p0 --auto-scale-formula '$TargetDedicatedNodes=3;' \
    --auto-scale-evaluation-interval PT5M
prints '$TargetDedicatedNodes=4;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue' \
    az batch pool autoscale evaluate --pool-id p0 --auto-scale-formula '$TargetDedicatedNodes=4;' --query results -o tsv
prints AutoScalingFormulaEvaluationError \
    az batch pool autoscale evaluate --pool-id p0 --auto-scale-formula '$TargetDedicatedNodes=$x;' --query error.code -o tsv
refused 1 OperationInvalidForCurrentState az batch pool resize --pool-id p0 --target-dedicated-nodes 1
until_prints "steady 3 3" pool p0
az batch pool autoscale disable --pool-id p0
step "a formula is enabled, others are evaluated, the pool follows the first, and it is disabled"

# In this pool the scenario lets machines wait.
az batch pool create --id slow --vm-size standard_d2s_v5 --target-dedicated-nodes 3 \
    --image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id "batch.node.ubuntu 22.04"
refused 1 PoolBeingResized az batch pool resize --pool-id slow --target-dedicated-nodes 5 --target-low-priority-nodes 6
az batch pool resize --pool-id slow --abort
until_prints "steady 0 3" pool slow
prints ResizeStopped az batch pool show --pool-id slow --query "resizeErrors[0].code" -o tsv
step "a second resize meanwhile is refused, the first is stopped"

node=$(az batch node list --pool-id p0 --query "[0].id" -o tsv)
az batch node scheduling disable --pool-id p0 --node-id "$node"
until_prints offline az batch node show --pool-id p0 --node-id "$node" --query state -o tsv
az batch node delete --pool-id p0 --node-list "$node"
until_prints "steady 2 2" pool p0
step "a node is cordoned and removed"

# In this pool the scenario takes spot machines away.
az batch pool create --id spot --vm-size standard_d2s_v5 --target-low-priority-nodes 4 \
    --image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id "batch.node.ubuntu 22.04"
until_prints true az batch pool node-counts list --query "[?poolId=='spot'].lowPriority.preempted | [0] > \`0\`" -o tsv
step "spot nodes are preempted"

az batch pool create --id large --vm-size standard_d2s_v5 --target-dedicated-nodes 600 \
    --image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id "batch.node.ubuntu 22.04"
until_prints AccountCoreQuotaReached az batch pool show --pool-id large --query "resizeErrors[0].code" -o tsv
step "600 nodes of two cores meet the quota"

az batch pool usage-metrics list >/dev/null
[ "$(az batch pool supported-images list --query "length(@)" -o tsv)" -gt 3 ] || fail "few images"
az batch pool set --pool-id p0 --metadata a=b
prints b az batch pool show --pool-id p0 --query "metadata[0].value" -o tsv
step "usage, images, metadata"

az batch job stop --job-id j1
until_prints completed az batch job show --job-id j1 --query state -o tsv
az batch job delete --job-id j1 --yes
az batch pool delete --pool-id slow --yes
az batch pool delete --pool-id spot --yes
az batch pool delete --pool-id large --yes
until_prints p0 az batch pool list --query "[].id" -o tsv
step "jobs and pools are deleted"

unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ACCESS_KEY AZURE_BATCH_ENDPOINT
export REQUESTS_CA_BUNDLE=$certificate IDENTITY_ENDPOINT=$http/msi/token IDENTITY_HEADER=lowtide
az cloud register -n lowtide --endpoint-resource-manager "$https"
az cloud set -n lowtide
az login --identity >/dev/null
prints local az account show --query name -o tsv
step "the cloud is registered, a managed identity is logged in"
prints p0 az batch pool list --account-name "$account" --account-endpoint "$https" --query "[].id" -o tsv
step "the data plane takes its token"
az batch account login -g local -n "$account"
prints p0 az batch pool list --query "[].id" -o tsv
prints 900 az batch account show -g local -n "$account" --query dedicatedCoreQuota -o tsv
prints "$key" az batch account keys list -g local -n "$account" --query primary -o tsv
step "the account logs in by token, shows its quotas and its keys"
az batch account login -g local -n "$account" --shared-key-auth
prints p0 az batch pool list --query "[].id" -o tsv
az batch pool delete --pool-id p0 --yes
until_prints "" az batch pool list --query "[].id" -o tsv
step "the account logs in by key, and the last pool is deleted"
echo "azure-cli 2.91: $count steps in $SECONDS s"
