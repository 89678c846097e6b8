//! Learning from what a market shows: against markets whose truth is known, because we made them.

use lowtide::base::{Nodes, Probability, Span, Timestamp};
use lowtide::market::{
    Assumptions, Band, Capacity, Estimate, EvictionModel, Evidence, Hazard, Learner, Lifetime, Look,
    ModelKind, Outset, Prior,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const HOUR: Span = Span::hours(1);

fn at(hours: f64) -> Timestamp {
    Timestamp::EPOCH + HOUR.scale(hours)
}

fn chance(number: f64) -> Probability {
    Probability::new(number).unwrap()
}

/// Assumptions under which nothing seen grows old.
fn steady() -> Assumptions {
    Assumptions {
        half_life: Span::days(10_000_000),
        regime_half_life: Span::days(10_000_000),
        ..Assumptions::default()
    }
}

/// Draws a lifetime at a constant hazard.
fn draw(random: &mut Pcg64Mcg, hazard: f64) -> f64 {
    -(1.0 - random.random::<f64>()).ln() / hazard
}

/// Shows a learner whole lives, each stopped by ourselves after `stop` hours at the latest.
fn show_lives(learner: &mut Learner, lives: impl Iterator<Item = f64>, stop: f64) {
    for (index, life) in lives.enumerate() {
        let now = at(index as f64);
        let age = Some(HOUR.scale(life.min(stop)));
        let nodes = Nodes(1);
        learner.learn(
            &steady(),
            now,
            Evidence::Lived {
                nodes,
                span: HOUR.scale(life.min(stop)),
                age,
            },
        );
        if life < stop {
            learner.learn(&steady(), now, Evidence::Evicted { nodes, age });
        }
    }
}

/// Returns how often an 80 % interval holds the truth, over markets whose truth is drawn; nodes are stopped after 20 hours.
fn coverage(node: Prior, n_lives: usize, seed: u64, truth: impl Fn(&mut Pcg64Mcg) -> f64) -> f64 {
    let assumptions = Assumptions { node, ..steady() };
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let n_markets = 600;
    let inside = (0..n_markets).filter(|_| {
        let truth = truth(&mut random);
        let mut learner = Learner::new();
        let lives: Vec<f64> = (0..n_lives).map(|_| draw(&mut random, truth)).collect();
        show_lives(&mut learner, lives.into_iter(), 20.0);
        let (low, high) = learner.rate(&assumptions).interval(chance(0.8));
        low.0 <= truth && truth <= high.0
    });
    inside.count() as f64 / f64::from(n_markets)
}

#[test]
fn eighty_percent_intervals_hold_the_truth_eight_times_in_ten() {
    // Truths as the prior has them, which is worth one eviction: an exponential. Five nodes are little evidence.
    let prior = Band::UpTo5.prior();
    let share = coverage(prior, 5, 41, |random| draw(random, 1.0 / prior.per_node_hour.0));
    assert!((0.75..=0.85).contains(&share), "{share}");
    // Truths that the prior knows nothing of; it is worth half an eviction, and forty nodes overrule it.
    let vague = Prior {
        per_node_hour: Hazard(0.1),
        weight: Span::hours(5),
    };
    let share = coverage(vague, 40, 42, |random| 0.02 + 0.5 * random.random::<f64>());
    assert!((0.75..=0.85).contains(&share), "{share}");
}

#[test]
fn nodes_that_we_stopped_are_no_evictions() {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let lives: Vec<f64> = (0..4000).map(|_| draw(&mut random, 0.2)).collect();
    for stop in [0.5, 2.0, 50.0] {
        let mut learner = Learner::new();
        show_lives(&mut learner, lives.iter().copied(), stop);
        let rate = learner.rate(&steady()).mean().0;
        assert!((rate / 0.2 - 1.0).abs() < 0.1, "stopped after {stop} h: {rate}");
    }
}

#[test]
fn a_hazard_that_falls_with_age_is_seen_to_fall() {
    let truth = Lifetime::Weibull {
        shape: 0.6,
        scale_hours: 4.0,
    };
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let lives: Vec<f64> = (0..3000)
        .map(|_| truth.quantile(chance(random.random::<f64>())).unwrap().as_hours())
        .collect();
    let mut learner = Learner::new();
    show_lives(&mut learner, lives.into_iter(), 20.0);
    let model = learner.model(&steady(), ModelKind::AgeDependent, Estimate::Mean);
    for hours in [1, 3, 6, 12] {
        let learned = model
            .survival(Outset::fresh(at(0.0), Span::ZERO), Span::hours(hours))
            .get();
        let true_one = truth.survival(Span::ZERO, Span::hours(hours)).get();
        assert!(
            (learned - true_one).abs() < 0.03,
            "{hours} h: {learned} for {true_one}"
        );
    }
}

#[test]
fn the_hours_of_the_day_are_told_apart() {
    let mut learner = Learner::new();
    for hour in 0..24 * 7 * 20 {
        let nodes = Nodes(10);
        let now = at(f64::from(hour) + 1.0) - Span::seconds(1);
        learner.learn(
            &steady(),
            now,
            Evidence::Lived {
                nodes,
                span: HOUR,
                age: None,
            },
        );
        if hour % 24 == 9 {
            learner.learn(
                &steady(),
                now,
                Evidence::Evicted {
                    nodes: Nodes(2),
                    age: None,
                },
            );
        }
    }
    let model = learner.model(&steady(), ModelKind::TimeOfDay, Estimate::Mean);
    let hazard = |hour| model.hazard(Outset::fresh(at(hour), Span::ZERO)).0;
    // One hour in 24 differs, and is drawn towards the others by two evictions' worth of them.
    assert!(
        (0.15..0.2).contains(&hazard(9.5)) && hazard(15.5) < 0.005,
        "{} {}",
        hazard(9.5),
        hazard(15.5)
    );
}

/// Plays a market of shocks and outages to a learner, minute by minute; returns the true runs and outages.
fn play_regime(learner: &mut Learner, assumptions: &Assumptions, hours: f64, seed: u64) -> (u32, u32) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let (wanted, mut held) = (20_u32, 20_u32);
    let (mut runs, mut outages) = (0, 0);
    let mut down_until = None;
    let mut up_until = draw(&mut random, 0.1);
    for minute in 0..(hours * 60.0) as i64 {
        let now = f64::from(u32::try_from(minute).unwrap()) / 60.0;
        let mut look = Look {
            wanted: Nodes(wanted),
            ..Look::default()
        };
        match down_until {
            Some(end) if now >= end => {
                outages += 1;
                down_until = None;
                up_until = now + draw(&mut random, 0.1);
                look.arrived = Nodes(wanted - held);
                held = wanted;
            }
            None if now >= up_until => {
                runs += 1;
                look.evicted = Nodes(held);
                held = 0;
                down_until = Some(now + 0.2 + draw(&mut random, 1.0));
            }
            _ => {}
        }
        look.held = Nodes(held);
        learner.look(assumptions, at(now), look);
    }
    (runs, outages)
}

