#!/usr/bin/env bash
# The ledger in a real PostgreSQL: installs and starts a server of its own, runs the tests of tests/postgres against it, with the
# server stopped, killed and frozen under them, and ends it. About two minutes, half of them one lead that runs out by itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/store/server.sh

scratch_postgres
command -v openssl >/dev/null || apt-get install -y --no-install-recommends openssl

# An authority with a certificate for localhost, and one that nobody asked.
for who in ca other; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Lowtide test $who" \
        -keyout "$scratch/$who.key" -out "$scratch/$who.pem" 2>/dev/null
done
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$scratch/run/server.key" -out "$scratch/server.csr" 2>/dev/null
openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo subjectAltName=DNS:localhost) -out "$scratch/run/server.crt" 2>/dev/null
chown "$owner" "$scratch/run/server.key" "$scratch/run/server.crt"
chmod 600 "$scratch/run/server.key"
cat >>"$scratch/run/db/postgresql.conf" <<END
ssl = on
ssl_cert_file = '$scratch/run/server.crt'
ssl_key_file = '$scratch/run/server.key'
END
bash "$server_run" server start
echo "PostgreSQL $("$programs/postgres" --version | grep -o '[0-9.]*' | head -1) runs on port $port"

RUST_BACKTRACE=0 LOWTIDE_POSTGRES_URL="postgres://app@127.0.0.1:$port" LOWTIDE_POSTGRES_RUN="$server_run" \
    LOWTIDE_POSTGRES_CA="$scratch/ca.pem" LOWTIDE_POSTGRES_OTHER_CA="$scratch/other.pem" \
    cargo test --locked --test postgres -- "$@"
