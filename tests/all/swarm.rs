//! A fixed budget of the swarm's worlds, quiet ones: rough ones take minutes without optimisation, and `lowtide swarm` runs them.

use std::sync::{Arc, Mutex};

use lowtide::swarm::{FaultKind, Plan, Without, run};

fn world(seed: u64, hours: u32) -> Plan {
    Plan {
        hours: Some(hours),
        without: Without(FaultKind::ALL.into_iter().collect()),
        ..Plan::of(seed)
    }
}

#[test]
fn worlds_keep_every_law() {
    for seed in SEEDS {
        if let (_, Some(found)) = run(&world(seed, 1), None) {
            panic!("{found}");
        }
    }
}

/// As many as a second each leaves room for; `lowtide swarm` runs as many as are asked for.
const SEEDS: [u64; 2] = [1, 22];

#[test]
fn the_same_seed_is_the_same_world() {
    let trace = || {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let keep = move |line: &str| kept.lock().unwrap().push(line.to_owned());
        run(&world(11, 1), Some(Arc::new(keep)));
        std::mem::take(&mut *lines.lock().unwrap())
    };
    let (one, two) = (trace(), trace());
    assert!(one.len() > 10, "{} lines are too few to prove much", one.len());
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one, two);
    }
    assert_eq!(one.len(), two.len());
}
