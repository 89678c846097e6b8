//! What evictions cost: work done again, with and without checkpoints, and the price of an hour that counts.
//!
//! A task that starts from scratch after each eviction, on a fresh node that boots first, is an alternating renewal: with
//! P = boot + length, an attempt succeeds with chance S(P) and lasts the area under S up to P on average, so that all
//! attempts together last E = area(P) / S(P). At a constant hazard h that is (e^(hP) - 1)/h.

use serde::{Deserialize, Serialize};

use super::hazard::hours;
use super::numeric::crossing;
use super::{EvictionModel, Hazard, Outset};
use crate::base::{Span, Timestamp, UsdHourly};

/// A task as evictions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// How long it runs when nothing happens.
    pub length: Span,
    /// How long a node boots for each attempt, billed and exposed to eviction; zero on a node that is there anyway.
    pub boot: Span,
    /// What an eviction destroys.
    pub lost: LostWork,
}

/// What an eviction destroys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "camelCase")]
pub enum LostWork {
    /// Everything that the task has done.
    #[default]
    All,
    /// What it has done since it last saved its state.
    SinceCheckpoint(Checkpoint),
}

/// How a task saves its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// The work between two of them.
    pub every: Span,
    /// How long one takes.
    pub cost: Span,
    /// How long it takes to load one after an eviction, the boot aside.
    pub restart: Span,
}

/// How long a task is expected to hold nodes, and with what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// From the first boot to the end, all attempts together; the longest span there is when it never ends.
    pub total: Span,
    /// Of it, what evictions make necessary: work done again, boots and loads after the first.
    pub redone: Span,
    /// Of it, saving checkpoints once each.
    pub checkpoints: Span,
    /// The share of the total that is the task itself, 0 to 1.
    pub efficiency: f64,
}

impl EvictionModel {
    /// Returns how long a task is expected to hold nodes when each attempt starts where `outset` says.
    ///
    /// Attempts are taken to start alike: exact for a constant hazard and one by age, an approximation for one by the clock or
    /// by the age of a run, which are other ones at the next attempt. With checkpoints the hazard is its mean over one
    /// undisturbed attempt.
    pub fn expected_work(&self, outset: Outset, work: &Work) -> Expected {
        let length = work.length.as_hours().max(0.0);
        let boot = work.boot.as_hours().max(0.0);
        let (total, saving) = match work.lost {
            LostWork::All => {
                let whole = length + boot;
                let survives = (-self.cumulative(outset, whole)).exp();
                // Past a hard end nothing is present and nothing survives, and 0/0 would be no number.
                let total = if survives > 0.0 {
                    self.presence(outset, whole) / survives
                } else {
                    f64::INFINITY
                };
                (total, 0.0)
            }
            LostWork::SinceCheckpoint(checkpoint) => {
                // A checkpoint less than a second after the last is one that never ends.
                let every = checkpoint.every.max(Span::seconds(1)).as_hours();
                let cost = checkpoint.cost.as_hours().max(0.0);
                let saving = length / every * cost;
                let whole = boot + length + saving;
                let rate = if whole > 0.0 {
                    self.cumulative(outset, whole) / whole
                } else {
                    0.0
                };
                let again = boot + checkpoint.restart.as_hours().max(0.0);
                let segment = (rate * again).exp() * grown(rate, every + cost);
                (grown(rate, boot) + length / every * segment, saving)
            }
        };
        Expected {
            total: hours(total),
            redone: hours((total - length - boot - saving).max(0.0)),
            checkpoints: hours(saving),
            efficiency: if total > 0.0 {
                (length / total).min(1.0)
            } else {
                1.0
            },
        }
    }

    /// Returns the hours done again for each hour that counts.
    pub fn redone_per_useful_hour(&self, outset: Outset, work: &Work) -> f64 {
        self.expected_work(outset, work).redone / work.length
    }

    /// Returns what an hour of work that counts costs on a node of this price; infinite when no work ever ends.
    pub fn useful_price(&self, price: UsdHourly, outset: Outset, work: &Work) -> UsdHourly {
        UsdHourly(price.0 / self.expected_work(outset, work).efficiency)
    }

