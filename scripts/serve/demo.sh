#!/usr/bin/env bash
# Runs the live demo as it is seen: in a pseudo-terminal with keys pressed, and as lines where there is no terminal.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath -s "${LOWTIDE:-$(ls -t target/release/lowtide target/debug/lowtide 2>/dev/null | head -1)}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ok() { echo "ok  $*"; }
fail() { echo "failed: $*" >&2; exit 1; }

"$program" demo --for 8s --speed 120 >"$scratch/lines" 2>"$scratch/err" || { cat "$scratch/err" >&2; fail "demo as lines"; }
grep -q "the sidecar answers at http://127.0.0.1:" "$scratch/lines" || { cat "$scratch/lines" >&2; fail "no address"; }
grep -qE "^[0-9:]+  builds +out " "$scratch/lines" || { cat "$scratch/lines" >&2; fail "the pool of builds never grew"; }
grep -q "spent" "$scratch/lines" || fail "no bill"
if grep -q $'\x1b' "$scratch/lines"; then fail "escape codes where there is no terminal"; fi
ok "without a terminal: $(wc -l <"$scratch/lines") lines tell what happens, and the bill"

python3 scripts/serve/terminal.py "$scratch/screen" 100x34 "4:s" "2:\r" "1:\r" "1: " "2: " "1:q" -- "$program" demo --speed 120 ||
    fail "demo in a terminal"
for word in "builds" "render" "spot storm" "what was decided," "step by step" "saved" "quit"; do
    grep -qF -- "$word" "$scratch/screen" || fail "the screen never showed: $word"
done
grep -qF $'\x1b[?1049l' "$scratch/screen" || fail "the terminal was not given back"
ok "in a terminal: a storm, an explanation and a pause by keys, and the terminal is given back"
