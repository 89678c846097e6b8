//! `lowtide plan` and `lowtide apply` against an account: what they print, order, write down and return.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::account::{Account, list, pool};
use super::desk::Answer;
use super::{ACCOUNT, KEY};

const POLICY: &str = "version: 1
pool: \"p*\"
demand:
  - schedule: { timezone: UTC, rules: [{ cron: \"* * * * *\", for: 1h, atLeast: 4 }] }
bounds: { total: [0, 10], dedicated: [0, 10], spot: [0, 0] }
mix: { objective: dedicatedOnly }
";

fn account() -> Account {
    let account = Account::open();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("other", "0x2", 1, 0)])],
    );
    let counts = json!({ "poolId": "p", "dedicated": { "idle": 2 }, "lowPriority": {} });
    account.put("GET /nodecounts", vec![list(&[counts])]);
    account
}

fn run(folder: &Path, arguments: &[&str], endpoint: &str) -> Output {
    std::fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .current_dir(folder)
        .args(arguments)
        .env_clear()
        .env("AZURE_BATCH_ACCOUNT", ACCOUNT)
        .env("AZURE_BATCH_ENDPOINT", endpoint)
        .env("AZURE_BATCH_ACCESS_KEY", KEY)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_plan_orders_nothing() {
    let (account, folder) = (account(), tempfile::tempdir().unwrap());
    let output = run(
        folder.path(),
        &["plan", "policy.yaml", "--detailed-exitcode"],
        &account.desk.url,
    );
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        told.starts_with("p: order 2 dedicated + 0 spot → 4 dedicated + 0 spot"),
        "{told}"
    );
    assert_eq!(account.written(), [] as [String; 0]);
}

#[test]
fn apply_writes_down_and_orders() {
    let (account, folder) = (account(), tempfile::tempdir().unwrap());
    account.put("POST /pools/p/resize", vec![Answer::empty(202)]);
    let output = run(
        folder.path(),
        &["apply", "policy.yaml", "--yes"],
        &account.desk.url,
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = text(&output.stdout);
    assert!(
        told.contains("→ 4 dedicated") && told.ends_with("\np: accepted\n"),
        "{told}"
    );
    let written = account.written();
    assert!(
        written[0].starts_with("POST /pools/p/resize if 0x1 {\"targetDedicatedNodes\":4"),
        "{written:?}"
    );
    let ledger = std::fs::read_to_string(folder.path().join("lowtide-ledger.jsonl")).unwrap();
    let lines: Vec<Value> = ledger
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines.iter().any(|line| line["order"]["dedicated"] == 4),
        "{ledger}"
    );
    assert!(ledger.contains("accepted"), "{ledger}");
    assert!(!ledger.contains(KEY) && !text(&output.stderr).contains(KEY));
}

#[test]
fn a_refusal_is_told_and_counts_as_an_error() {
    let (account, folder) = (account(), tempfile::tempdir().unwrap());
    let busy =
        json!({ "code": "PoolBeingResized", "message": { "value": "The specified pool is being resized" } });
    account.put("POST /pools/p/resize", vec![Answer::json(409, &busy)]);
    let output = run(
        folder.path(),
        &["apply", "policy.yaml", "-y", "-o", "json"],
        &account.desk.url,
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stdout);
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["pool"], &last["result"], &last["kind"]),
        (&json!("p"), &json!("refused"), &json!("resizing"))
    );
}

#[test]
fn nobody_is_asked_who_cannot_answer_and_nothing_goes_out_without_a_ledger() {
    let (account, folder) = (account(), tempfile::tempdir().unwrap());
    let output = run(folder.path(), &["apply", "policy.yaml"], &account.desk.url);
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    let output = run(
        folder.path(),
        &["apply", "policy.yaml", "--yes", "--ledger", "."],
        &account.desk.url,
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("nothing was ordered"), "{output:?}");
    assert_eq!(account.written(), [] as [String; 0]);
}

#[test]
fn an_account_that_says_no_is_told_with_a_way_out() {
    let (account, folder) = (account(), tempfile::tempdir().unwrap());
    account.put(
        "GET /pools",
        vec![Answer::json(403, &json!({ "code": "AuthenticationFailed" }))],
    );
    let output = run(folder.path(), &["plan", "policy.yaml"], &account.desk.url);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        told.contains("AuthenticationFailed") && told.contains("clock"),
        "{told}"
    );
}
