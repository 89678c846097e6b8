//! What is imported is a policy: every example passes `check` and `plan` with every pool that it speaks of.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lowtide::bring::Draft;

use crate::golden;

fn lowtide(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The examples of an importer.
pub(crate) fn examples(kind: &str) -> Vec<PathBuf> {
    golden::files(&format!("tests/imports/{kind}"), "")
}

fn passes(arguments: &[&str]) {
    let output = lowtide(arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
}

/// Brings an example with the command and holds what it wrote against the other commands.
fn prove(kind: &str, example: &Path, drafts: &[Draft]) {
    assert!(!drafts.is_empty(), "{} has no pool", example.display());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    passes(&["import", kind, example.to_str().unwrap(), "--out", out]);
    let pools: Vec<_> = drafts
        .iter()
        .map(|draft| {
            format!(
                "{{ \"pool\": {{ \"id\": \"{}\", \"targetDedicatedNodes\": 2 }} }}",
                draft.pool.as_str().replace('*', "x")
            )
        })
        .collect();
    let snapshot = format!(
        "{{ \"now\": \"2026-11-25T09:00:00Z\", \"pools\": [{}] }}",
        pools.join(", ")
    );
    let file = folder.path().join("snapshot.json");
    std::fs::write(&file, snapshot).unwrap();
    passes(&["check", out]);
    let plan = lowtide(&["plan", out, "--snapshot", file.to_str().unwrap(), "-o", "json"]);
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
    let lines = String::from_utf8(plan.stdout).unwrap();
    assert_eq!(lines.lines().count(), drafts.len(), "{lines}");
    // The policy in one piece says the same as the one with a file beside it.
    for draft in drafts {
        let whole = folder.path().join("whole.yaml");
        std::fs::write(&whole, draft.yaml(None)).unwrap();
        passes(&["check", whole.to_str().unwrap()]);
    }
}

#[test]
fn pools_that_scale_by_themselves_become_policies() {
    for example in examples("native") {
        let source = std::fs::read_to_string(&example).unwrap();
        let drafts = lowtide::bring::native(&source).unwrap();
        prove("native", &example, &drafts);
    }
}

#[test]
fn pools_that_nextflow_makes_become_policies() {
    for example in examples("nextflow") {
        let source = std::fs::read_to_string(&example).unwrap();
        let brought = lowtide::bring::nextflow(&source, None).unwrap();
        prove("nextflow", &example, &brought.drafts);
    }
}

#[test]
fn pools_of_batch_shipyard_become_policies() {
    for example in examples("shipyard") {
        let source = std::fs::read_to_string(&example).unwrap();
        let brought = lowtide::bring::shipyard(&source).unwrap();
        prove("shipyard", &example, &brought.drafts);
    }
}