#[test]
fn shocks_and_outages_are_counted_and_their_lengths_learned() {
    let assumptions = steady();
    let mut learner = Learner::new();
    let (runs, outages) = play_regime(&mut learner, &assumptions, 3000.0, 8);
    let seen = learner.seen();
    assert!(runs > 200, "{runs}");
    assert_eq!(
        (seen.runs_ended.round(), seen.outages_ended.round()),
        (f64::from(runs), f64::from(outages))
    );
    assert_eq!(seen.single, 0.0);
    let regime = learner.regime(&assumptions, Estimate::Mean);
    let up = regime.stays_up(Span::ZERO, Span::hours(10)).get();
    let down = regime.ends_outage(Span::ZERO, Span::minutes(72)).get();
    // Runs are exponential with 10 hours; outages last 12 minutes and an exponential hour.
    assert!((up - (-1.0_f64).exp()).abs() < 0.05, "{up}");
    assert!((down - (1.0 - (-1.0_f64).exp())).abs() < 0.06, "{down}");
    assert!(regime.shock.share > 0.99 && regime.shock.correlation > 0.5);
    // A node's hazard of its own is all but nothing; the shocks take it ten times in a hundred hours.
    assert!(regime.node.0 < 1e-3, "{}", regime.node);
    let all = learner.rate(&assumptions).mean().0;
    assert!((all - 0.1).abs() < 0.02, "{all}");
}

