//! A fixed budget of the swarm's worlds, and those that once broke a law.

use lowtide::swarm::{Plan, run};

fn holds(plan: &Plan) {
    let (_, found) = run(plan, None);
    if let Some(found) = found {
        panic!("{found}");
    }
}

#[test]
fn worlds_keep_every_law() {
    for seed in 0..6 {
        holds(&Plan {
            hours: Some(3),
            ..Plan::of(seed)
        });
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    let plan = Plan {
        hours: Some(2),
        ..Plan::of(11)
    };
    let trace = || {
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = lines.clone();
        run(
            &plan,
            Some(std::sync::Arc::new(move |line: &str| {
                kept.lock().unwrap().push(line.to_owned())
            })),
        );
        std::mem::take(&mut *lines.lock().unwrap())
    };
    let (one, two) = (trace(), trace());
    assert!(one.len() > 100, "{}", one.len());
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one, two);
    }
    assert_eq!(one.len(), two.len());
}
