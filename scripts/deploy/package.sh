#!/usr/bin/env bash
# The archive of a release: program, completions, manual pages, licences, unit, rules, dashboards, chart, and the bill of materials, with
# a checksum. The same program packed twice is the same archive.
#
#   scripts/deploy/package.sh [PROGRAM]   the static build where there is one, else the newest; into target/package
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

triple=x86_64-unknown-linux-musl
program=${1:-$(ls target/$triple/dist/lowtide 2>/dev/null || ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1 || true)}
[ -n "$program" ] || fail "there is no program to pack: run scripts/deploy/static.sh first"
case $program in *"$triple"*) ;; *) triple=$(uname -m)-unknown-linux-gnu ;; esac
version=$("$program" --version | awk '{ print $2 }')
name=lowtide-$version-$triple
root=$scratch/$name

install -D -m 0755 "$program" "$root/bin/lowtide"
for shell in bash zsh fish powershell elvish; do
    mkdir -p "$root/completions"
    "$program" completions "$shell" >"$root/completions/lowtide.$shell"
done
mkdir -p "$root/man/man1"
"$program" man >"$root/man/man1/lowtide.1"
install -D -m 0644 -t "$root" LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md
install -D -m 0644 -t "$root/systemd" deploy/systemd/lowtide.service deploy/systemd/lowtide.toml
install -D -m 0644 -t "$root/prometheus" deploy/prometheus/*.yaml
install -D -m 0644 -t "$root/grafana" deploy/grafana/*.json deploy/grafana/provisioning.yaml
install -D -m 0644 -t "$root/docs" docs/runbooks.md
mkdir -p "$root/policies" "$root/helm"
cp -r policies/. "$root/policies"
# The chart's links become files.
cp -rL deploy/helm/lowtide "$root/helm/lowtide"
python3 scripts/deploy/sbom.py x86_64-unknown-linux-musl >"$root/lowtide.cdx.json"
ok "$(find "$root" -type f | wc -l) files of lowtide $version"

bash -n "$root/completions/lowtide.bash" || fail "the completions of bash"
for shell in zsh fish; do
    if command -v "$shell" >/dev/null; then "$shell" -n "$root/completions/lowtide.$shell"; else not_run "the completions of $shell, for want of it"; fi
done
if command -v man >/dev/null; then
    man --warnings=w -l "$root/man/man1/lowtide.1" 2>"$scratch/said" >"$scratch/page"
    [ ! -s "$scratch/said" ] || { cat "$scratch/said" >&2; fail "man has something to say of the manual page"; }
    grep -q serve "$scratch/page" || fail "the manual page does not speak of serve"
    ok "the manual page has $(wc -l <"$scratch/page") lines, of which man has nothing to say"
else
    not_run "the manual page, for want of man"
fi
[ ! -L "$root/helm/lowtide/files/dashboards" ] || fail "the chart has links"
# The program has its own look, in static.sh.
if grep -rqF "$PWD" "$root" --exclude=lowtide; then fail "a path of this machine is in the archive"; fi

# Sorted, without owners, with the time of the sources: the same in, the same out.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
mkdir -p target/package
pack() { tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$scratch" -cf - "$name" | gzip -n -6; }
pack >"target/package/$name.tar.gz"
pack | cmp - "target/package/$name.tar.gz" || fail "the archive is not the same twice"
(cd target/package && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256" && sha256sum --check --quiet "$name.tar.gz.sha256")
ok "target/package/$name.tar.gz, $(du -h "target/package/$name.tar.gz" | cut -f1), the same when packed twice"
echo "package: $step steps in $SECONDS s"
