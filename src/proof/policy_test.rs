//! Tests of policies: an account whose samples, states and faults are written down, decided for by the engine itself, and what
//! must come of it at which times.
//!
//! ```text
//! NAME.test.yaml ─ read ─► tests ─ for each ─► engine::run over the written account ─► decisions ─ judge ─► report
//! ```
//!
//! Besides what a test expects, each is held to what always holds: outcomes within bounds, quota and money or no further
//! outside, nothing taken away on missing samples or blindly, and a ledger that replays to the same bytes.

mod account;
mod file;
mod judge;

use crate::base::document::Node;
use crate::base::schema::Schema;
use crate::base::{Diagnostic, LineIndex, Timestamp};
use crate::decision::{Decision, Memory};
use crate::engine::run;
use crate::policy::{self, Policies, Policy};
use crate::world::{Kept, MemoryLedger};

use self::account::WrittenAccount;
use self::file::{
    CODES, FORMATS, LOOKS_MAX, NO_EXPECTATION, POLICY, TIMES, TestFile, TestFileTest, UNREADABLE,
};
use self::judge::{invariants, judge};
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
    let policy = read_policy(name, &file, &document, load)?;
    let mut faults = Vec::new();
    let mut checks = Vec::new();
    let page = Page {
        text,
        index: LineIndex::new(text),
        document: &document,
    };
    for (index, test) in file.tests.iter().enumerate() {
        let fault = unfit(test, &policy, &page, index);
        if fault.is_empty() {
            run_one(test, &policy, &page, index, &mut checks);
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

fn read_policy(
    name: &str,
    file: &TestFile,
    document: &Node,
    load: &Loader<'_>,
) -> Result<Policy, Vec<Diagnostic>> {
    let place = document
        .at(&["policy"])
        .map_or(document.span.start..document.span.start, |node| node.span.clone());
    let path = file.policy.clone().unwrap_or_else(|| beside(name));
    let fault =
        |message: String, help: &str| vec![Diagnostic::error(POLICY, place.clone(), message).help(help)];
    let source = load(&path).map_err(|why| {
        fault(
            format!("the policy `{path}` cannot be read: {why}"),
            "give its path as seen from this file, with `policy: …`",
        )
    })?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut formula = |file: &str| {
        load(&if folder.is_empty() {
            file.to_owned()
        } else {
            format!("{folder}/{file}")
        })
    };
    let stem = path.rsplit('/').next().unwrap_or(&path);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let (policy, findings) = policy::read(stem, &source, &mut formula);
    policy.ok_or_else(|| {
        let first = findings
            .all()
            .find(|found| found.severity == crate::base::Severity::Error);
        let why = first.map_or_else(String::new, |found| format!(": {} {}", found.code, found.message));
        fault(
            format!("the policy `{path}` cannot be used{why}"),
            "`lowtide check` says where and how to mend it",
        )
    })
}

/// The policy that stands beside a file of tests: `farm.yaml` for `farm.test.yaml`.
fn beside(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file
        .strip_suffix(".test.yaml")
        .or_else(|| file.strip_suffix(".test.yml"));
    format!("{}.yaml", stem.unwrap_or("policy"))
}

/// Returns what keeps a test from being run, or from proving anything.
fn unfit(test: &TestFileTest, policy: &Policy, page: &Page<'_>, index: usize) -> Vec<Diagnostic> {
    let index = index.to_string();
    let place = |keys: &[&str]| page.span(&[&["tests", &index], keys].concat());
    let mut faults = Vec::new();
    let mut fault = |code, keys: &[&str], message: String, help: &str| {
        faults.push(Diagnostic::error(code, place(keys), message).help(help));
    };
    let looks = test.lasts.ticks() / policy.interval.ticks().max(1);
    if test.lasts.is_negative() || looks > LOOKS_MAX {
        let message = format!(
            "{} with a look each {} are too many looks, or too few",
            test.lasts.in_short(),
            policy.interval.in_short()
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
    if !policy.pool.matches(&test.pool_id(policy)) {
        let message = format!("the policy speaks of `{}`, not of this pool", policy.pool);
        fault(
            POLICY,
            &["pool", "id"],
            message,
            "leave the id out, or give one that the policy matches",
        );
    }
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
        if expect.wants_nothing() {
            let message = "nothing is expected here".to_owned();
            let help = "add `order`, `hold`, `reason`, `verdict`, `dedicated`, `spot` or `total`";
            fault(NO_EXPECTATION, &["expect", &number], message, help);
        }
    }
    faults
}

fn run_one(test: &TestFileTest, policy: &Policy, page: &Page<'_>, index: usize, checks: &mut Vec<Check>) {
    let mut kept = Kept {
        world: WrittenAccount::new(test, policy),
        ledger: MemoryLedger::default(),
    };
    let policies = Policies::from(vec![policy.clone()]);
    run(&mut kept, &policies, Memory::default());
    let made = kept.world.made;
    let index = index.to_string();
    for (number, expect) in test.expect.iter().enumerate() {
        let (line, expectation) = page.line(&["tests", &index, "expect", &number.to_string()]);
        let (evaluated, mismatch) = judge(expect, test, &made);
        checks.push(Check {
            line,
            expectation,
            evaluated,
            mismatch,
        });
    }
    let (line, _) = page.line(&["tests", &index, "name"]);
    checks.extend(
        invariants(test, policy, &made, &kept.ledger.text).map(|(expectation, mismatch)| Check {
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
