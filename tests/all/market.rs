//! Eviction models: what must hold for any of them, whatever their parameters.

use lowtide::base::{Span, Timestamp};
use lowtide::market::{
    Bathtub, BathtubEnd, EvictionModel, Hazard, Lifetime, LostWork, Outset, Piecewise, Regime, Rhythm, Shock,
    Work,
};
use proptest::prelude::*;

fn lifetime() -> impl Strategy<Value = Lifetime> {
    let rate = || (0.0..3.0_f64).prop_map(Hazard);
    prop_oneof![
        rate().prop_map(|hazard| Lifetime::Exponential { hazard }),
        (0.2..4.0_f64, 0.01..100.0_f64)
            .prop_map(|(shape, scale_hours)| Lifetime::Weibull { shape, scale_hours }),
        (-4.0..4.0_f64, 0.1..3.0_f64).prop_map(|(mu, sigma)| Lifetime::LogNormal { mu, sigma }),
        (
            0.0..=1.0_f64,
            0.05..5.0_f64,
            proptest::option::of((5.0..40.0_f64, 0.1..3.0_f64))
        )
            .prop_map(|(share, early_hours, end)| Lifetime::Bathtub(Bathtub {
                share,
                early_hours,
                end: end.map(|(at_hours, late_hours)| BathtubEnd { at_hours, late_hours }),
            })),
        (proptest::collection::vec(0.01..5.0_f64, 0..6), rate()).prop_map(|(steps, last)| {
            let cuts = steps.iter().scan(0.0, |at, step| {
                *at += step;
                Some(*at)
            });
            let hazards = steps.iter().map(|step| Hazard(step / 3.0)).chain([last]);
            Lifetime::Piecewise(Piecewise::new(cuts.collect(), hazards.collect()).unwrap())
        }),
    ]
}

fn model() -> impl Strategy<Value = EvictionModel> {
    let day = || proptest::array::uniform24((0.0..2.0_f64).prop_map(Hazard));
    prop_oneof![
        (0.0..5.0_f64).prop_map(|rate| EvictionModel::Constant { hazard: Hazard(rate) }),
        lifetime().prop_map(|lifetime| EvictionModel::AgeDependent { lifetime }),
        (day(), day()).prop_map(|(weekday, weekend)| EvictionModel::TimeOfDay {
            rhythm: Box::new(Rhythm { weekday, weekend }),
        }),
        (lifetime(), lifetime(), 0.0..1.0_f64, 0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(
            |(up, down, node, share, correlation)| EvictionModel::Regime {
                regime: Box::new(Regime {
                    up,
                    down,
                    node: Hazard(node),
                    shock: Shock { share, correlation },
                }),
            }
        ),
    ]
}

fn outset() -> impl Strategy<Value = Outset> {
    (0..600_000_i64, 0..200_000_i64, 0..200_000_i64).prop_map(|(at, node, run)| Outset {
        at: Timestamp::EPOCH + Span::seconds(at),
        node_age: Span::seconds(node),
        run_age: Span::seconds(run),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn survival_is_a_chance_that_never_rises(model in model(), outset in outset(), spans in proptest::array::uniform3(0..400_000_i64)) {
        let mut spans = spans;
        spans.sort_unstable();
        let of = |seconds| model.survival(outset, Span::seconds(seconds)).get();
        for pair in spans.windows(2) {
            let (sooner, later) = (of(pair[0]), of(pair[1]));
            prop_assert!((0.0..=1.0).contains(&sooner) && (0.0..=1.0).contains(&later));
            prop_assert!(later <= sooner + 1e-12, "{} then {}", sooner, later);
        }
    }

    #[test]
    fn a_span_survived_in_two_parts_is_survived(model in model(), outset in outset(), first in 0..100_000_i64, second in 0..100_000_i64) {
        let (first, second) = (Span::seconds(first), Span::seconds(second));
        let whole = model.survival(outset, first + second).get();
        let parts = model.survival(outset, first).get() * model.survival(outset.after(first), second).get();
        prop_assert!((whole - parts).abs() < 1e-9, "{} {}", whole, parts);
    }

    #[test]
    fn presence_lies_between_what_survives_and_the_whole_span(model in model(), outset in outset(), seconds in 1..400_000_i64) {
        let span = Span::seconds(seconds);
        let presence = model.expected_presence(outset, span);
        let least = span.scale(model.survival(outset, span).get());
        prop_assert!(presence <= span + Span::seconds(1), "{} of {}", presence, span);
        prop_assert!(presence + Span::seconds(1) >= least, "{} of {}", presence, least);
    }

    #[test]
    fn work_never_takes_less_than_its_length_and_efficiency_is_a_share(model in model(), outset in outset(), minutes in 1..3000_i64, boot in 0..20_i64) {
        let work = Work { length: Span::minutes(minutes), boot: Span::minutes(boot), lost: LostWork::All };
        let expected = model.expected_work(outset, &work);
        prop_assert!(expected.total + Span::seconds(1) >= work.length + work.boot);
        prop_assert!((0.0..=1.0).contains(&expected.efficiency));
        prop_assert!(!expected.redone.is_negative());
    }

    #[test]
    fn a_model_is_the_same_after_writing_and_reading(model in model()) {
        prop_assert_eq!(model.fault(), None);
        let json = serde_json::to_string(&model).unwrap();
        let read: EvictionModel = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &model);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
