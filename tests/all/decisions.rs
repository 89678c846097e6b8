//! Recorded accounts and what is decided for their pools, as text and as JSON.
//!
//! `NAME--CASE.json` is an account, decided by the policy `NAME.yaml` beside it or among those that we ship.

use std::fmt::Write as _;
use std::path::Path;

use lowtide::decision::Snapshot;
use lowtide::engine::plan;
use lowtide::policy::Policies;
use lowtide::world::{SnapshotFile, SnapshotPool};

use crate::{golden, policies};

pub(crate) fn policy_for(snapshot: &Path) -> Policies {
    let name = snapshot.file_stem().unwrap().to_string_lossy();
    let name = name.split("--").next().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/decisions", "policies"];
    let mut files = folders
        .map(|folder| root.join(folder).join(format!("{name}.yaml")))
        .into_iter();
    let file = files.find(|file| file.exists()).unwrap();
    let (_, policy, findings) = policies::read(&file);
    let policy = policy.unwrap_or_else(|| panic!("{}: {findings:?}", file.display()));
    Policies::from(vec![policy])
}

#[test]
fn decisions_are_as_expected() {
    for path in golden::files("tests/decisions", ".json") {
        let recorded = SnapshotFile::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let snapshots: Vec<Snapshot<'_>> = recorded.pools.iter().map(SnapshotPool::snapshot).collect();
        let decisions = plan(&policy_for(&path), &snapshots, Some(&recorded.shared));
        let mut text = String::new();
        for decision in &decisions {
            text += &decision.to_text();
        }
        for decision in &decisions {
            writeln!(text, "\n{}", decision.to_json()).unwrap();
        }
        golden::check(&path.with_extension("expected"), &text);
    }
}
