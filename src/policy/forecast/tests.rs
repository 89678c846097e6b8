//! Forecasts of days that came before, and of days that never did.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::Config;

use super::{Fits, Forecast};
use crate::account::PoolState;
use crate::base::{Nodes, Span, Timestamp};
use crate::decision::{ForecastAsk, GuardMemory, Reason, Snapshot};
use crate::signal::{History, Metric, Series};

fn forecast() -> Forecast {
    Forecast {
        metric: Metric::PendingTasks,
        season: Span::hours(24),
        horizon: Span::minutes(30),
        per_node: None,
        told: None,
        fitted: None,
    }
}

/// Returns the samples from 1970 to an hour of a day, when the metric of all time was a function of the hour and of the day from 0.
fn past(days: i64, hour: f64, value: impl Fn(f64, i64) -> f64) -> (Series, Timestamp) {
    let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
    let now = Timestamp::EPOCH + Span::days(days) + Span::from_seconds(hour * 3600.0);
    let slots = now.since(Timestamp::EPOCH).ticks() / Span::SAMPLE_PERIOD.ticks();
    for slot in 0..=slots {
        let hours = slot as f64 / 120.0;
        let sample = value(hours % 24.0, (hours / 24.0) as i64);
        series.push(Some(sample)).unwrap();
    }
    (series, now)
}

/// Asks at a moment, with what was fitted before.
fn asked(forecast: &Forecast, (series, now): (Series, Timestamp), fits: &mut Fits) -> ForecastAsk {
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    let mut pool = PoolState::new("p".parse().unwrap());
    pool.task_slots_per_node = 4;
    let snapshot = Snapshot {
        now,
        seed: 0,
        pool: &pool,
        history: &history,
        signals: &crate::decision::SignalMemory::default(),
        guards: &GuardMemory::default(),
        learned: &crate::sizing::Learned::default(),
        spot: &crate::decision::SpotMemory::default(),
        ours: &crate::decision::OurOrders::default(),
        broken: &crate::decision::BrokenNodes::default(),
        work: None,
        halt: None,
    };
    match forecast.need(&snapshot, fits).reason {
        Reason::Forecast(ask) => ask,
        other => panic!("{other:?}"),
    }
}

fn ask(forecast: &Forecast, days: i64, hour: f64, value: impl Fn(f64, i64) -> f64) -> ForecastAsk {
    asked(forecast, past(days, hour, value), &mut Fits::default())
}

/// Forty tasks from nine to five.
fn office(hour: f64, _: i64) -> f64 {
    if (9.0..17.0).contains(&hour) { 40.0 } else { 0.0 }
}

#[test]
fn what_came_every_day_is_seen_before_it_comes() {
    let seen = ask(&forecast(), 3, 8.75, office);
    assert_eq!(
        (seen.value, seen.trusted, seen.nodes),
        (Some(40.0), true, Nodes(10))
    );
    assert_eq!((seen.mape_percent, seen.mase), (Some(0.0), Some(0.0)));
    let early = ask(&forecast(), 3, 8.25, office);
    assert_eq!((early.value, early.nodes), (Some(0.0), Nodes(0)));
    let carried = Forecast {
        per_node: Some(20.0),
        ..forecast()
    };
    assert_eq!(ask(&carried, 3, 8.75, office).nodes, Nodes(2));
}

#[test]
fn a_day_that_is_busier_throughout_shifts_the_forecast() {
    let growing = |hour: f64, day: i64| 100.0 + 10.0 * (hour - 12.0).abs() + 80.0 * day as f64;
    let seen = ask(&forecast(), 4, 12.0, growing);
    // Half an hour from now 105 above what this day adds; days before were 120 lower on average of 0, 80, 160 and 240.
    assert!(seen.shifted && seen.trusted, "{seen:?}");
    assert!((seen.value.unwrap() - 425.0).abs() < 2.0, "{seen:?}");
}

