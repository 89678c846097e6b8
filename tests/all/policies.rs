//! Policies that can be used, and what is said of those that cannot.

use std::fmt::Write as _;
use std::path::Path;

use lowtide::base::{Diagnostic, LineIndex};
use lowtide::policy::{self, Findings, Policy};

use crate::golden;

pub(crate) fn read(path: &Path) -> (String, Option<Policy>, Findings) {
    let source = std::fs::read_to_string(path).unwrap();
    let folder = path.parent().unwrap().to_owned();
    let mut load =
        |file: &str| std::fs::read_to_string(folder.join(file)).map_err(|error| error.kind().to_string());
    let name = path.file_stem().unwrap().to_string_lossy();
    let (policy, findings) = policy::read(&name, &source, &mut load);
    (source, policy, findings)
}

fn tell(text: &mut String, file: &str, source: &str, faults: &[Diagnostic]) {
    let index = LineIndex::new(source);
    for fault in faults {
        let (from, to) = (index.at(fault.span.start), index.at(fault.span.end));
        let severity = format!("{:?}", fault.severity).to_lowercase();
        writeln!(
            text,
            "{file}:{}:{}-{}:{} {severity} {}: {}",
            from.line, from.column, to.line, to.column, fault.code, fault.message
        )
        .unwrap();
        if let Some(help) = &fault.help {
            writeln!(text, "    {help}").unwrap();
        }
    }
}

#[test]
fn every_fault_of_a_policy_is_told_with_its_place_and_a_way_out() {
    for path in golden::files("tests/policies", ".yaml") {
        let (source, policy, findings) = read(&path);
        let mut text = String::new();
        tell(&mut text, "policy", &source, &findings.policy);
        for file in &findings.files {
            tell(&mut text, &file.file, &file.source, &file.diagnostics);
        }
        assert_eq!(policy.is_none(), findings.has_errors(), "{}", path.display());
        golden::check(&path.with_extension("expected"), &text);
    }
}

#[test]
fn the_policies_that_we_ship_have_nothing_wrong_with_them() {
    for path in golden::files("policies", ".yaml") {
        let (source, policy, findings) = read(&path);
        let mut text = String::new();
        tell(&mut text, "policy", &source, &findings.policy);
        for file in &findings.files {
            tell(&mut text, &file.file, &file.source, &file.diagnostics);
        }
        assert!(policy.is_some() && text.is_empty(), "{}\n{text}", path.display());
    }
}

#[test]
fn the_schema_of_policies_is_the_one_beside_them() {
    let schema = serde_json::to_string_pretty(&policy::schema()).unwrap() + "\n";
    golden::check(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/policy.schema.json"),
        &schema,
    );
}

#[test]
fn the_account_that_we_ship_has_nothing_wrong_with_it_and_its_schema_is_beside_the_policies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let source = std::fs::read_to_string(root.join("shared/account.yaml")).unwrap();
    assert!(policy::is_account(&source));
    let (account, faults) = policy::read_account("account", &source);
    assert!(account.is_some(), "{faults:#?}");
    for name in ["genomics", "renders"] {
        let (_, policy, findings) = read(&root.join(format!("shared/{name}.yaml")));
        assert!(
            policy.is_some_and(|policy| !policy.metrics.is_empty()),
            "{findings:#?}"
        );
    }
    let schema = serde_json::to_string_pretty(&policy::account_schema()).unwrap() + "\n";
    golden::check(&root.join("account.schema.json"), &schema);
}
