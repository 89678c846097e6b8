//! Tests of policies: an account whose samples, states and faults are written down, decided for by the engine itself, and what
//! must come of it at which times.
//!
//! ```text
//! NAME.test.yaml ─ read ─► tests ─ for each ─► engine::run over the written account ─► decisions ─ judge ─► report
//! ```
//!
//! Besides what a test expects, each is held to what always holds: outcomes within bounds, quota and money or no further
//! outside, nothing taken away on missing samples or blindly, orders that together keep to what the account shares, and a ledger
//! that replays to the same bytes.

mod account;
mod file;
mod judge;
mod policies;
mod watch;

use crate::account::PoolId;
use crate::base::document::Node;
use crate::base::schema::Schema;
use crate::base::{Code, Diagnostic, LineIndex, Timestamp};
use crate::decision::{Decision, Memory};
use crate::engine::run;
use crate::policy::Policies;
use crate::world::{Kept, MemoryLedger};

use self::account::WrittenAccount;
use self::file::{
    CODES, FORMATS, LOOKS_MAX, NO_EXPECTATION, POLICY, TIMES, TestFile, TestFileTest, UNREADABLE,
};
use self::judge::{invariants, judge};
use self::policies::read_policies;
use super::report::{Check, ScriptReport};
use super::run::Loader;

/// A decision, and whether the samples that it was made on were missing.
#[derive(Clone, Debug)]
struct Made {
    decision: Decision,
    blind: bool,
}

/// Runs the policy tests of a file; the policy and its formula files come from `load`, by their paths as seen from the file.
///
/// # Errors
/// Every fault of the file itself (`T02x`), by place. An expectation that does not hold is no fault: it is in the report.
pub fn run_policy_test(name: &str, text: &str, load: &Loader<'_>) -> Result<ScriptReport, Vec<Diagnostic>> {
    let document = Node::parse(text)
        .map_err(|unreadable| vec![Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message)])?;
    let faults = Schema::of::<TestFile>(FORMATS, &[], CODES)
        .check(&document)
        .faults;
    if !faults.is_empty() {
        return Err(faults);
    }
    let file: TestFile = serde_json::from_value(document.to_json()).map_err(|error| {
        let span = document.span.clone();
        vec![Diagnostic::error(CODES.wrong_value, span, error.to_string())]
    })?;
    let policies = read_policies(name, &file, &document, load)?;
    let mut faults = Vec::new();
    let mut checks = Vec::new();
    let page = Page {
        text,
        index: LineIndex::new(text),
        document: &document,
    };
    for (index, test) in file.tests.iter().enumerate() {
        let fault = unfit(test, &policies, &page, index);
        if fault.is_empty() {
            run_one(test, &policies, &page, index, &mut checks);
        }
        faults.extend(fault);
    }
    if faults.is_empty() {
        Ok(ScriptReport {
            name: name.to_owned(),
            checks,
        })
    } else {
        Err(faults)
    }
}

/// Returns the JSON Schema of a file of policy tests.
pub fn policy_test_schema() -> schemars::Schema {
    schemars::schema_for!(TestFile)
}

/// The file as it is shown in reports.
struct Page<'a> {
    text: &'a str,
    index: LineIndex<'a>,
    document: &'a Node,
}

impl Page<'_> {
    fn span(&self, path: &[&str]) -> std::ops::Range<usize> {
        (0..=path.len())
            .rev()
            .find_map(|length| self.document.at(&path[..length]))
            .map_or(0..0, |node| node.span.clone())
    }

    /// Returns the line of a part, from 1, and its text without indentation and dash.
    fn line(&self, path: &[&str]) -> (usize, String) {
        let start = self.span(path).start;
        let line = self.index.at(start).line;
        let text = self.text.lines().nth(line - 1).unwrap_or("").trim();
        (line, text.trim_start_matches("- ").trim().to_owned())
    }
}