#[test]
fn what_never_came_again_is_not_believed() {
    // Each day is another one: as now is the better guess.
    let unsteady = |hour: f64, day: i64| {
        let begins = [3.0, 15.0, 8.0, 20.0, 5.0, 12.0][day as usize % 6];
        if (begins..begins + 2.0).contains(&hour) {
            40.0
        } else {
            0.0
        }
    };
    let seen = ask(&forecast(), 5, 15.0, unsteady);
    assert!(seen.mase.unwrap() > 1.0, "{seen:?}");
    assert_eq!((seen.trusted, seen.nodes), (false, Nodes(0)));
    let flat = ask(&forecast(), 5, 12.0, |_, _| 50.0);
    assert_eq!(
        (flat.trusted, flat.mase, flat.nodes),
        (false, None, Nodes(0)),
        "nothing to gain"
    );
    let first_day = ask(&forecast(), 0, 12.0, office);
    assert_eq!((first_day.value, first_day.trusted), (None, false));
    let second_day = ask(&forecast(), 1, 8.75, office);
    assert!(!second_day.trusted, "held against a night alone: {second_day:?}");
}

#[test]
fn a_weekly_season_is_taken_as_it_is() {
    let week = Forecast {
        season: Span::days(7),
        ..forecast()
    };
    let monday = |hour: f64, day: i64| if day % 7 == 1 { office(hour, day) } else { 0.0 };
    let seen = ask(&week, 8, 8.75, monday);
    assert_eq!((seen.value, seen.trusted, seen.mase), (Some(40.0), true, None));
    assert_eq!(ask(&week, 9, 8.75, monday).nodes, Nodes(0));
}

/// A forecast as a policy that says nothing of a model is read.
fn modelled() -> Forecast {
    forecast().as_read()
}

/// Something between 0 and 1 for each quarter of an hour, always the same.
fn noise(hour: f64, day: i64) -> f64 {
    let quarter = (day * 96) as f64 + (hour * 4.0).floor();
    ((quarter * 12.9898).sin() * 43_758.545).rem_euclid(1.0)
}

/// Each day is fifteen above the one before, all day long.
fn growing(hour: f64, day: i64) -> f64 {
    let days = day as f64 + hour / 24.0;
    50.0 + 15.0 * days + 30.0 * (days * std::f64::consts::TAU).sin() + 8.0 * noise(hour, day)
}

/// A day's wave on a level that goes where it will, and a weekend that is flat.
fn drifting(hour: f64, day: i64) -> f64 {
    let cells = day * 96 + (hour * 4.0) as i64;
    let level: f64 = (0..cells)
        .map(|cell| noise((cell % 96) as f64 / 4.0, cell / 96) - 0.5)
        .sum();
    let height = if day >= 5 { 16.0 } else { 40.0 };
    60.0 + height * ((hour - 6.0) / 24.0 * std::f64::consts::TAU).sin()
        + 2.0 * level
        + 8.0 * noise(hour, day + 100)
}

#[test]
fn days_that_grow_are_foreseen_best_by_a_model_that_is_fitted() {
    let seen = ask(&modelled(), 6, 14.0, growing);
    let ways = seen.ways.clone().unwrap();
    assert!(
        ways.fitted < ways.seasonal && ways.fitted < ways.shifted,
        "{seen:?}"
    );
    assert!(seen.fitted && seen.trusted && !seen.shifted, "{seen:?}");
    assert_eq!(seen.mase, ways.fitted);
    let came = growing(14.5, 6);
    assert!(
        (seen.value.unwrap() - came).abs() < 0.1 * came,
        "{seen:?} of {came}"
    );
    assert_eq!(seen.nodes, Nodes::ceil(seen.value.unwrap() / 4.0));
    let text = seen.to_string();
    assert!(text.contains("fitted to the days before (MAPE "), "{text}");
    assert!(text.contains("; seasons "), "{text}");
}

