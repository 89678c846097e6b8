#!/usr/bin/env bash
# The pages of `backtest --html`, `--sweep`, `compare --html` and `report --html` in a real headless Chromium, opened from the disk: nothing is asked for
# elsewhere, every chart is drawn, runs are chosen by mouse and keyboard, in both looks, on a phone and on paper. Pictures and pages go
# to target/reports. Installs what scripts/serve/page.sh does, and needs python3.
cd "$(dirname "$0")/../.."
. scripts/serve/sidecar.sh
. scripts/serve/page/chromium.sh
cp scripts/docs/*.mjs "$tools"
pages=$here/target/reports
export PICTURES=$pages
mkdir -p "$pages"
export NO_COLOR=1 COLUMNS=100

backtest() {
    "$program" backtest policies/backlog.yaml --workload builtin:ci-day --slots 4 --spot regimes:2h/20m --evictions 0.2 --bound "$@" >>"$scratch/backtest.log" 2>&1
}
backtest --baseline native,peak,spothedge,dedicated --html "$pages/backtest.html" || fail "the backtest"
cp "$pages/backtest.html" "$scratch/before.html"
backtest --baseline native,peak,spothedge,dedicated --html "$pages/backtest.html" || fail "the backtest again"
cmp "$scratch/before.html" "$pages/backtest.html" || fail "the same backtest makes another page"
ok "the same backtest makes the same page, $(($(wc -c <"$pages/backtest.html") / 1024)) KiB"
backtest --baseline native --sweep demand.0.backlog.drainWithin=5m,10m,15m,30m,1h --sweep bounds.dedicated.0=0,1,2,4 --html "$pages/sweep.html" || fail "the sweep"
ok "a sweep of 20 settings is a page of $(($(wc -c <"$pages/sweep.html") / 1024)) KiB"
compare() {
    "$program" compare policies/backlog.yaml policies/ci-agents.yaml --workloads builtin:ci-day generate:batch:30/3h,lognormal:10m/0.6,1d --spots az20 regimes:2h/20m \
        --for 9h --price-ratio 0.2,0.35 --baselines spothedge "$@" >"$scratch/compared" 2>>"$scratch/backtest.log"
}
compare --bound --html "$pages/comparison.html" || fail "the comparison"
cp "$pages/comparison.html" "$scratch/before.html"
compare --bound --html "$pages/comparison.html" || fail "the comparison again"
cmp "$scratch/before.html" "$pages/comparison.html" || fail "the same comparison makes another page"
compare --html "$pages/unbound.html" || fail "the comparison without a bound"
ok "the same comparison makes the same page, $(($(wc -c <"$pages/comparison.html") / 1024)) KiB"
# A name that would end the script, were it taken for more than text.
hostile="$scratch/<img src=x onerror=alert(1)><script>alert(2).yaml"
cp policies/ci-agents.yaml "$hostile"
"$program" backtest "$hostile" --workload builtin:ci-day --slots 4 --html "$pages/hostile.html" >>"$scratch/backtest.log" 2>&1 || fail "the hostile name"
"$program" report --html "$pages/ledger.html" --ledger tests/cli/ledger.in/day.jsonl >"$scratch/report.log" 2>&1 || fail "the ledger"
ok "a ledger is a page of $(($(wc -c <"$pages/ledger.html") / 1024)) KiB"

node "$tools/reports.mjs" "$chromium" "$pages" || fail "the walk"
ok "pages and pictures are in target/reports: $(cd "$pages" && ls -- *.png | tr '\n' ' ')"
echo "reports: $SECONDS s"
