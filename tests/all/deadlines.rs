//! Deadlines beside uniform progress, which is told how long tasks run: what holds in every case, and what holds in the sum.
//!
//! Neither can be better in every case: what the market does next decides whether a gamble was one. What must hold in every
//! case is that nothing is missed for want of foresight where foresight is possible. Without losses of running tasks that is
//! everything: whatever spot does, dedicated nodes come in time.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::{ProptestConfig, proptest};

use lowtide::base::{Span, Timestamp, UsdHourly};
use lowtide::policy::{self, Policy, Prices};
use lowtide::sim::cluster::Setup;
use lowtide::sim::workload::{Due, Task, TaskRecipe, Workload};
use lowtide::sim::{Contender, Options, Run, SpotMarket, backtest, baseline};

const PRICES: Prices = Prices {
    dedicated: UsdHourly(1.0),
    spot: UsdHourly(0.2),
};

fn policy(within_minutes: i64, run_minutes: i64) -> Policy {
    let source = format!(
        "version: 1\npool: p\ndemand: [ {{ deadlines: {{}} }} ]\n\
         bounds: {{ total: [0, 1000], dedicated: [0, 600], spot: [0, 600] }}\n\
         mix: {{ objective: expectedCost, prices: {{ dedicated: 1, spot: 0.2 }} }}\n\
         deadlines: [ {{ within: {within_minutes}m, typicalRun: {run_minutes}m }} ]\n"
    );
    let (policy, findings) = policy::read("deadlines", &source, &mut |_| Err(String::new()));
    policy.unwrap_or_else(|| panic!("{findings:?}"))
}

/// Runs the policy and uniform progress on the same tasks and market.
fn both(workload: Workload, policy: Policy, spot: SpotMarket, seed: u64) -> [Run; 2] {
    let contenders = [
        Contender::Policy(policy),
        baseline::parse("uniform-progress", PRICES).unwrap(),
    ];
    let options = Options {
        setup: Setup::study(),
        spot,
        seeds: vec![seed],
        ..Options::default()
    };
    let report = backtest(&contenders, &Arc::new(workload), &options, &|_| {}).unwrap();
    report.runs.try_into().unwrap()
}

/// Equal tasks that come together, some batches one after another.
fn batches(n_tasks: usize, run_minutes: i64, within_minutes: i64) -> Workload {
    let task = |batch: i64| Task {
        due: Some(Due::after(Span::minutes(within_minutes))),
        ..Task::new(
            Timestamp::from_unix_seconds(60 * batch * (within_minutes + 30)),
            Span::minutes(run_minutes),
            1,
        )
    };
    let tasks = (0..3).flat_map(|batch| std::iter::repeat_n(task(batch), n_tasks));
    Workload::new("batches", Timestamp::EPOCH, tasks.collect())
}

/// Spot machines in turns: away for some minutes and there for some; there is none in a first turn that outlasts the run.
fn spot_in_turns(turns: &[i64]) -> SpotMarket {
    let mut steps = "t_s,available\n".to_owned();
    let mut at = 0;
    for (index, minutes) in turns.iter().enumerate() {
        let _ = writeln!(steps, "{at},{}", if index % 2 == 0 { 0 } else { 1000 });
        at += 60 * minutes;
    }
    let _ = write!(steps, "{at},1000\n{},-1\n", at + 8_640_000);
    SpotMarket::read("turns", &steps).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Without spot all is done by dedicated nodes in time, each of which costs no more than its task, a boot and a look.
    #[test]
    fn without_spot_no_deadline_is_missed_that_leaves_time_for_a_change(
        n_tasks in 1usize..40, run in 2i64..240, slack in 0i64..600,
    ) {
        // A task is taken to run up to twice what is typical until one has ended, or up to 60 % of its time.
        let within = 2 * run + 20 + slack;
        let [ours, theirs] = both(batches(n_tasks, run, within), policy(within, run), spot_in_turns(&[100_000]), 0);
        assert_eq!(theirs.tasks.deadline_missed, Some(0));
        assert_eq!(ours.tasks.deadline_missed, Some(0));
        let most = 3.0 * n_tasks as f64 * (run as f64 + 4.0 + 4.0) / 60.0;
        assert!(ours.cost.total.0 <= most, "{} for {most}", ours.cost.total);
    }

    /// Spot that comes and is never taken away does everything, for no more than uniform progress pays.
    #[test]
    fn with_spot_that_stays_it_costs_no_more_than_uniform_progress(
        n_tasks in 1usize..40, run in 2i64..240, slack in 0i64..600, away in 0i64..120,
    ) {
        let within = 2 * run + 30 + slack;
        let market = spot_in_turns(&[away.min(slack / 4) + 1, 90_000]);
        let [ours, theirs] = both(batches(n_tasks, run, within), policy(within, run), market, 0);
        assert_eq!(ours.tasks.deadline_missed, Some(0));
        // A look is a minute, and a node that is done with is seen at the next one.
        let looks = 3.0 * n_tasks as f64 * 0.2 * 2.0 / 60.0;
        assert!(
            ours.cost.total.0 <= theirs.cost.total.0 + looks,
            "{} against {}", ours.cost.total, theirs.cost.total
        );
    }
}

/// Sixteen markets and workloads: where one of the two gambles better than the other is chance, the sum is not, but for one miss
/// in a thousand.
#[test]
fn in_the_sum_it_misses_as_few_as_uniform_progress_and_costs_less() {
    let mut sums = [(0, 0.0); 2];
    for (recipe, within, run) in [
        ("batch:40/1d,fixed:30m,4d,due=10h", 600, 30),
        ("batch:60/12h,exp:10m,3d,due=3h", 180, 10),
        ("poisson:6,exp:20m,3d,due=4h", 240, 20),
        ("batch:6/1d,fixed:3h,6d,due=10h", 600, 180),
    ] {
        for market in ["az5", "az20", "constant:0.1", "regimes:3h/1h"] {
            let recipe: TaskRecipe = recipe.parse().unwrap();
            let spot = SpotMarket::modelled(market).unwrap().unwrap();
            let runs = both(recipe.make(), policy(within, run), spot, 7);
            for (sum, run) in sums.iter_mut().zip(&runs) {
                sum.0 += run.tasks.deadline_missed.unwrap();
                sum.1 += run.cost.total.0;
            }
        }
    }
    let [ours, theirs] = sums;
    // Some four thousand tasks in all.
    assert!(ours.0 <= theirs.0 + 4, "{ours:?} against {theirs:?}");
    assert!(ours.1 < 0.97 * theirs.1, "{ours:?} against {theirs:?}");
}