#[test]
fn storms_and_recoveries_are_seen_when_they_come() {
    let assumptions = Assumptions::default();
    let mut learner = Learner::new();
    let look = |wanted, held, evicted, arrived| Look {
        wanted: Nodes(wanted),
        held: Nodes(held),
        evicted: Nodes(evicted),
        arrived: Nodes(arrived),
    };
    let minutes = |n: i64| Timestamp::EPOCH + Span::minutes(n);
    for minute in 0..60 {
        learner.look(&assumptions, minutes(minute), look(10, 10, 0, 0));
    }
    assert_eq!(learner.up_for(minutes(60)), Some(HOUR));
    assert_eq!(learner.storm(minutes(60), 0.2, Span::minutes(15)), None);
    learner.look(&assumptions, minutes(60), look(10, 7, 3, 0));
    let storm = learner.storm(minutes(60), 0.2, Span::minutes(15)).unwrap();
    assert_eq!((storm.evicted, storm.fleet), (Nodes(3), Nodes(10)));
    assert_eq!(learner.storm(minutes(60), 0.34, Span::minutes(15)), None);
    assert!(matches!(learner.capacity(), Capacity::Up { .. }));
    learner.look(&assumptions, minutes(61), look(10, 5, 2, 0));
    assert_eq!(learner.capacity(), Capacity::Shaken);
    for minute in 62..80 {
        learner.look(&assumptions, minutes(minute), look(10, 5, 0, 0));
    }
    assert_eq!(learner.down_for(minutes(80)), Some(Span::minutes(20)));
    let ends = |span| {
        let ends = learner.outage_ends_within(&assumptions, minutes(80), Span::minutes(span), Estimate::Mean);
        ends.unwrap().get()
    };
    assert!(0.0 < ends(10) && ends(10) < ends(60) && ends(60) < 1.0);
    learner.look(&assumptions, minutes(80), look(10, 10, 0, 5));
    assert_eq!(learner.up_for(minutes(95)), Some(Span::minutes(15)));
    assert_eq!(learner.storm(minutes(95), 0.2, Span::minutes(15)), None);
    assert_eq!(
        learner.outage_ends_within(&assumptions, minutes(95), HOUR, Estimate::Mean),
        None
    );
    assert_eq!(learner.seen().single, 0.0);
}

#[test]
fn single_evictions_of_a_large_fleet_are_no_shock() {
    let assumptions = steady();
    let mut learner = Learner::new();
    for minute in 0..600 {
        let evicted = Nodes(u32::from(minute % 20 == 7));
        let look = Look {
            wanted: Nodes(50),
            held: Nodes(50),
            evicted,
            arrived: evicted,
        };
        learner.look(&assumptions, Timestamp::EPOCH + Span::minutes(minute), look);
    }
    let seen = learner.seen();
    assert_eq!(
        (seen.evictions.round(), seen.single.round(), seen.runs_ended),
        (30.0, 30.0, 0.0)
    );
}

#[test]
fn priors_fade_with_evidence_and_evidence_fades_with_time() {
    let assumptions = Assumptions {
        node: Prior {
            per_node_hour: Hazard(0.5),
            weight: Span::hours(100),
        },
        half_life: Span::days(5),
        ..Assumptions::default()
    };
    let mut learner = Learner::new();
    assert_eq!(learner.rate(&assumptions).mean(), Hazard(0.5));
    let lived = |nodes| Evidence::Lived {
        nodes: Nodes(nodes),
        span: HOUR,
        age: None,
    };
    learner.learn(&assumptions, at(0.0), lived(100));
    assert!((learner.rate(&assumptions).mean().0 - 0.25).abs() < 1e-12);
    learner.learn(&assumptions, at(0.0), lived(100_000));
    assert!(learner.rate(&assumptions).mean().0 < 0.001);
    // A year later nothing of it is left, and the prior is believed again.
    learner.learn(&assumptions, at(24.0 * 365.0), lived(0));
    assert!((learner.rate(&assumptions).mean().0 - 0.5).abs() < 1e-6);
    assert_eq!(Band::UpTo5.prior().rate().mean(), Band::UpTo5.hazard());
}

#[test]
fn drift_is_followed_within_a_few_half_lives() {
    let assumptions = Assumptions {
        half_life: Span::hours(24),
        ..Assumptions::default()
    };
    let mut learner = Learner::new();
    for hour in 0..24 * 20 {
        let nodes = Nodes(100);
        let now = at(f64::from(hour));
        learner.learn(
            &assumptions,
            now,
            Evidence::Lived {
                nodes,
                span: HOUR,
                age: None,
            },
        );
        // One a hundred node-hours for ten days, then five.
        let evicted = Nodes(if hour < 240 { 1 } else { 5 });
        learner.learn(
            &assumptions,
            now,
            Evidence::Evicted {
                nodes: evicted,
                age: None,
            },
        );
    }
    let rate = learner.rate(&assumptions).mean().0;
    assert!((rate - 0.05).abs() < 0.002, "{rate}");
}

#[test]
fn a_cautious_estimate_fears_more_than_the_mean() {
    let mut learner = Learner::new();
    play_regime(&mut learner, &steady(), 200.0, 1);
    let cautious = Estimate::Cautious(chance(0.8));
    let outset = Outset::fresh(at(3.0), HOUR);
    for kind in [
        ModelKind::Constant,
        ModelKind::AgeDependent,
        ModelKind::TimeOfDay,
        ModelKind::Regime,
    ] {
        let survival = |estimate| {
            learner
                .model(&steady(), kind, estimate)
                .survival(outset, Span::hours(2))
        };
        assert!(survival(cautious) < survival(Estimate::Mean), "{kind:?}");
    }
    let ends = |estimate| learner.regime(&steady(), estimate).ends_outage(Span::ZERO, HOUR);
    assert!(ends(cautious) < ends(Estimate::Mean));
}