/// Returns what keeps a test from being run, or from proving anything.
fn unfit(test: &TestFileTest, policies: &Policies, page: &Page<'_>, index: usize) -> Vec<Diagnostic> {
    let index = index.to_string();
    let place = |keys: &[&str]| page.span(&[&["tests", &index], keys].concat());
    let mut faults = Vec::new();
    let mut fault = |code, keys: &[&str], message: String, help: &str| {
        faults.push(Diagnostic::error(code, place(keys), message).help(help));
    };
    let intervals = policies.policies.iter().map(|policy| policy.interval);
    let interval = intervals.min().expect("at least one policy was read");
    let looks = test.lasts.ticks() / interval.ticks().max(1);
    if test.lasts.is_negative() || looks > LOOKS_MAX {
        let message = format!(
            "{} with a look each {} are too many looks, or too few",
            test.lasts.in_short(),
            interval.in_short()
        );
        fault(TIMES, &["for"], message, "take up to 20,000 looks");
    }
    if test.expect.is_empty() {
        let message = "a test that expects nothing proves little".to_owned();
        fault(
            NO_EXPECTATION,
            &["name"],
            message,
            "add `expect:` with what must come of it",
        );
    }
    unfit_pools(test, policies, &mut fault);
    for (number, expect) in test.expect.iter().enumerate() {
        let number = number.to_string();
        let outside = |span: &crate::base::Span| span.is_negative() || *span > test.lasts;
        if expect.at.iter().chain(&expect.from).any(outside) {
            let message = "this is before the test begins or after it ends".to_owned();
            fault(
                TIMES,
                &["expect", &number],
                message,
                "times count from `start`, up to `for`",
            );
        }
        let several = !test.pools.is_empty();
        let known = expect
            .pool
            .as_ref()
            .is_some_and(|pool| test.pools.contains_key(pool));
        if several != known {
            let message = "it is not said of which pool this is expected".to_owned();
            let help = "add `pool:` with one of the ids under `pools`, where there are several";
            fault(POLICY, &["expect", &number], message, help);
        }
        if expect.wants_nothing() {
            let message = "nothing is expected here".to_owned();
            let help = "add `order`, `hold`, `reason`, `verdict`, `dedicated`, `spot` or `total`";
            fault(NO_EXPECTATION, &["expect", &number], message, help);
        }
    }
    faults
}

/// Tells which pools of a test no policy could decide for.
fn unfit_pools(
    test: &TestFileTest,
    policies: &Policies,
    fault: &mut impl FnMut(Code, &[&str], String, &str),
) {
    let first = &policies.policies[0];
    if test.pools.is_empty() {
        if !first.pool.matches(&test.pool_id(first)) {
            let message = format!("the policy speaks of `{}`, not of this pool", first.pool);
            let help = "leave the id out, or give one that the policy matches";
            fault(POLICY, &["pool", "id"], message, help);
        }
        return;
    }
    if !(test.pool.is_empty() && test.series.is_empty() && test.states.is_empty()) {
        let message = "the test has several pools and speaks of one".to_owned();
        let help = "write `pool`, `series` and `states` below the id of the pool, under `pools`";
        fault(POLICY, &["pools"], message, help);
    }
    for id in test.pools.keys().filter(|id| id.parse::<PoolId>().is_err()) {
        let help = "use 1 to 64 letters, digits, hyphens and underscores";
        fault(POLICY, &["pools", id], format!("`{id}` is not a pool id"), help);
    }
    let decided = |id: &String| id.parse().is_ok_and(|id| policies.policy_for(&id).is_some());
    if !test.pools.keys().any(decided) {
        let message = "no policy speaks of any of these pools".to_owned();
        fault(
            POLICY,
            &["pools"],
            message,
            "give one of them an id that a policy matches",
        );
    }
}

fn run_one(test: &TestFileTest, policies: &Policies, page: &Page<'_>, index: usize, checks: &mut Vec<Check>) {
    let mut kept = Kept {
        world: WrittenAccount::new(test, policies),
        ledger: MemoryLedger::default(),
    };
    run(&mut kept, policies, Memory::default());
    let account = kept.world;
    let made = &account.made;
    let index = index.to_string();
    for (number, expect) in test.expect.iter().enumerate() {
        let (line, expectation) = page.line(&["tests", &index, "expect", &number.to_string()]);
        let (evaluated, mismatch) = judge(expect, test, made);
        checks.push(Check {
            line,
            expectation,
            evaluated,
            mismatch,
        });
    }
    let (line, _) = page.line(&["tests", &index, "name"]);
    checks.extend(
        invariants(test, policies, &account, &kept.ledger.text).map(|(expectation, mismatch)| Check {
            line,
            expectation: expectation.to_owned(),
            evaluated: format!("{}: {} decisions", test.name, made.len()),
            mismatch,
        }),
    );
}

