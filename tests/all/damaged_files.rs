//! Policies, inputs, snapshots and ledgers that were damaged at random are refused or read, and never make us panic.

use lowtide::decision::Memory;
use lowtide::engine::{plan, run};
use lowtide::policy::{self, Policies};
use lowtide::world::{InputsFile, Kept, MemoryLedger, SnapshotFile, SnapshotPool, replay};
use proptest::prelude::*;

const POLICY: &str = include_str!("../../policies/ci-agents.yaml");
const INPUTS: &str = r#"{ "now": "2016-10-13T19:18:47.805Z", "period": "PT30S", "seed": 1,
    "pool": { "targetDedicatedNodes": 2, "nodeDeallocationOption": "requeue", "taskSlotsPerNode": 4 },
    "samples": { "$PendingTasks": { "start": "2016-10-13T19:09:17.805Z", "values": [50, null, 48] },
                 "$CPUPercent": { "start": "2016-10-13T19:09:17.805Z", "values": "0.5x18 _x2 1+2x3" } } }"#;
const SNAPSHOT: &str = include_str!("../decisions/genomics--busy.json");

/// One change of a text: so many bytes at a place become another text.
type Damage = (prop::sample::Index, usize, String);

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let texts = prop_oneof![
        prop::sample::select(vec![
            "",
            "\n",
            "  ",
            "-",
            ": ",
            "\"",
            "[",
            "]",
            "{",
            "}",
            "|",
            "&a ",
            "*a",
            "#",
            "\u{0}",
            "ü",
            "99999999999999999999",
            "-1",
            "1e308",
            "null",
            "!!binary x",
            "<<: ",
            "---\n",
            "x2000000000"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, texts), 1..5)
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    damages.iter().fold(text.to_owned(), |text, (at, length, other)| {
        let start = text.floor_char_boundary(at.index(text.len() + 1));
        let end = text.floor_char_boundary(start + length);
        format!("{}{other}{}", &text[..start], &text[end.max(start)..])
    })
}

/// Checks that a fault can be shown.
fn in_bounds(source: &str, faults: &[lowtide::base::Diagnostic]) {
    for fault in faults {
        assert!(source.get(fault.span.clone()).is_some(), "{fault:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_policy_is_read_or_refused(damages in damages()) {
        let source = damaged(POLICY, &damages);
        let (policy, findings) = policy::read("p", &source, &mut |_| Err("there is no file here".to_owned()));
        in_bounds(&source, &findings.policy);
        prop_assert_eq!(policy.is_none(), findings.has_errors());
    }

    #[test]
    fn damaged_inputs_are_read_or_refused(damages in damages()) {
        let source = damaged(INPUTS, &damages);
        if let Err(faults) = InputsFile::parse(&source) {
            prop_assert!(!faults.is_empty());
            in_bounds(&source, &faults);
        }
    }

    #[test]
    fn a_damaged_snapshot_is_planned_or_refused(damages in damages()) {
        let source = damaged(SNAPSHOT, &damages);
        let policy = POLICY.replace("pool: ci-agents", "pool: \"*\"");
        let (policy, _) = policy::read("p", &policy, &mut |_| unreachable!());
        let policies = Policies::from(policy.into_iter().collect::<Vec<_>>());
        match SnapshotFile::parse(&source) {
            Ok(recorded) => {
                let snapshots: Vec<_> = recorded.pools.iter().map(SnapshotPool::snapshot).collect();
                let planned = plan(&policies, &snapshots, Some(&recorded.shared));
                prop_assert_eq!(planned.len(), snapshots.len());
            }
            Err(faults) => in_bounds(&source, &faults),
        }
    }

    #[test]
    fn a_damaged_ledger_is_replayed_or_refused(damages in damages()) {
        let (policy, _) = policy::read("p", POLICY, &mut |_| unreachable!());
        let policies = Policies::from(policy.into_iter().collect::<Vec<_>>());
        let mut world = Kept { world: crate::worlds::quiet(8), ledger: MemoryLedger::default() };
        run(&mut world, &policies, Memory::default());
        let whole = replay(&world.ledger.text);
        prop_assert!(whole.is_ok(), "{:?}", whole);
        let _ = replay(&damaged(&world.ledger.text, &damages));
    }
}
