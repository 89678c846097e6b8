//! The tests beside the policies that we ship, and what the reports of failing ones look like.

use std::fs;
use std::path::Path;

use lowtide::proof::{Line, ScriptReport, junit, policy_test_schema, run_policy_test, text};

use crate::golden;

fn plain(lines: &[Line]) -> String {
    let line = |line: &Line| line.iter().map(|piece| piece.text.as_str()).collect::<String>();
    let lines: Vec<_> = lines
        .iter()
        .map(|told| line(told).trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

fn run(path: &Path) -> ScriptReport {
    let folder = path.parent().unwrap();
    let load = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| error.kind().to_string());
    let source = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    run_policy_test(&name, &source, &load).unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()))
}

#[test]
fn every_policy_that_we_ship_has_a_test_beside_it_that_holds() {
    for policy in golden::files("policies", ".yaml") {
        let test = policy.with_extension("test.yaml");
        assert!(test.exists(), "{} is missing", test.display());
        let report = run(&test);
        assert!(report.holds(), "\n{}", plain(&text(&report)));
    }
}

#[test]
fn every_strategy_and_guard_has_a_policy_test_that_holds() {
    for test in golden::files("tests/policy-tests", ".test.yaml") {
        let report = run(&test);
        assert!(report.holds(), "\n{}", plain(&text(&report)));
    }
}

#[test]
fn the_account_that_we_ship_has_a_test_beside_it_that_holds() {
    for test in golden::files("policies/shared", ".test.yaml") {
        let report = run(&test);
        assert!(report.holds(), "\n{}", plain(&text(&report)));
    }
}

#[test]
fn a_failing_test_tells_what_was_decided_instead() {
    let test = "policy: ci-agents.yaml
tests:
  - name: quiet at night
    start: 2026-11-25T02:00:00Z
    for: 5m
    pool: { targetDedicatedNodes: 3, taskSlotsPerNode: 4 }
    series: { $PendingTasks: { from: -15m, values: \"0x40\" } }
    expect:
      - { at: 0m, order: { dedicated: 1, spot: 0 } }
";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let load = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| error.to_string());
    let report = run_policy_test("night.test.yaml", test, &load).unwrap();
    insta::assert_snapshot!(plain(&text(&report)), @r"
    night.test.yaml:9: { at: 0m, order: { dedicated: 1, spot: 0 } }
        of        quiet at night at +0s (2026-11-25T02:00:00.000Z)
        expected  order of 1 dedicated + 0 spot
        got       order of 0 dedicated + 0 spot
        | ci-agents: order 3 dedicated + 0 spot → 0 dedicated + 0 spot (taskcompletion)
        |   2026-11-25T02:00:00.000Z by policy ci-agents
        |   target    3 dedicated + 0 spot  where it stands; 3 dedicated + 0 spot there now
        |   propose   0 dedicated + 0 spot  the formula asks for it

    FAIL  night.test.yaml: 1 of 5 expectations failed
    ");
    assert!(junit(&[report]).contains("failures=\"1\""));
}

#[test]
fn the_schema_of_policy_tests_is_the_one_beside_the_policies() {
    let schema = serde_json::to_string_pretty(&policy_test_schema()).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/test.schema.json");
    golden::check(&file, &schema);
}
