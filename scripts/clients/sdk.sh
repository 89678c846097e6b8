#!/usr/bin/env bash
# The official Python SDK, both generations, against a local account: a pool through its whole life.
# Installs the SDKs into target/clients when they are not there (about 10 s each); the walks themselves take about a minute.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh

new=$(client sdk-15 azure-batch==15.1.0 azure-identity==1.27.0)
old=$(client sdk-14 azure-batch==14.2.0)
open_account --speed 120 --scenario scripts/clients/walk.yaml
"$new/bin/python" scripts/clients/walk.py "$http" "$account" "$key"
"$old/bin/python" scripts/clients/walk14.py "$http" "$account" "$key"
known=$key
end
open_account --scenario scripts/clients/tokens.yaml --tls-listen 127.0.0.1:0 --tls-folder "$scratch/ca"
"$new/bin/python" scripts/clients/tokens.py "$http" "$https" "$certificate" "$account" "$known"
