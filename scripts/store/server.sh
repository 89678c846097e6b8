# A PostgreSQL server of its own for the scripts that need a real one: to be sourced, from the top of the repository.

# Finds the programs of the server, and installs them where they are not there.
find_postgres() {
    if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
        local run=()
        [ "$(id -u)" -eq 0 ] || run=(sudo)
        "${run[@]}" apt-get update -qq
        "${run[@]}" apt-get install -y --no-install-recommends postgresql
    fi
    programs=$(dirname "$(readlink -f "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | tail -1)")")
}

# Makes a server in this folder, not started; sets port, owner, and server_run, a script that stops, starts and asks it.
make_postgres() {
    local folder=$1
    chmod 755 "$folder"
    # The server refuses to run as root.
    local as=()
    owner=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        as=(runuser -u nobody --)
        owner=nobody
    fi
    install -d -o "$owner" "$folder/run"
    port=$((20000 + RANDOM % 20000))
    server_run=$folder/run.sh
    cat >"$server_run" <<END
set -euo pipefail
cd "$folder/run"
control() { ${as[*]} "$programs/pg_ctl" -s -w -D "$folder/run/db" "\$@"; }
family() { local first=\$(head -1 db/postmaster.pid); echo "\$first" \$(pgrep -P "\$first"); }
case "\$1 \${2:-}" in
    "server start") control -l "$folder/run/log" start ;;
    "server stop") control -m fast stop ;;
    "server crash") control -m immediate stop ;;
    "server freeze") kill -STOP \$(family) ;;
    "server thaw") kill -CONT \$(family) ;;
    psql*) "$programs/psql" -qAt -v ON_ERROR_STOP=1 "postgres://app@127.0.0.1:$port/\$2" -c "\$3" >/dev/null ;;
    *) echo "no such thing: \$*" >&2; exit 1 ;;
esac
END
    "${as[@]}" "$programs/initdb" -D "$folder/run/db" -U app -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    cat >>"$folder/run/db/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
END
}

# Makes a server in a scratch folder, not started, which ends with the script; sets scratch.
scratch_postgres() {
    find_postgres
    scratch=$(mktemp -d)
    trap 'end_postgres; rm -rf "$scratch"' EXIT
    make_postgres "$scratch"
}

# Ends the server, in whatever state it is.
end_postgres() {
    [ -n "${server_run:-}" ] || return 0
    bash "$server_run" server thaw 2>/dev/null || true
    bash "$server_run" server crash 2>/dev/null || true
}
