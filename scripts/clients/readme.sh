#!/usr/bin/env bash
# Runs the README's section on the local account, word for word: the account, the Azure CLI, the Python SDK, and a login.
# It uses the ports that the README names. Installs the clients into target/clients when they are not there.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh

sdk=$(client sdk-15 azure-batch==15.1.0 azure-identity==1.27.0)
cli=$(client az azure-cli==2.91.0)
# The names that the README uses, and the clients before whatever else this machine has.
mkdir "$scratch/bin" "$scratch/blocks"
named() {
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$(realpath -s "$2")" >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
named lowtide "$program"
named az "$cli/bin/az"
named python3 "$sdk/bin/python3"
export PATH=$scratch/bin:$PATH
python3 scripts/clients/readme.py README.md "A Batch account on your desk" "$scratch/blocks"

# A configuration of its own: whoever runs this stays logged in where they were.
export AZURE_CONFIG_DIR=$scratch/az AZURE_CORE_COLLECT_TELEMETRY=no AZURE_CORE_NO_COLOR=1
cd "$scratch"
count=0
for block in $(ls blocks | sort -n); do
    case $block in
    *.sh)
        if grep -q '^lowtide emulate' "blocks/$block"; then
            # One command, so that the account's own process is the one to end.
            eval "$(cat "blocks/$block") &" >account.log 2>&1
            account_pid=$!
            for _ in $(seq 200); do
                [ -s lowtide-ca/ca.pem ] && grep -q http account.log && break
                kill -0 "$account_pid" 2>/dev/null || { cat account.log >&2; exit 1; }
                sleep 0.05
            done
        else
            # In this shell, as the reader's exports last from block to block.
            . "blocks/$block"
        fi
        ;;
    *.python) python3 "blocks/$block" ;;
    esac
    count=$((count + 1))
    echo "ok $count  $block"
done
[ "$(python3 "blocks/$(ls blocks | sort -n | tail -1)")" = "['render']" ] || { echo "the pool is not listed" >&2; exit 1; }
echo "README: $count blocks ran in $SECONDS s"