    /// Returns the interval between checkpoints that loses least, by Daly with the mean time to an eviction as it is now: it
    /// grows with the age of a node or a run whose hazard falls.
    pub fn checkpoint_interval(&self, outset: Outset, cost: Span) -> Span {
        daly_interval(cost, self.hazard(outset).mean_time())
    }

    /// Returns the shortest task, restarted from scratch, that costs as much on spot as on dedicated nodes when spot costs
    /// `ratio` of dedicated; `None` when no task of up to [`LENGTH_MAX`] does.
    pub fn break_even_length(&self, outset: Outset, ratio: f64, boot: Span) -> Option<Span> {
        let excess = |length: f64| {
            let whole = length + boot.as_hours().max(0.0);
            let survives = (-self.cumulative(outset, whole)).exp();
            ratio * self.presence(outset, whole) - whole * survives
        };
        // Steps of a fifth: a hazard that rises and falls again within one is not seen.
        let mut low = 0.0;
        let mut high = 1.0 / 60.0;
        while high < LENGTH_MAX.as_hours() {
            if excess(high) >= 0.0 {
                return Some(hours(crossing(low, high, excess)));
            }
            low = high;
            high *= 1.2;
        }
        None
    }
}

/// Returns the hazard at which work on spot nodes, at this share of the price of dedicated ones, costs as much as on those, boots
/// and loads of saved states included; `None` when it never pays.
pub fn break_even_of(price_share: f64, work: &Work) -> Option<Hazard> {
    // From an eviction in a hundred years to one a second, as a logarithm; forty halves leave a part in a billion.
    const RANGE: (f64, f64) = (1e-6, 3600.0);
    if work.lost == LostWork::All {
        return break_even_hazard(price_share, work.length + work.boot);
    }
    let pays = |hazard: f64| {
        let model = EvictionModel::Constant {
            hazard: Hazard(hazard),
        };
        let outset = Outset::fresh(Timestamp::EPOCH, Span::ZERO);
        price_share * (1.0 + model.redone_per_useful_hour(outset, work)) <= 1.0
    };
    if !pays(RANGE.0) {
        return None;
    }
    let (mut low, mut high) = RANGE;
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if pays(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(Hazard(low))
}

/// No task that restarts from scratch is longer than two months.
pub const LENGTH_MAX: Span = Span::days(60);

/// Returns (e^(rate x) - 1)/rate: the time until a stretch of x is done in one go.
fn grown(rate: f64, x: f64) -> f64 {
    if rate * x < 1e-9 {
        return x;
    }
    (rate * x).exp_m1() / rate
}

/// Returns the root x of (e^x - 1)/x = 1/ratio: spot is cheaper while hazard times task length is below it.
///
/// `None` unless the ratio of the prices lies between 0 and 1, both excluded.
pub fn break_even_exponent(ratio: f64) -> Option<f64> {
    if !(ratio > 0.0 && ratio < 1.0) {
        return None;
    }
    // e^x - 1 - x/r is negative right of 0 and positive at 2 + 2 ln(1/r), for e² /r² > 1 + (2 + 2 ln(1/r))/r.
    let high = 2.0 - 2.0 * ratio.ln();
    Some(crossing(0.0, high, |x| {
        if x == 0.0 {
            -1.0
        } else {
            x.exp_m1() / x - 1.0 / ratio
        }
    }))
}

/// Returns the constant hazard at which a task, boot included, costs as much on spot as on dedicated nodes.
pub fn break_even_hazard(ratio: f64, exposed: Span) -> Option<Hazard> {
    Some(Hazard(break_even_exponent(ratio)? / exposed.as_hours()))
}

/// Returns Young's interval between checkpoints: the root of 2 c M, for a cost c and a mean time M to an eviction.
pub fn young_interval(cost: Span, mean_time: Span) -> Span {
    hours((2.0 * cost.as_hours() * mean_time.as_hours()).sqrt())
}

/// Returns Daly's interval: Young's with its next terms while the cost is below 2 M, else M.
pub fn daly_interval(cost: Span, mean_time: Span) -> Span {
    let (c, m) = (cost.as_hours(), mean_time.as_hours());
    if c >= 2.0 * m {
        return mean_time;
    }
    let part = c / (2.0 * m);
    hours((2.0 * c * m).sqrt() * (1.0 + part.sqrt() / 3.0 + part / 9.0) - c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::market::{Bathtub, BathtubEnd, Lifetime};

    const NOW: Outset = Outset::fresh(Timestamp::EPOCH, Span::ZERO);

    fn constant(rate: f64) -> EvictionModel {
        EvictionModel::Constant { hazard: Hazard(rate) }
    }

    fn scratch(length: Span, boot: Span) -> Work {
        Work {
            length,
            boot,
            lost: LostWork::All,
        }
    }

    #[test]
    fn break_even_roots_are_those_of_the_literature() {
        for (ratio, root) in [
            (0.10, 3.62),
            (0.15, 3.07),
            (0.20, 2.66),
            (0.25, 2.34),
            (0.30, 2.07),
            (0.40, 1.62),
            (0.50, 1.26),
        ] {
            let x = break_even_exponent(ratio).unwrap();
            assert!((x - root).abs() < 0.006, "{ratio}: {x}");
            assert!((x.exp_m1() / x * ratio - 1.0).abs() < 1e-9);
        }
        assert_eq!((break_even_exponent(0.0), break_even_exponent(1.0)), (None, None));
        // A task of 4 hours at a fifth of the price: 0.67 an hour, above the worst band of Azure.
        let hazard = break_even_hazard(0.2, Span::hours(4)).unwrap();
        assert!((hazard.0 - 0.665).abs() < 0.001, "{hazard}");
        let length = constant(hazard.0)
            .break_even_length(NOW, 0.2, Span::ZERO)
            .unwrap();
        assert!((length.as_hours() - 4.0).abs() < 1e-6, "{length}");
        assert_eq!(EvictionModel::NEVER.break_even_length(NOW, 0.2, Span::ZERO), None);
    }

    #[test]
    fn restarting_from_scratch_takes_the_closed_form_whatever_way_it_is_computed() {
        let (rate, whole) = (0.5_f64, 4.5_f64);
        let exact = (rate * whole).exp_m1() / rate;
        let work = scratch(Span::hours(4), Span::minutes(30));
        let by_age = EvictionModel::AgeDependent {
            lifetime: Lifetime::Weibull {
                shape: 1.0,
                scale_hours: 1.0 / rate,
            },
        };
        for model in [constant(rate), by_age] {
            let expected = model.expected_work(NOW, &work);
            assert!(
                (expected.total.as_hours() / exact - 1.0).abs() < 1e-8,
                "{expected:?}"
            );
            assert!((expected.redone.as_hours() - (exact - 4.5)).abs() < 1e-6);
            assert!((expected.efficiency - 4.0 / exact).abs() < 1e-8);
        }
        // Without a boot, the efficiency is hp/(e^hp - 1).
        let plain = constant(0.5).expected_work(NOW, &scratch(Span::hours(4), Span::ZERO));
        assert!((plain.efficiency - 2.0 / 2.0_f64.exp_m1()).abs() < 1e-12);
        let price = constant(0.5).useful_price(UsdHourly(0.2), NOW, &scratch(Span::hours(4), Span::ZERO));
        assert!((price.0 - 0.2 * 2.0_f64.exp_m1() / 2.0).abs() < 1e-12);
    }

    #[test]
    fn without_evictions_nothing_is_done_again() {
        for lost in [
            LostWork::All,
            LostWork::SinceCheckpoint(Checkpoint {
                every: Span::minutes(10),
                cost: Span::seconds(30),
                restart: Span::minutes(1),
            }),
        ] {
            let work = Work {
                length: Span::hours(2),
                boot: Span::minutes(3),
                lost,
            };
            let expected = EvictionModel::NEVER.expected_work(NOW, &work);
            assert_eq!(expected.redone, Span::ZERO);
            let checkpoints = if lost == LostWork::All {
                Span::ZERO
            } else {
                Span::minutes(6)
            };
            assert_eq!(expected.checkpoints, checkpoints);
            assert_eq!(expected.total, Span::minutes(123) + checkpoints);
        }
    }

    #[test]
    fn saved_work_pays_on_spot_at_rates_at_which_work_that_starts_anew_does_not() {
        let work = |lost| Work {
            length: Span::hours(4),
            boot: Span::minutes(4),
            lost,
        };
        let checkpoint = |minutes| {
            LostWork::SinceCheckpoint(Checkpoint {
                every: Span::minutes(minutes),
                cost: Span::ZERO,
                restart: Span::ZERO,
            })
        };
        let anew = break_even_of(0.2, &work(LostWork::All)).unwrap();
        assert_eq!(Some(anew), break_even_hazard(0.2, Span::minutes(244)));
        let (often, seldom) = (
            break_even_of(0.2, &work(checkpoint(10))).unwrap(),
            break_even_of(0.2, &work(checkpoint(60))).unwrap(),
        );
        assert!(anew.0 < seldom.0 && seldom.0 < often.0, "{anew} {seldom} {often}");
        // At that rate both cost the same.
        let model = EvictionModel::Constant { hazard: often };
        let outset = Outset::fresh(Timestamp::EPOCH, Span::ZERO);
        let redone = model.redone_per_useful_hour(outset, &work(checkpoint(10)));
        assert!((0.2 * (1.0 + redone) - 1.0).abs() < 1e-6, "{redone}");
        assert_eq!(break_even_of(1.1, &work(checkpoint(10))), None);
    }

    #[test]
    fn checkpoints_bound_what_an_eviction_costs_and_daly_places_them_best() {
        let model = constant(0.5);
        let with = |every: Span| {
            let lost = LostWork::SinceCheckpoint(Checkpoint {
                every,
                cost: Span::minutes(1),
                restart: Span::ZERO,
            });
            let work = Work {
                lost,
                ..scratch(Span::hours(8), Span::ZERO)
            };
            model.expected_work(NOW, &work).total
        };
        let best = daly_interval(Span::minutes(1), Hazard(0.5).mean_time());
        assert_eq!(best, model.checkpoint_interval(NOW, Span::minutes(1)));
        assert!(with(best) < with(best.scale(0.8)) && with(best) < with(best.scale(1.25)));
        let from_scratch = model
            .expected_work(NOW, &scratch(Span::hours(8), Span::ZERO))
            .total;
        assert!(with(best) < Span::hours(10) && from_scratch > Span::hours(100));
        // sqrt(2 * 1 min * 120 min) = 15.49 min; Daly's terms make it 14.84 min.
        assert!((young_interval(Span::minutes(1), Span::hours(2)).as_seconds() - 929.5).abs() < 0.1);
        assert!((best.as_seconds() - 889.9).abs() < 0.5, "{}", best.as_seconds());
        assert_eq!(daly_interval(Span::hours(5), Span::hours(2)), Span::hours(2));
    }

    #[test]
    fn the_interval_grows_with_the_age_of_a_node_whose_hazard_falls() {
        let model = EvictionModel::AgeDependent {
            lifetime: Lifetime::Weibull {
                shape: 0.6,
                scale_hours: 2.0,
            },
        };
        let at = |age| model.checkpoint_interval(NOW.after(age), Span::minutes(1));
        assert!(at(Span::minutes(10)) < at(Span::hours(1)) && at(Span::hours(1)) < at(Span::hours(8)));
    }

    #[test]
    fn on_a_node_past_its_hard_end_no_task_ever_ends() {
        let lifetime = Lifetime::Bathtub(Bathtub {
            share: 0.62,
            early_hours: 1.0,
            end: Some(BathtubEnd {
                at_hours: 5.0,
                late_hours: 0.1,
            }),
        });
        let model = EvictionModel::AgeDependent { lifetime };
        let work = scratch(Span::hours(1), Span::ZERO);
        let expected = model.expected_work(NOW.after(Span::hours(30)), &work);
        assert!(
            expected.total > Span::days(365 * 10_000) && expected.efficiency == 0.0,
            "{expected:?}"
        );
    }

    #[test]
    fn a_task_longer_than_any_node_lives_never_ends_and_nothing_overflows() {
        let expected = constant(1000.0).expected_work(NOW, &scratch(Span::hours(10), Span::ZERO));
        assert!(expected.total > Span::days(365 * 10_000));
        assert_eq!(expected.efficiency, 0.0);
    }
}