#[test]
fn a_level_that_drifts_is_not_foreseen_by_a_model() {
    let seen = ask(&modelled(), 6, 20.0, drifting);
    let ways = seen.ways.clone().unwrap();
    assert!(
        ways.fitted.unwrap() > ways.shifted.unwrap().min(ways.seasonal.unwrap()),
        "{seen:?}"
    );
    assert!(!seen.fitted, "{seen:?}");
}

#[test]
fn a_model_is_fitted_where_it_is_wanted_and_six_days_are_known() {
    for (what, forecast, days) in [
        ("a ledger from before", forecast(), 6),
        (
            "it is left out",
            Forecast {
                fitted: Some(false),
                ..forecast()
            }
            .as_read(),
            6,
        ),
        ("five days", modelled(), 5),
        (
            "a week's season",
            Forecast {
                season: Span::days(7),
                ..forecast()
            }
            .as_read(),
            8,
        ),
    ] {
        let seen = ask(&forecast, days, 14.0, growing);
        assert_eq!((seen.fitted, &seen.ways), (false, &None), "{what}");
        let json = serde_json::to_string(&seen).unwrap();
        assert!(
            !json.contains("fitted") && !json.contains("ways"),
            "{what}: {json}"
        );
    }
    // A night without samples, of the day before yesterday.
    let (whole, now) = past(6, 14.0, growing);
    let mut gapped = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
    let night = 4 * 2880..4 * 2880 + 300;
    for slot in 0..whole.slots() {
        gapped
            .push(whole.get(slot).filter(|_| !night.contains(&slot)))
            .unwrap();
    }
    let seen = asked(&modelled(), (gapped, now), &mut Fits::default());
    assert!(seen.ways.is_none() && seen.trusted, "{seen:?}");
}

#[test]
fn what_was_fitted_before_changes_no_forecast() {
    let mut fits = Fits::default();
    let (whole, begins) = past(6, 13.9, growing);
    for (minutes, late) in [(0, 0), (3, 0), (11, 9), (12, 0), (75, 0), (78, 1), (200, 0)] {
        // The last samples are not there yet, and are at the next look.
        let now = begins + Span::minutes(minutes);
        let mut known = whole.clone();
        let mut at = begins + Span::SAMPLE_PERIOD;
        while at <= now - Span::minutes(late) {
            let hours = at.unix_seconds() / 3600.0;
            known
                .record(at, growing(hours % 24.0, (hours / 24.0) as i64))
                .unwrap();
            at += Span::SAMPLE_PERIOD;
        }
        let kept = asked(&modelled(), (known.clone(), now), &mut fits);
        let anew = asked(&modelled(), (known, now), &mut Fits::default());
        assert!(kept.ways.is_some(), "{minutes}: {kept:?}");
        assert_eq!(kept, anew, "{minutes}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 6, ..Config::default() })]

    #[test]
    fn whatever_was_a_forecast_is_a_number_of_nodes_that_is_believed_or_none(
        cells in proptest::collection::vec((0_u32..1000, 1_usize..30, 0_usize..3), 1..200),
        size in proptest::sample::select(vec![1e-9, 1.0, 1e12, 1e300]),
    ) {
        let cells: Vec<_> = cells
            .iter()
            .flat_map(|(value, length, gap)| {
                let values = std::iter::repeat_n(Some(f64::from(*value) * size), 30 * length);
                values.chain(std::iter::repeat_n(None, 10 * gap))
            })
            .collect();
        let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
        for slot in 0..=6 * 2880 + 1500 {
            series.push(cells[slot % cells.len()]).unwrap();
        }
        let now = series.taken(series.slots() - 1);
        let seen = asked(&modelled(), (series, now), &mut Fits::default());
        prop_assert!(seen.value.is_none_or(|value| value >= 0.0), "{seen:?}");
        if !seen.trusted {
            prop_assert_eq!(seen.nodes, Nodes::ZERO);
        }
        let json = serde_json::to_string(&seen).unwrap();
        prop_assert!(serde_json::from_str::<ForecastAsk>(&json).is_ok(), "{json}");
    }
}
