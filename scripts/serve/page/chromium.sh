# shellcheck shell=bash
# What a walk through a page needs: chromium, and node and npm where they are missing, and puppeteer-core by its lock file into
# target/clients. To be sourced, from the top of the repository, with `here` set to it; sets `chromium` and `tools`, where the walks are.

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
command -v npm >/dev/null || missing+=(nodejs npm)
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}" >&2
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
tools=$here/target/clients/page
mkdir -p "$tools"
if ! cmp -s scripts/serve/page/package-lock.json "$tools/installed"; then
    cp scripts/serve/page/package.json scripts/serve/page/package-lock.json "$tools"
    npm ci --prefix "$tools" --no-audit --no-fund --loglevel=error >&2
    cp scripts/serve/page/package-lock.json "$tools/installed"
fi
cp scripts/serve/page/*.mjs "$tools"
chromium=$(command -v chromium)
