# What the scripts beside this one share that let sidecars of their own steer a local account of one scenario.
# To be sourced, from the top of the repository.

here=$PWD
. scripts/clients/account.sh
program=$(realpath -s "$program")
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY REQUESTS_CA_BUNDLE IDENTITY_ENDPOINT IDENTITY_HEADER

# Compiles what is loaded into a sidecar.
loadable() {
    local part
    for part in "$@"; do cc -O1 -shared -fPIC -o "$scratch/$part.so" "$here/scripts/serve/$part.c"; done
}

# Opens an account of pools and timing in the scratch folder, which is the place to be from then on, so many times as fast.
open_scenario() {
    local speed=$1
    cd "$scratch"
    { printf 'version: 1\naccount: { dedicatedCores: 500, spotCores: 500 }\n'; cat; } >scenario.yaml
    open_account --scenario scenario.yaml --speed "$speed"
    export LOWTIDE_ACCOUNT="$account" AZURE_BATCH_ACCESS_KEY="$key"
}
