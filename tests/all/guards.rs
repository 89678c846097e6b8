//! What guards always keep, whatever is asked, seen and remembered.

use lowtide::account::{Halt, HaltScope, PoolState};
use lowtide::base::{Lane, Mix, Nodes, Span, Timestamp};
use lowtide::decision::{
    BrokenNodes, Decision, GuardMemory, MonthUse, OurOrders, Reason, SignalMemory, Snapshot, SpotLoss,
    SpotMemory, TargetChange,
};
use lowtide::engine::decide;
use lowtide::policy::{self, Policies, Policy};
use lowtide::signal::{History, Metric, Series};
use lowtide::sizing::Learned;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().unwrap()
}

fn history(samples: usize) -> History {
    let mut series = Series::new(now() - Span::minutes(15), Span::SAMPLE_PERIOD);
    for _ in 0..samples {
        series.push(Some(1.0)).unwrap();
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    history
}

/// A policy that asks for fixed targets, and reads samples so that they can be missing.
fn policy(asked: Mix, rest: &str) -> Option<Policy> {
    let (dedicated, spot) = (asked.dedicated, asked.spot);
    let source = format!(
        "version: 1\npool: p\ndemand:\n  - formula:\n      role: targets\n      text: |\n        \
         x = $PendingTasks.GetSamplePercent(TimeInterval_Minute);\n        \
         $TargetDedicatedNodes = {dedicated};\n        $TargetLowPriorityNodes = {spot};\n{rest}"
    );
    policy::read("p", &source, &mut |_| Err(String::new())).0
}

fn decision(policy: Policy, pool: &PoolState, guards: &GuardMemory, samples: usize) -> Decision {
    decision_halted(policy, pool, guards, (samples, None))
}

fn decision_halted(
    policy: Policy,
    pool: &PoolState,
    guards: &GuardMemory,
    (samples, halt): (usize, Option<&Halt>),
) -> Decision {
    let history = history(samples);
    let snapshot = Snapshot {
        now: now(),
        seed: 0,
        pool,
        history: &history,
        signals: &SignalMemory::default(),
        guards,
        learned: &Learned::default(),
        spot: &SpotMemory::default(),
        ours: &OurOrders::default(),
        broken: &BrokenNodes::default(),
        work: None,
        halt,
    };
    let policies = Policies::from(vec![policy]);
    decide(&policies, &[snapshot]).remove(0)
}

fn pool(target: Mix, preempted: u32) -> PoolState {
    let mut pool = PoolState::new("p".parse().unwrap());
    pool.target = target;
    pool.current = target;
    pool.nodes.preempted = Nodes(preempted.min(target.spot.0));
    pool
}

fn mixes(most: u32) -> impl Strategy<Value = Mix> {
    (0..most, 0..most).prop_map(|(dedicated, spot)| Mix::new(dedicated, spot))
}

/// Memories with recent changes, losses and some money spent.
fn memories() -> impl Strategy<Value = GuardMemory> {
    let minutes = |ago: i64| now() - Span::minutes(ago);
    let changes = prop::collection::vec((1i64..60, 0u32..40, 0u32..40), 0..6);
    let losses = prop::collection::vec((1i64..60, 1u32..10, 0u32..20), 0..4);
    (changes, losses, 0u64..20_000).prop_map(move |(mut changes, mut losses, hours)| {
        changes.sort_by_key(|change| -change.0);
        losses.sort_by_key(|loss| -loss.0);
        let change = |(ago, from, to)| TargetChange {
            at: minutes(ago),
            from: Nodes(from),
            to: Nodes(to),
        };
        let loss = |(ago, lost, left)| SpotLoss {
            at: minutes(ago),
            lost: Nodes(lost),
            left: Nodes(left),
        };
        GuardMemory {
            changes: changes.into_iter().map(change).collect(),
            losses: losses.into_iter().map(loss).collect(),
            month: Some(MonthUse {
                began: "2026-11-01T00:00:00Z".parse().unwrap(),
                dedicated_milliseconds: hours * 3_600_000,
                spot_milliseconds: hours * 3_600_000,
            }),
            ..GuardMemory::default()
        }
    })
}

/// Everything that can restrain, with random numbers; some of them contradict each other and are refused.
fn limits() -> impl Strategy<Value = String> {
    let bounds = (0u32..10, 0u32..40, 0u32..10, 0u32..40, 0u32..20, 0u32..60);
    let most = (0u32..40, 0u32..40, 0u32..2000, 0u32..3000, any::<bool>());
    let steady = (1u32..20, 0u32..100, 0i64..60, 0i64..60, 1u32..4, 1u32..100);
    (bounds, most, steady, any::<bool>()).prop_map(|(bounds, most, steady, out_only)| {
        format!(
            "mode: {}\nbounds: {{ dedicated: [{}, {}], spot: [{}, {}], total: [{}, {}] }}\n\
             mix: {{ prices: {{ dedicated: 0.2, spot: 0.05 }} }}\n\
             quota: {{ dedicatedNodes: {}, spotCores: {}, coresPerNode: 2 }}\n\
             budget: {{ perHour: {}, perMonth: {}, onSoft: {} }}\n\
             guards:\n  missing: {{ staleAfter: 3m }}\n  step: {{ out: {}, in: {}% }}\n  \
             cooldown: {{ out: {}m, in: {}m }}\n  flap: {{ reversals: {}, within: 1h }}\n  \
             storm: {{ evictions: {}%, within: 15m, pauseSpotFor: 30m }}\n",
            if out_only { "outOnly" } else { "full" },
            bounds.0,
            bounds.0 + bounds.1,
            bounds.2,
            bounds.2 + bounds.3,
            bounds.4,
            bounds.4 + bounds.5,
            most.0,
            most.1 * 2,
            f64::from(most.2) / 100.0,
            most.3,
            if most.4 { "spotOnly" } else { "leastOnly" },
            steady.0,
            steady.1,
            steady.2,
            steady.3,
            steady.4,
            steady.5,
        )
    })
}

/// No halt, or one that holds, or one that is over.
fn halts() -> impl Strategy<Value = Option<Halt>> {
    let scopes = prop::sample::select(vec![HaltScope::In, HaltScope::Out, HaltScope::All]);
    let halt = (scopes, prop::option::of(-10i64..10)).prop_map(|(scope, minutes)| Halt {
        scope,
        until: minutes.map(|minutes| now() + Span::minutes(minutes)),
        why: String::new(),
        by: None,
    });
    prop::option::of(halt)
}

fn rate(policy: &Policy, mix: Mix) -> f64 {
    let of = |lane| mix.get(lane).as_f64() * policy.prices.get(lane).0;
    of(Lane::Dedicated) + of(Lane::Spot)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_passes_a_limit_further_than_the_pool_does_and_nothing_goes_on_missing_news(
        limits in limits(),
        asked in mixes(60),
        start in mixes(60),
        preempted in 0u32..20,
        guards in memories(),
        informed in any::<bool>(),
        halt in halts(),
    ) {
        let Some(policy) = policy(asked, &limits) else {
            return Err(TestCaseError::reject("the limits contradict each other"));
        };
        let samples = if informed { 30 } else { 3 };
        let seen = (samples, halt.as_ref());
        let decision = decision_halted(policy.clone(), &pool(start, preempted), &guards, seen);
        let outcome = decision.outcome();
        prop_assert!(policy.bounds.allow(start, outcome), "bounds: {}", decision.to_text());
        for lane in Lane::ALL {
            let most = policy.quota.nodes(lane).unwrap_or(Nodes(u32::MAX));
            // The least of the bounds fits into every quota, because the policy would have been refused otherwise.
            prop_assert!(outcome.get(lane) <= most.max(start.get(lane)), "quota: {}", decision.to_text());
        }
        let limit = policy.budget.per_hour.unwrap().max(rate(&policy, start));
        prop_assert!(rate(&policy, outcome) <= limit * (1.0 + 1e-6), "money: {}", decision.to_text());
        if !informed || policy.mode == lowtide::policy::Mode::OutOnly {
            prop_assert!(!decision.shrinks(), "{}", decision.to_text());
        }
        match halt.filter(|halt| halt.holds(now())).map(|halt| halt.scope) {
            None => {}
            Some(HaltScope::In) => prop_assert!(!decision.shrinks(), "{}", decision.to_text()),
            Some(HaltScope::Out) => prop_assert!(
                outcome.dedicated <= start.dedicated && outcome.spot <= start.spot,
                "{}", decision.to_text()
            ),
            Some(HaltScope::All) => prop_assert!(decision.order().is_none(), "{}", decision.to_text()),
        }
        let step = policy.steady.step.unwrap().out.unwrap();
        prop_assert!(
            outcome.total() <= start.total() + step,
            "step: {}", decision.to_text()
        );
    }
}

/// Decides with one part of a policy and returns the outcome and the sentences after the proposal.
fn told(asked: Mix, rest: &str, start: Mix, guards: &GuardMemory) -> (Mix, Vec<String>) {
    let policy = policy(asked, rest).unwrap_or_else(|| panic!("cannot be read: {rest}"));
    let decision = decision(policy, &pool(start, 0), guards, 30);
    let sentences = decision.steps()[1..].iter().map(|step| step.reason.text());
    (decision.outcome(), sentences.collect())
}

fn memory(changes: &[(i64, u32, u32)], losses: &[(i64, u32, u32)], hours: u64) -> GuardMemory {
    let at = |ago: i64| now() - Span::minutes(ago);
    GuardMemory {
        changes: changes
            .iter()
            .map(|(ago, from, to)| TargetChange {
                at: at(*ago),
                from: Nodes(*from),
                to: Nodes(*to),
            })
            .collect(),
        losses: losses
            .iter()
            .map(|(ago, lost, left)| SpotLoss {
                at: at(*ago),
                lost: Nodes(*lost),
                left: Nodes(*left),
            })
            .collect(),
        month: Some(MonthUse {
            began: "2026-11-01T00:00:00Z".parse().unwrap(),
            dedicated_milliseconds: hours * 3_600_000,
            spot_milliseconds: 0,
        }),
        ..GuardMemory::default()
    }
}

#[test]
fn each_guard_says_what_it_did_with_its_numbers() {
    let none = GuardMemory::default();
    let busy = memory(
        &[(50, 4, 9), (40, 9, 4), (30, 4, 9), (3, 9, 10)],
        &[(5, 6, 10)],
        1000,
    );
    let prices = "mix: { prices: { dedicated: 0.2, spot: 0.05 } }\n";
    let budget = |rest: &str| format!("{prices}budget: {rest}\n");
    for (rest, asked, start, guards, outcome, sentence) in [
        (
            "quota: { dedicatedCores: 30, coresPerNode: 4 }\n",
            Mix::new(9, 9),
            Mix::new(1, 1),
            &none,
            Mix::new(7, 9),
            "the quota holds 7 dedicated nodes; 9 dedicated + 9 spot were asked for",
        ),
        (
            &budget("{ perHour: 2 }"),
            Mix::new(10, 20),
            Mix::new(1, 1),
            &none,
            Mix::new(5, 20),
            "an hour may cost $2.00; what was asked for costs $3.00, this $2.00",
        ),
        (
            &budget("{ perMonth: 200 }"),
            Mix::new(10, 20),
            Mix::new(1, 1),
            &busy,
            Mix::new(0, 30),
            "$200.00 of the month's $200.00 are spent: spotOnly",
        ),
        (
            &budget("{ perMonth: 150, onSoft: leastOnly }\nbounds: { total: [3, 50], dedicated: [1, 50] }"),
            Mix::new(10, 20),
            Mix::new(1, 1),
            &busy,
            Mix::new(1, 2),
            "$200.00 of the month's $150.00 are spent: leastOnly",
        ),
        (
            "guards: { storm: { evictions: 20%, within: 15m, pauseSpotFor: 30m } }\n",
            Mix::new(1, 20),
            Mix::new(1, 10),
            &busy,
            Mix::new(11, 10),
            "6 of 16 spot nodes were taken away within 15m; no further ones until 2026-11-25T10:25:00.000Z",
        ),
        (
            "guards: { step: { out: 4 } }\n",
            Mix::new(9, 9),
            Mix::new(1, 1),
            &none,
            Mix::new(5, 1),
            "at most 4 nodes are added at a time, of 16",
        ),
        (
            "guards: { step: { in: 25% } }\n",
            Mix::new(0, 0),
            Mix::new(4, 4),
            &none,
            Mix::new(4, 2),
            "at most 2 nodes are taken away at a time, of 8",
        ),
        (
            "guards: { cooldown: { in: 10m } }\n",
            Mix::new(4, 0),
            Mix::new(10, 0),
            &busy,
            Mix::new(10, 0),
            "no nodes are taken away until 2026-11-25T10:07:00.000Z: the target changed at 2026-11-25T09:57:00.000Z",
        ),
        (
            "guards: { flap: { reversals: 2, within: 1h } }\n",
            Mix::new(4, 0),
            Mix::new(10, 0),
            &busy,
            Mix::new(10, 0),
            "the target turned 2 times within 1h; no nodes are taken away until it is calmer",
        ),
    ] {
        let (got, sentences) = told(asked, rest, start, guards);
        assert_eq!(
            (got, sentences.last().map(String::as_str)),
            (outcome, Some(sentence)),
            "{rest}"
        );
    }
}

#[test]
fn a_guard_that_changes_nothing_says_nothing() {
    let rest = "quota: { dedicatedNodes: 20 }\nbudget: { perHour: 9 }\nguards: { step: { out: 30, in: 50% }, cooldown: { in: 1m }, flap: { reversals: 1, within: 1h } }\n";
    let (outcome, sentences) = told(
        Mix::new(9, 9),
        rest,
        Mix::new(8, 9),
        &memory(&[(5, 3, 9)], &[], 0),
    );
    assert_eq!((outcome, sentences.len()), (Mix::new(9, 9), 0));
}

#[test]
fn reasons_come_back_from_json_as_they_were() {
    let busy = memory(&[(3, 9, 10)], &[(5, 6, 10)], 1000);
    let rest = "mix: { prices: { dedicated: 0.2, spot: 0.05 } }\nquota: { spotNodes: 30 }\nbudget: { perHour: 3 }\nguards: { step: { out: 4 }, storm: { evictions: 20%, within: 15m, pauseSpotFor: 30m } }\n";
    let policy = policy(Mix::new(30, 40), rest).unwrap();
    let decision = decision(policy, &pool(Mix::new(1, 1), 0), &busy, 30);
    assert!(decision.steps().len() > 4, "{}", decision.to_text());
    for step in decision.steps() {
        let json = serde_json::to_string(&step.reason).unwrap();
        assert_eq!(
            serde_json::from_str::<Reason>(&json).unwrap(),
            step.reason,
            "{json}"
        );
    }
}
