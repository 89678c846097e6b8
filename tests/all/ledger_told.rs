//! What is told out of a ledger: a decision reads as when it was made.

use std::path::Path;
use std::sync::Arc;

use lowtide::decision::Told;
use lowtide::engine::Entry;
use lowtide::sim::workload::{CiRecipe, generate};
use lowtide::sim::{Contender, backtest_one, demo};
use lowtide::world::line;

use crate::policies;

#[test]
fn a_decision_out_of_a_ledger_reads_as_when_it_was_made() {
    let mut texts: Vec<(String, String)> = Vec::new();
    let workload = Arc::new(generate(&CiRecipe::default(), 7));
    let mut keep = |entry: &Entry<'_>| {
        if let Entry::Decided { decision, .. } = entry {
            texts.push((decision.to_text(), line(entry)));
        }
        Ok(())
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/ci-agents.yaml");
    let contender = Contender::Policy(policies::read(&file).1.unwrap());
    backtest_one(
        &contender,
        &workload,
        &demo::options(),
        7,
        Some(&mut keep),
        &|_| {},
    )
    .unwrap();
    for (text, line) in texts {
        let told: Told = serde_json::from_str(&line).unwrap();
        assert_eq!(told.to_text(), text);
    }
}