/// Returns a moment of a test as reports tell it.
fn told(at: Timestamp, test: &TestFileTest) -> String {
    format!("+{} ({at})", at.since(test.start).in_short())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY_TEXT: &str = "version: 1
pool: farm-*
interval: 1m
demand: [ { queue: { metric: $PendingTasks } } ]
bounds: { total: [1, 20] }
guards: { step: { in: 50% } }
";

    fn load(file: &str) -> Result<String, String> {
        match file {
            "farm.yaml" => Ok(POLICY_TEXT.to_owned()),
            "odd.yaml" => Ok("version: 2".to_owned()),
            _ => Err("there is none".to_owned()),
        }
    }

    fn told_of(text: &str) -> Vec<String> {
        match run_policy_test("x/farm.test.yaml", text, &load) {
            Ok(report) => report
                .checks
                .iter()
                .filter_map(|check| {
                    let mismatch = check.mismatch.as_ref()?;
                    Some(format!(
                        "{}: {} / {}",
                        check.line, mismatch.expected, mismatch.got
                    ))
                })
                .collect(),
            Err(faults) => faults
                .iter()
                .map(|fault| format!("{} {}", fault.code, fault.message))
                .collect(),
        }
    }

    #[test]
    fn a_test_is_run_and_what_does_not_hold_is_told() {
        let text = "tests:
  - name: a burst
    start: 2026-11-25T10:00:00Z
    for: 10m
    pool: { targetDedicatedNodes: 4 }
    boot: 3m
    series:
      $PendingTasks: { from: -15m, values: \"4x30 12x4 0x20\" }
    faults:
      - { from: 8m, until: 9m, observe: no answer }
      - { from: 5m, until: 7m, missing: [$PendingTasks] }
    expect:
      - { at: 0m, order: { dedicated: 12, spot: 0 } }
      - { at: 1m, order: none }
      - { at: 2m, order: { dedicated: 6, spot: 0 }, reason: step }
      - { at: 8m, hold: observeFailed }
      - { from: 0m, until: 10m, dedicated: [1, 12], spot: 0 }
      - { from: 0m, once: true, verdict: in }
";
        assert_eq!(told_of(text), Vec::<String>::new());
        let wrong = text
            .replace(
                "{ at: 1m, order: none }",
                "{ at: 1m, order: { dedicated: 5, spot: 0 } }",
            )
            .replace("hold: observeFailed", "hold: paused");
        assert_eq!(
            told_of(&wrong),
            [
                "14: order of 5 dedicated + 0 spot / no order",
                "16: a hold because of paused / a hold because of observeFailed",
            ]
        );
    }

    #[test]
    fn what_proves_nothing_or_cannot_be_run_is_refused() {
        for (text, said) in [
            ("tests: [", "T020 unclosed bracket '['"),
            ("tests: []", "T025 expected at least 1 in the list, found 0"),
            (
                "policy: odd.yaml\ntests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, expect: [ { at: 0s, order: any } ] } ]",
                "T026 the policy `odd.yaml` cannot be used: P004 `pool` is missing",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, expect: [] } ]",
                "T028 a test that expects nothing proves little",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, expect: [ { at: 0s } ] } ]",
                "T028 nothing is expected here",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, expect: [ { at: 2m, order: any } ] } ]",
                "T027 this is before the test begins or after it ends",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 900d, expect: [ { at: 2m, order: any } ] } ]",
                "T027 900d with a look each 1m are too many looks, or too few",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, pool: { id: other }, expect: [ { at: 0s, order: any } ] } ]",
                "T026 the policy speaks of `farm-*`, not of this pool",
            ),
            (
                "tests: [ { name: a, start: 2026-11-25T10:00:00Z, for: 1m, series: { $PendingTasks: { values: 3y } }, expect: [ { at: 0s, order: any } ] } ]",
                "T025 `3y` is not a sample; write 3, 3x20 (twenty times 3), 0+2x5 (0, 2, 4, 6, 8), _ or _x4 (missing)",
            ),
        ] {
            assert_eq!(told_of(text).first().map(String::as_str), Some(said), "{text}");
        }
    }
}
