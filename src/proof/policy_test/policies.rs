//! The policies that a file of tests is about, and what their pools share.

use super::file::{POLICY, TestFile};
use crate::base::document::Node;
use crate::base::{Diagnostic, Severity};
use crate::policy::{self, AccountPolicy, Policies, Policy};
use crate::proof::run::Loader;

/// Reads the policies and the account that a file of tests names.
///
/// # Errors
/// The first of each that cannot be used, with the place where it is named.
pub(super) fn read_policies(
    name: &str,
    file: &TestFile,
    document: &Node,
    load: &Loader<'_>,
) -> Result<Policies, Vec<Diagnostic>> {
    let place = |path: &[&str]| {
        let node = document.at(path);
        node.map_or(document.span.start..document.span.start, |node| node.span.clone())
    };
    let mut faults = Vec::new();
    let mut policies = Vec::new();
    let mut keep = |read: Result<Policy, (String, &str)>, path: &[&str]| match read {
        Ok(policy) => policies.push(policy),
        Err((message, help)) => {
            faults.push(Diagnostic::error(POLICY, place(path), message).help(help));
        }
    };
    if let Some(path) = &file.policy {
        keep(read_policy(path, load), &["policy"]);
    } else if file.policies.is_empty() {
        keep(read_policy(&beside(name), load), &["policy"]);
    }
    for (index, path) in file.policies.iter().enumerate() {
        keep(read_policy(path, load), &["policies", &index.to_string()]);
    }
    let account = file.account.as_ref().and_then(|path| {
        let read = read_account(path, load).map_err(|message| {
            let help = "give the path of a file of kind account, as seen from this file";
            faults.push(Diagnostic::error(POLICY, place(&["account"]), message).help(help));
        });
        read.ok()
    });
    if faults.is_empty() {
        Ok(Policies { policies, account })
    } else {
        Err(faults)
    }
}

/// A file's name without folder and ending.
fn stem(path: &str) -> &str {
    let stem = path.rsplit('/').next().unwrap_or(path);
    stem.rsplit_once('.').map_or(stem, |(stem, _)| stem)
}

fn read_account(path: &str, load: &Loader<'_>) -> Result<AccountPolicy, String> {
    let source = load(path).map_err(|why| format!("the account `{path}` cannot be read: {why}"))?;
    let (account, faults) = policy::read_account(stem(path), &source);
    account.ok_or_else(|| {
        let first = faults.first();
        let why = first.map_or_else(String::new, |found| format!(": {} {}", found.code, found.message));
        format!("the account `{path}` cannot be used{why}")
    })
}

fn read_policy(path: &str, load: &Loader<'_>) -> Result<Policy, (String, &'static str)> {
    let source = load(path).map_err(|why| {
        (
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
    let (policy, findings) = policy::read(stem(path), &source, &mut formula);
    policy.ok_or_else(|| {
        let first = findings.all().find(|found| found.severity == Severity::Error);
        let why = first.map_or_else(String::new, |found| format!(": {} {}", found.code, found.message));
        (
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
