//! Policies that look at different times: whose turn it is not is sampled all the same, and told at its turn.

use lowtide::base::Span;
use lowtide::engine::{Observation, Turn};
use lowtide::signal::Metric;

use super::account::{list, pool};
use super::live::{Stage, busy_account};
use super::noon;

/// Seed 15 of the swarm's pools: two policies of which one looks rarely, whose pool was never sampled but at its own looks.
#[test]
fn a_pool_whose_turn_it_is_not_is_sampled_for_its_turn() {
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("q", "0x2", 0, 0)])],
    );
    let mut stage = Stage::set(account);
    let turns = |due: bool| {
        [("p", due), ("*", true)]
            .map(|(pools, due)| Turn {
                pools: pools.parse().unwrap(),
                due,
            })
            .to_vec()
    };
    let ids = |seen: &Observation| -> Vec<String> {
        let ids = seen.pools().iter().map(|view| view.state.id.to_string());
        ids.collect()
    };
    stage.turns = turns(true);
    assert_eq!(ids(&stage.look(&[Metric::PendingTasks], false)), ["p", "q"]);
    stage.turns = turns(false);
    for _ in 0..2 {
        stage.pass(60);
        let seen = stage.look(&[Metric::PendingTasks], false);
        assert_eq!(ids(&seen), ["q"]);
        // What it holds of what is shared is told.
        let others = seen.account.unwrap().pools;
        assert_eq!((others.len(), others[0].pool.as_str()), (1, "p"));
    }
    stage.turns = turns(true);
    stage.pass(60);
    let seen = stage.look(&[Metric::PendingTasks], false);
    assert_eq!(ids(&seen), ["p", "q"]);
    let samples = seen.pools()[0].samples.iter();
    let taken: Vec<_> = samples.map(|sample| sample.taken.since(noon())).collect();
    assert_eq!(taken, [30, 60, 90, 120, 150, 180].map(Span::seconds));
}
