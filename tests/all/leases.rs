//! Formulas that carry a target: exactly that before they end, and within all that the policy allows afterwards, whatever is asked,
//! seen and missing.

use lowtide::account::{Lease, LeaseOrder, OwnFormula};
use lowtide::base::{Lane, Mix, Nodes, Span, Timestamp};
use lowtide::formula::{CHARACTERS_MAX, Formula, Inputs, PoolFacts, Scope};
use lowtide::policy::{self, LeaseFallback, Leased, Policy};
use lowtide::signal::{History, Metric, Series};
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().unwrap()
}

fn policy(rest: &str) -> Option<Policy> {
    let source = format!("version: 1\npool: p\ndemand: [ {{ queue: {{ metric: $PendingTasks }} }} ]\n{rest}");
    policy::read("p", &source, &mut |_| Err(String::new())).0
}

/// Bounds, quotas and money with random numbers; some of them contradict each other and are refused.
fn limits() -> impl Strategy<Value = String> {
    let bounds = (0u32..10, 0u32..40, 0u32..10, 0u32..40, 0u32..20, 0u32..60);
    let most = (prop::option::of(0u32..40), prop::option::of(0u32..2000));
    let objectives = vec![
        "dedicatedOnly",
        "spotFirst",
        "expectedCost",
        "{ fixedShare: 0.3 }",
        "{ fixedShare: 0.85 }",
    ];
    (bounds, most, prop::sample::select(objectives)).prop_map(|(bounds, most, objective)| {
        let quota = most.0.map_or(String::new(), |nodes| {
            format!("quota: {{ dedicatedNodes: {nodes} }}\n")
        });
        let budget = most.1.map_or(String::new(), |cents| {
            format!("budget: {{ perHour: {} }}\n", f64::from(cents) / 100.0)
        });
        format!(
            "bounds: {{ dedicated: [{}, {}], spot: [{}, {}], total: [{}, {}] }}\n\
             mix: {{ objective: {objective}, prices: {{ dedicated: 0.2, spot: 0.05 }} }}\n{quota}{budget}",
            bounds.0,
            bounds.0 + bounds.1,
            bounds.2,
            bounds.2 + bounds.3,
            bounds.4,
            bounds.4 + bounds.5,
        )
    })
}

fn history(end: Timestamp, tasks: &[Option<u16>]) -> History {
    let mut series = Series::new(
        end - Span::SAMPLE_PERIOD * i64::try_from(tasks.len()).unwrap(),
        Span::SAMPLE_PERIOD,
    );
    for count in tasks {
        series.push(count.map(f64::from)).unwrap();
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    history
}

fn run(order: &LeaseOrder, pool: PoolFacts, now: Timestamp, history: &History) -> Mix {
    let formula = Formula::compile(&order.formula, &Scope::default()).unwrap();
    let inputs = Inputs {
        now,
        pool,
        history,
        seed: 0,
    };
    let outcome = formula.evaluator().run(&inputs);
    outcome
        .unwrap_or_else(|fault| panic!("{fault:?} in {}", order.formula))
        .target
}

fn rate(policy: &Policy, mix: Mix) -> f64 {
    policy.prices.rate(mix).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    #[test]
    fn a_lease_is_safe_before_and_after_its_end(
        limits in limits(),
        target in (0u32..80, 0u32..80),
        has in (0u32..80, 0u32..80),
        slots in 1u32..9,
        fallback in prop::sample::select(vec![LeaseFallback::Tasks, LeaseFallback::Least, LeaseFallback::Keep]),
        tasks in prop::collection::vec(prop::option::of(0u16..900), 1..60),
        after in 0i64..100_000,
    ) {
        let Some(policy) = policy(&limits) else {
            return Err(TestCaseError::reject("the limits contradict each other"));
        };
        let pool = PoolFacts {
            target: Mix::new(has.0, has.1),
            option: policy.lease_option(),
            current: Mix::new(has.0, has.1),
            usable: Nodes(has.0),
            preempted: Nodes(0),
            task_slots_per_node: slots,
        };
        let lease = Lease {
            holder: policy.holder(),
            target: Mix::new(target.0, target.1),
            until: now() + Span::minutes(30),
        };
        let leased = Leased { lease: &lease, pool, now: now() };
        let order = policy.lease_order(&leased, fallback);
        // Dedicated nodes alone may cost more than an hour may where spot ones would not: then there is no order at all.
        let Ok(order) = order else {
            prop_assert!(policy.budget.per_hour.is_some(), "{order:?}");
            return Ok(());
        };
        prop_assert!(order.formula.chars().count() < CHARACTERS_MAX / 4);
        prop_assert_eq!(OwnFormula::of(&order.formula), OwnFormula::Lease(lease.clone()));
        let before = lease.until - Span::from_ticks(1 + after * 10_000);
        prop_assert_eq!(run(&order, pool, before, &history(before, &tasks)), lease.target);
        let later = lease.until + Span::seconds(after);
        let seen = history(later, &tasks);
        let given = run(&order, pool, later, &seen);
        prop_assert_eq!(policy.bounds.fit(given), given, "{}", order.formula);
        for lane in Lane::ALL {
            if let Some(most) = policy.quota.nodes(lane) {
                prop_assert!(given.get(lane) <= most, "{given}: {}", order.formula);
            }
        }
        let known = seen
            .get(Metric::PendingTasks)
            .is_some_and(|series| series.window(later, Span::ZERO, Span::minutes(15)).percent() >= 50.0);
        let unknown = fallback == LeaseFallback::Tasks && !known;
        if let Some(limit) = policy.budget.per_hour.filter(|_| !unknown) {
            prop_assert!(rate(&policy, given) <= limit * (1.0 + 1e-6), "{given}: {}", order.formula);
        }
        if unknown && policy.bounds.fit(pool.target) == pool.target && policy.quota.nodes(Lane::Dedicated).is_none() && policy.budget.per_hour.is_none() {
            prop_assert_eq!(given, pool.target, "nothing moves on what is not known");
        }
    }
}

#[test]
fn the_rule_behind_a_lease_has_slots_for_the_tasks_that_there_were() {
    let policy = policy(
        "bounds: { total: [1, 40], dedicated: [1, 10], spot: [0, 35] }\nmix: { objective: spotFirst }\n",
    )
    .unwrap();
    let pool = PoolFacts {
        target: Mix::new(2, 3),
        option: policy.lease_option(),
        current: Mix::new(2, 3),
        usable: Nodes(5),
        preempted: Nodes(0),
        task_slots_per_node: 4,
    };
    let lease = Lease {
        holder: policy.holder(),
        target: Mix::new(2, 3),
        until: now() + Span::minutes(30),
    };
    let leased = Leased {
        lease: &lease,
        pool,
        now: now(),
    };
    let order = policy.lease_order(&leased, LeaseFallback::Tasks).unwrap();
    let at = lease.until + Span::minutes(3);
    for (tasks, expected) in [
        (0, Mix::new(1, 0)),
        (4, Mix::new(1, 0)),
        (5, Mix::new(1, 1)),
        (41, Mix::new(1, 10)),
        (150, Mix::new(3, 35)),
        (9000, Mix::new(5, 35)),
    ] {
        let given = run(&order, pool, at, &history(at, &[Some(tasks); 30]));
        assert_eq!(given, expected, "{tasks} tasks\n{}", order.formula);
    }
    assert_eq!(
        run(&order, pool, at, &History::new()),
        Mix::new(2, 3),
        "nothing is known"
    );
}
