#!/usr/bin/env bash
# The grammar for editors: read with the engine of VS Code, over all formulas, scripts and examples of this repository.
# Installs node and npm where they are missing.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

if ! command -v npm >/dev/null; then
    echo "installing node and npm" >&2
    run=()
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq >&2
    "${run[@]}" apt-get install -y --no-install-recommends nodejs npm >&2
fi
modules=$cache/grammar
wanted="vscode-textmate@9.3.2 vscode-oniguruma@2.0.1 tm-grammars@1.32.22"
if [ "$(cat "$modules/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "installing $wanted" >&2
    rm -rf "$modules"
    # shellcheck disable=SC2086
    npm install --prefix "$modules" --silent --no-audit --no-fund $wanted >&2
    echo "$wanted" >"$modules/installed"
fi
lowtide=${LOWTIDE:-target/release/lowtide}
[ -x "$lowtide" ] || cargo build --release --locked
"$lowtide" reference -o json >"$scratch/reference.json"
said=$(node scripts/docs/grammar.mjs "$modules" "$scratch/reference.json")
ok "$said"
echo "editors: $step steps in $SECONDS s"