fn evidence() -> impl Strategy<Value = Evidence> {
    // Spans in quarters of an hour add up exactly, in any order.
    let age = || proptest::option::of((0..200_i64).prop_map(|quarters| Span::minutes(15 * quarters)));
    prop_oneof![
        (0..50_u32, 0..20_i64, age()).prop_map(|(nodes, quarters, age)| Evidence::Lived {
            nodes: Nodes(nodes),
            span: Span::minutes(15 * quarters),
            age,
        }),
        (0..9_u32, age()).prop_map(|(nodes, age)| Evidence::Evicted {
            nodes: Nodes(nodes),
            age
        }),
        (0..9_u32).prop_map(|nodes| Evidence::Arrived { nodes: Nodes(nodes) }),
        (0..30_u32, 0..30_u32).prop_map(|(wanted, held)| Evidence::Fleet {
            wanted: Nodes(wanted),
            held: Nodes(held),
        }),
    ]
}

fn of_nodes(model: &EvictionModel) -> [f64; 3] {
    [0, 3, 30].map(|hours| {
        model
            .hazard(Outset::fresh(at(2.0), HOUR).after(Span::hours(hours)))
            .0
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(5), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_learned_of_nodes_does_not_depend_on_the_order(
        mut seen in proptest::collection::vec((0..500_i64, evidence()), 1..60),
        swap in any::<prop::sample::Index>(),
    ) {
        let assumptions = Assumptions::default();
        let learn = |seen: &[(i64, Evidence)]| {
            let mut learner = Learner::new();
            for (minutes, evidence) in seen {
                learner.learn(&assumptions, Timestamp::EPOCH + Span::minutes(*minutes), *evidence);
            }
            learner
        };
        let one = learn(&seen);
        let turn = swap.index(seen.len());
        seen.rotate_left(turn);
        let other = learn(&seen);
        prop_assert!((one.rate(&assumptions).mean().0 - other.rate(&assumptions).mean().0).abs() < 1e-9);
        for kind in [ModelKind::Constant, ModelKind::AgeDependent, ModelKind::TimeOfDay] {
            let of = |learner: &Learner| of_nodes(&learner.model(&assumptions, kind, Estimate::Mean));
            for (a, b) in of(&one).into_iter().zip(of(&other)) {
                prop_assert!((a - b).abs() < 1e-9, "{:?}: {} {}", kind, a, b);
            }
        }
    }

    #[test]
    fn a_learner_goes_on_alike_after_being_written_and_read(
        seen in proptest::collection::vec((0..100_000_000_000_i64, evidence()), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let assumptions = Assumptions::default();
        let cut = cut.index(seen.len());
        let mut straight = Learner::new();
        let mut reread = Learner::new();
        for (index, (ticks, evidence)) in seen.iter().enumerate() {
            let at = Timestamp::from_ticks(*ticks);
            straight.learn(&assumptions, at, *evidence);
            reread.learn(&assumptions, at, *evidence);
            if index == cut {
                let json = serde_json::to_string(&reread).unwrap();
                reread = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(serde_json::to_string(&reread).unwrap(), json);
            }
        }
        prop_assert_eq!(serde_json::to_string(&straight).unwrap(), serde_json::to_string(&reread).unwrap());
        for kind in [ModelKind::Constant, ModelKind::AgeDependent, ModelKind::TimeOfDay, ModelKind::Regime] {
            let model = straight.model(&assumptions, kind, Estimate::Cautious(chance(0.8)));
            prop_assert_eq!(model.fault(), None);
        }
    }
}

#[test]
fn memory_is_bounded_whatever_is_seen() {
    let assumptions = Assumptions::default();
    let mut random = Pcg64Mcg::seed_from_u64(9);
    let mut learner = Learner::new();
    for _ in 0..3000 {
        let now = Timestamp::EPOCH + Span::seconds(random.random_range(0..700_000));
        let nodes = Nodes(random.random_range(0..60));
        let age = Some(Span::minutes(random.random_range(0..9000)));
        let span = Span::minutes(random.random_range(0..20_000));
        for evidence in [
            Evidence::Lived { nodes, span, age },
            Evidence::Evicted { nodes, age },
            Evidence::Arrived { nodes },
            Evidence::Fleet {
                wanted: nodes,
                held: Nodes(30),
            },
        ] {
            learner.learn(&assumptions, now, evidence);
        }
    }
    // 48 + 9 + 8 + 7 + 1 bins of two numbers, an hour of minutes, and a few fields.
    let size = serde_json::to_string(&learner).unwrap().len();
    assert!(size < 9_000, "{size}");
}
