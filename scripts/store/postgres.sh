#!/usr/bin/env bash
# The ledger in a real PostgreSQL: installs and starts a server of its own, runs the tests of tests/postgres against it, with the
# server stopped, killed and frozen under them, and ends it. About two minutes, half of them one lead that runs out by itself.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    run=()
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -y --no-install-recommends postgresql
fi
command -v openssl >/dev/null || apt-get install -y --no-install-recommends openssl
programs=$(dirname "$(readlink -f "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | tail -1)")")

scratch=$(mktemp -d)
chmod 755 "$scratch"
# The server refuses to run as root.
as=()
owner=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
    as=(runuser -u nobody --)
    owner=nobody
fi
install -d -o "$owner" "$scratch/run"
port=$((20000 + RANDOM % 20000))

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

# What the tests call to stop, start and ask the server.
cat >"$scratch/run.sh" <<END
set -euo pipefail
cd "$scratch/run"
control() { ${as[*]} "$programs/pg_ctl" -s -w -D "$scratch/run/db" "\$@"; }
family() { local first=\$(head -1 db/postmaster.pid); echo "\$first" \$(pgrep -P "\$first"); }
case "\$1 \${2:-}" in
    "server start") control -l "$scratch/run/log" start ;;
    "server stop") control -m fast stop ;;
    "server crash") control -m immediate stop ;;
    "server freeze") kill -STOP \$(family) ;;
    "server thaw") kill -CONT \$(family) ;;
    psql*) "$programs/psql" -qAt -v ON_ERROR_STOP=1 "postgres://app@127.0.0.1:$port/\$2" -c "\$3" >/dev/null ;;
    *) echo "no such thing: \$*" >&2; exit 1 ;;
esac
END
end() {
    bash "$scratch/run.sh" server thaw 2>/dev/null || true
    bash "$scratch/run.sh" server crash 2>/dev/null || true
    rm -rf "$scratch"
}
trap end EXIT

"${as[@]}" "$programs/initdb" -D "$scratch/run/db" -U app -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
cat >>"$scratch/run/db/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_cert_file = '$scratch/run/server.crt'
ssl_key_file = '$scratch/run/server.key'
END
bash "$scratch/run.sh" server start
echo "PostgreSQL $("$programs/postgres" --version | grep -o '[0-9.]*' | head -1) runs on port $port"

RUST_BACKTRACE=0 LOWTIDE_POSTGRES_URL="postgres://app@127.0.0.1:$port" LOWTIDE_POSTGRES_RUN="$scratch/run.sh" \
    LOWTIDE_POSTGRES_CA="$scratch/ca.pem" LOWTIDE_POSTGRES_OTHER_CA="$scratch/other.pem" \
    cargo test --locked --test postgres -- "$@"
