#!/usr/bin/env bash
# The dashboard in a real headless Chromium: against the live demo as an operator uses it, and against a large account (500 pools, a
# month of history), whose first paint is told as a figure. Pictures go to target/page. Installs chromium, and node and npm where they
# are missing, and puppeteer-core by its lock file into target/clients. Needs python3.
cd "$(dirname "$0")/../.."
. scripts/serve/sidecar.sh
. scripts/serve/page/chromium.sh
mkdir -p target/page
export PICTURES=$here/target/page
cd "$scratch"

# The program has the library as it was published.
(cd "$here/src/serve/http/page/vendor/uplot" && sha256sum --check --quiet CHECKSUMS) || fail "the chart library is not what was published"
ok "the chart library is the one that was published: $(head -1 "$here/src/serve/http/page/vendor/uplot/CHECKSUMS" | cut -c3-)"

# Its policies are files beside everything else that goes with the script.
TMPDIR=$scratch "$program" demo --speed 60 --for 10m >demo.out 2>demo.log &
demo=$!
started+=("$demo")
within 40 grep -q "the sidecar answers at" demo.out
url=$(grep -m1 -o 'http://[0-9.:]*' demo.out)
token=$(grep -m1 -o 'token [0-9a-f]*' demo.out | cut -d' ' -f2)
# Something is allowed to be spent.
echo 'budget: { perHour: 50 }' >>"$(ls "$scratch"/lowtide-demo-*/builds.yaml)"
curl -fs -X POST -H "authorization: Bearer $token" "$url/api/v1/reload" >/dev/null
# Some orders have to be there to be looked at.
within 60 grep -q "builds  *out" demo.out
ended() { curl -fs "$url/api/v1/pools/builds/decisions?limit=50" | grep -q '"ended":"2'; }
within 60 ended
node "$tools/walk.mjs" "$chromium" "$url" "$token" | while IFS= read -r line; do
    if [ "$line" = "end it" ]; then kill "$demo"; else echo "$line"; fi
done || fail "the walk"

large() { python3 "$here/scripts/serve/page/large.py" "$@"; }
large account "$scratch" 500
account_port=$(free_port)
sidecar_port=$(free_port)
sed -i "s/ACCOUNT/$account_port/; s/SIDECAR/$sidecar_port/" lowtide.toml
http=http://127.0.0.1:$sidecar_port
start_account
AZURE_BATCH_ACCESS_KEY=$(sed -n 's/^ *key *//p' account.out | head -1)
export AZURE_BATCH_ACCESS_KEY
# What a sidecar begins with is the first line of the history; the policy is its own.
start_sidecar
begun() { "$program" ledger export --ledger lowtide.db | head -1 | grep -q '"kind":"started"'; }
within 60 begun
kill "$sidecar"
wait "$sidecar" || fail "the sidecar ended with $?"
"$program" ledger export --ledger lowtide.db 2>/dev/null | head -1 >started
rm -f lowtide.db*
large history started 30 | "$program" ledger import --ledger lowtide.db - >/dev/null
start_sidecar
looked() { [ "$(curl -fs "$http/api/v1/pools" | grep -o '"decidedAt"' | wc -l)" -eq 500 ]; }
within 60 looked
node "$tools/large.mjs" "$chromium" "$http" || fail "the large account"
ok "pictures are in target/page: $(ls "$PICTURES" | tr '\n' ' ')"
echo "page: $SECONDS s"
