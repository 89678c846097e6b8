#!/usr/bin/env bash
# Messages of a real storage queue (Azurite) as demand: by key, by shared access signature and by token, over http and https;
# empty, filled, half taken, absent and refused. Installs Azurite into target/clients when it is not there. Needs python3, curl
# and openssl, and installs node and npm where they are missing.
cd "$(dirname "$0")/../.."
. scripts/clients/account.sh
. scripts/signals/steps.sh
unset AZURE_BATCH_ACCOUNT AZURE_BATCH_ENDPOINT AZURE_BATCH_ACCESS_KEY
program=$(realpath -s "$program")

version=3.35.0
if ! command -v npm >/dev/null; then
    echo "installing node and npm" >&2
    as_root apt-get update -qq
    as_root apt-get install -y --no-install-recommends nodejs npm >&2
fi
folder=$PWD/$cache/azurite
case $cache in /*) folder=$cache/azurite ;; esac
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$version" ]; then
    echo "installing azurite $version" >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error "azurite@$version" >&2
    echo "$version" >"$folder/installed"
fi

cd "$scratch"
# The name and key that Azurite's documentation publishes.
name=devstoreaccount1
secret='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out certificate.pem -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -addext "basicConstraints=critical,CA:false" 2>/dev/null
port=$(free_port)
tls_port=$(free_port)
"$folder/node_modules/.bin/azurite-queue" --silent --disableTelemetry --inMemoryPersistence \
    --queueHost 127.0.0.1 --queuePort "$port" >azurite.log 2>&1 &
parts+=($!)
"$folder/node_modules/.bin/azurite-queue" --silent --disableTelemetry --inMemoryPersistence --oauth basic \
    --cert certificate.pem --key key.pem --queueHost 127.0.0.1 --queuePort "$tls_port" >azurite-tls.log 2>&1 &
parts+=($!)
until_it_answers "http://127.0.0.1:$port/"
for _ in $(seq 300); do curl -sk -o /dev/null "https://127.0.0.1:$tls_port/" && break; sleep 0.1; done

# A client of the queue service of its own, so that signatures are not only held against themselves.
cat >queue.py <<'PY'
import base64, hashlib, hmac, json, ssl, sys, time, urllib.parse, urllib.request
url, name, secret = sys.argv[1:4]
def sign(text):
    return base64.b64encode(hmac.new(base64.b64decode(secret), text.encode(), hashlib.sha256).digest()).decode()
def call(method, path, query="", body=b""):
    headers = {"x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), "x-ms-version": "2021-12-02"}
    slots = ["", "", str(len(body)) if body else "", "", "application/xml" if body else "", "", "", "", "", "", ""]
    signed = "\n".join([method, *slots]) + "\n"
    signed += "".join(f"{key}:{value}\n" for key, value in sorted(headers.items()))
    signed += f"/{name}{urllib.parse.urlsplit(url).path}{path}"
    signed += "".join(f"\n{key}:{value}" for key, value in sorted(urllib.parse.parse_qsl(query)))
    headers["Authorization"] = f"SharedKey {name}:{sign(signed)}"
    if body:
        headers["Content-Type"] = "application/xml"
    request = urllib.request.Request(f"{url}{path}{'?' + query if query else ''}", data=body or None, method=method, headers=headers)
    context = ssl._create_unverified_context() if url.startswith("https") else None
    return urllib.request.urlopen(request, context=context).read().decode()
def sas():
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    # Account SAS: services q, resource types sco, permission to read and to process.
    parts = {"sp": "rp", "ss": "q", "srt": "sco", "se": end, "sv": "2018-11-09"}
    signed = "\n".join([name, parts["sp"], parts["ss"], parts["srt"], "", parts["se"], "", "", parts["sv"], ""])
    parts["sig"] = sign(signed)
    return urllib.parse.urlencode(parts)
def token():
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    now = int(time.time())
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
              "iat": now - 60, "nbf": now - 60, "exp": now + 3600}
    return f"{part({'typ': 'JWT', 'alg': 'none'})}.{part(claims)}.{part('unsigned')}"
what, *rest = sys.argv[4:]
if what == "create":
    call("PUT", f"/{rest[0]}")
elif what == "put":
    for number in range(int(rest[1])):
        call("POST", f"/{rest[0]}/messages", body=f"<QueueMessage><MessageText>{number}</MessageText></QueueMessage>".encode())
elif what == "take":
    call("GET", f"/{rest[0]}/messages", f"numofmessages={rest[1]}&visibilitytimeout=600")
elif what == "clear":
    call("DELETE", f"/{rest[0]}/messages")
elif what == "sas":
    print(sas())
elif what == "token":
    print(token())
PY
queue() { python3 queue.py "http://127.0.0.1:$port/$name" "$name" "$secret" "$@"; }
tls_queue() { python3 queue.py "https://127.0.0.1:$tls_port/$name" "$name" "$secret" "$@"; }

cat >scenario.yaml <<'YAML'
version: 1
account: { dedicatedCores: 100, spotCores: 100 }
pools: [ { id: agents, vmSize: standard_d4s_v5, dedicated: 1, taskSlotsPerNode: 4 } ]
YAML
open_account --scenario scenario.yaml --speed 60
export AZURE_BATCH_ACCOUNT=$account AZURE_BATCH_ENDPOINT=$http AZURE_BATCH_ACCESS_KEY=$key
echo "$secret" >key.txt
queue sas >sas.txt
queue token >token.txt
cat >sources.toml <<TOML
[storageQueue.default]
account = "$name"
url = "http://127.0.0.1:$port/$name"
key = { file = "key.txt" }
[storageQueue.signed]
url = "http://127.0.0.1:$port/$name"
sas = { file = "sas.txt" }
[storageQueue.token]
url = "https://127.0.0.1:$tls_port/$name"
token = { file = "token.txt" }
[storageQueue.wrong]
account = "$name"
url = "http://127.0.0.1:$port/$name"
key = { variable = "WRONG_KEY" }
TOML
export WRONG_KEY=bG93dGlkZQ==
# A policy for one queue: `asks QUEUE [settings]`.
asks() {
    cat >policy.yaml <<YAML
version: 1
pool: agents
interval: 60s
demand: [ { queue: { source: storageQueue, name: "$1"${2:+, $2} } } ]
bounds: { total: [0, 20] }
guards: { missing: { enough: 0%, staleAfter: 90s, within: 90s } }
YAML
}
# The account comes to its first node, which a real zero later takes away.
asks work
queue create work
for _ in $(seq 200); do plan; python3 -c 'import json, sys; sys.exit(json.load(open("plan.json"))["current"]["dedicated"] != 1)' && break; sleep 0.2; done

is 'signal["value"], signal["state"]' '0.0, "fresh"'
is 'plan["order"]["dedicated"]' 0
tells "signal"
ok "an empty queue is a real zero: the node that nobody needs goes"

queue put work 9
plan
is 'signal["signal"], signal["value"], signal["state"]' '"storageQueue:work", 9.0, "fresh"'
is 'plan["order"]["dedicated"]' 3
tells "storageQueue:work is 9"
ok "nine messages that are no tasks yet are demand for three nodes of four slots, by key"

asks work "endpoint: signed"
plan
is 'signal["signal"], signal["value"]' '"storageQueue:signed/work", 9.0'
keeps "$(python3 -c 'import urllib.parse; print(urllib.parse.parse_qs(open("sas.txt").read())["sig"][0])')"
ok "the same by a shared access signature"

queue take work 5
asks work
plan
is 'signal["value"]' 9.0
asks work "messages: visible"
plan
is 'signal["signal"], signal["value"]' '"storageQueue:work?visible", 4.0'
is 'plan["order"]' None
ok "messages that somebody works on count, unless the policy says messages: visible"

queue put work 40
plan
is 'signal["value"]' 49.0
ok "a peek that sees no end counts them all"

asks "{pool}-in"
queue create agents-in
queue put agents-in 2
plan
is 'signal["signal"], signal["value"]' '"storageQueue:agents-in", 2.0'
ok "{pool} in a name is the id of the pool"

asks missing
plan
is 'signal["state"], signal["lack"], plan["hold"]["code"]' '"missing", "absent", "signalMissing"'
tells "storageQueue:missing is not there"
ok "a queue that is not there is no zero: the pool holds, and says why"
asks missing "missing: { floor: 4 }"
plan
is 'plan["order"]["dedicated"]' 4
ok "with a floor it asks for that meanwhile"

asks work "endpoint: wrong"
plan
is 'plan["hold"]["code"]' '"signalMissing"'
tells "403"
keeps "$WRONG_KEY"
ok "a wrong key is refused and not told, and the pool holds"

tls_queue create work
tls_queue put work 6
asks work "endpoint: token"
plan
is 'signal["state"]' '"missing"'
tells "is not trusted"
export REQUESTS_CA_BUNDLE=$scratch/certificate.pem
plan
is 'signal["value"], signal["state"]' '6.0, "fresh"'
keeps "$(cut -d. -f2 token.txt)"
ok "by token over https, once its certificate is trusted"
unset REQUESTS_CA_BUNDLE

kill "${parts[0]}"
wait "${parts[0]}" 2>/dev/null || true
asks work
plan
is 'plan["hold"]["code"]' '"signalMissing"'
tells "cannot be reached"
ok "a queue service that is gone holds the pool"
keeps "$secret"
echo "azurite $version: $step steps in $SECONDS s"
