#!/usr/bin/env bash
# The systemd unit: verified, its exposure measured, and the program held to what the unit says of it: told ready, fed, reloaded, ended.
# systemd itself does not run here. Needs systemd-analyze, which Debian's systemd brings.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

unit=deploy/systemd/lowtide.service
unpacked systemd systemd-analyze
# The program in a place of its own, so that the unit is read as it would be on a machine where it is installed.
sed "s|/usr/local/bin/lowtide|$(command -v true)|" "$unit" >"$scratch/lowtide.service"
systemd-analyze verify --man=no "$scratch/lowtide.service" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
[ ! -s "$scratch/said" ] || { cat "$scratch/said" >&2; fail "systemd-analyze verify has something to say"; }
ok "systemd-analyze verify has nothing to say"
# 15 is 1.5 of 10. What is left: it speaks to the network, and to sockets of this machine.
systemd-analyze security --offline=true --threshold=15 "$scratch/lowtide.service" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
ok "$(sed -n 's/.*Overall exposure level for lowtide.service: \([0-9.]*\).*/exposure \1 of 10/p' "$scratch/said")"
not_run "the unit under a running systemd: its sandbox, its credentials and its restarts"

program=${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
if [ -z "$program" ] || ! "$program" serve --help >/dev/null 2>&1; then
    not_run "the program as the unit runs it: no build of it here; run 'cargo build' first, or name one in LOWTIDE"
    exit
fi
python3 scripts/deploy/notified.py "$program" "$scratch"
ok "the program tells systemd what the unit waits for"
echo "systemd: $step steps in $SECONDS s"
