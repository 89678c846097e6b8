//! Where the spot machines of a backtest come from.

use std::sync::Arc;

use super::{LifeTable, Lives, SpotModel, Supply, SupplyTrace};
use crate::base::{Diagnostic, Span, Timestamp};
use crate::market::recorded::{NO_LIFE, Rows, read_rows};

/// Where the spot machines of a backtest come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SpotMarket {
    /// They can always be had; what takes them is [`super::cluster::Eviction`] alone.
    #[default]
    Unlimited,
    /// They are of units that are up or down, whatever the run.
    Supply(Arc<Supply>),
    /// As recorded, laid out over the run again and again.
    Recorded(Recorded),
    /// They can always be had, and last as long as recorded ones.
    Lifetimes {
        /// What it is called in reports.
        name: String,
        /// How long they last.
        table: Arc<LifeTable>,
    },
    /// Made up, anew for each seed.
    Modelled {
        /// What it is called in reports.
        name: String,
        /// How.
        model: SpotModel,
    },
}

/// Recorded traces, side by side as zones that the pool spreads over.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The traces.
    pub traces: Arc<[SupplyTrace]>,
    /// The share of each trace, 0 to 1, that the run begins at.
    pub shift: f64,
    /// How many parts of the trace the seeds begin at: seed *k* begins *k* / `shifts` of the trace later. At least 1.
    ///
    /// One outage can move a result of two weeks by a fifth; six shifts tell luck from merit.
    pub shifts: u64,
}

impl SpotMarket {
    /// Reads a recorded market: steps of capacity, or lifetimes, told apart by the columns.
    ///
    /// # Errors
    /// Every fault, by place.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        match read_rows(text, None)? {
            Rows::Lifetimes(lives) => {
                let table = LifeTable::of(&lives).ok_or_else(|| {
                    let place = 0..text.find('\n').unwrap_or(text.len());
                    let message = "the provider ended none of the recorded machines";
                    let fault = Diagnostic::error(NO_LIFE, place, message);
                    vec![fault.help("give lifetimes of which some end with `preempted`")]
                })?;
                Ok(Self::Lifetimes {
                    name: name.to_owned(),
                    table: Arc::new(table),
                })
            }
            Rows::Steps(steps) => Ok(Self::Recorded(Recorded {
                traces: Arc::new([SupplyTrace::of_steps(name, &steps)?]),
                shift: 0.0,
                shifts: 1,
            })),
        }
    }

    /// Returns two markets as one that the pool spreads over; `None` when one of them is not recorded steps.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Recorded(one), Self::Recorded(two)) => Some(Self::Recorded(Recorded {
                traces: one.traces.iter().chain(&*two.traces).cloned().collect(),
                ..*one
            })),
            _ => None,
        }
    }

    /// Returns a market that is made up by its short name: `az5`, `az20`, `constant:RATE`, `daily:QUIET/BUSY` (rates an hour),
    /// `regimes:UP/DOWN` (median spans). `None` when it is no such name.
    ///
    /// # Errors
    /// When the numbers behind the name cannot be used.
    pub fn modelled(name: &str) -> Option<Result<Self, String>> {
        let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
        let two = rest.split_once('/');
        let rate = |text: &str| text.parse::<f64>().ok();
        let span = |text: &str| text.parse::<Span>().ok();
        let model = match kind {
            "az5" if rest.is_empty() => Some(SpotModel::azure_5()),
            "az20" if rest.is_empty() => Some(SpotModel::azure_20()),
            "constant" => rate(rest).map(|per_hour| SpotModel::Constant { per_hour }),
            "daily" => two.and_then(|(quiet, busy)| Some(SpotModel::daily(rate(quiet)?, rate(busy)?))),
            "regimes" => two.and_then(|(up, down)| Some(SpotModel::regimes(span(up)?, span(down)?))),
            _ => return None,
        };
        let checked = model
            .ok_or_else(|| {
                "write az5, az20, constant:0.05, daily:0.01/0.2 (evictions an hour by night and by day) or regimes:1h/30m \
                 (medians of up-runs and outages)"
                    .to_owned()
            })
            .and_then(SpotModel::checked);
        Some(checked.map(|model| Self::Modelled {
            name: name.to_owned(),
            model,
        }))
    }

    /// Returns the supply of a run, if there is one.
    pub fn supply(&self, start: Timestamp, end: Timestamp, seed: u64) -> Option<Arc<Supply>> {
        match self {
            Self::Unlimited => None,
            Self::Supply(supply) => Some(Arc::clone(supply)),
            Self::Recorded(recorded) => Some(Arc::new(recorded.laid_out(start, end, seed))),
            Self::Lifetimes { name, table } => {
                let mut supply =
                    Supply::always(start, end).with_lives(Lives::Recorded(LifeTable::clone(table)));
                supply.name.clone_from(name);
                Some(Arc::new(supply))
            }
            Self::Modelled { name, model } => Some(Arc::new(model.draw(name, start, end, seed))),
        }
    }
}

impl Recorded {
    fn laid_out(&self, start: Timestamp, end: Timestamp, seed: u64) -> Supply {
        let shifts = self.shifts.max(1);
        let shift = (self.shift + (seed % shifts) as f64 / shifts as f64) % 1.0;
        let mut supply = SupplyTrace::beside(&self.traces, start, end, shift);
        if shift > 0.0 {
            supply.name = format!("{} from {:.0} %", supply.name, 100.0 * shift);
        }
        supply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    #[test]
    fn files_are_told_apart_by_their_columns_and_zones_stand_side_by_side() {
        let steps = SpotMarket::read("s", "t_s,available\n0,1\n60,0\n120,-1\n").unwrap();
        let lives = SpotMarket::read("l", "life_s,end_kind\n60,preempted\n").unwrap();
        assert!(matches!(lives, SpotMarket::Lifetimes { .. }));
        for (text, message) in [
            ("", "the first line names no columns"),
            ("life_s,end_kind\n7,stopped\n", "the provider ended none"),
            ("life_s,end_kind\n7,exploded\n", "expected how the life ended"),
            ("t_s,available\n0,2000\n90,-1\n", "no more than 1000 units"),
        ] {
            let faults = SpotMarket::read("x", text).unwrap_err();
            assert!(faults[0].message.contains(message), "{faults:?}");
        }
        let both = steps.beside(&steps).unwrap();
        assert_eq!(both.supply(at(0), at(100), 0).unwrap().units().len(), 2);
        assert_eq!(steps.beside(&lives), None);
    }

    #[test]
    fn seeds_begin_at_different_parts_of_a_recorded_market() {
        let SpotMarket::Recorded(recorded) =
            SpotMarket::read("s", "t_s,available\n0,1\n60,0\n120,-1\n").unwrap()
        else {
            panic!("steps are a recorded market")
        };
        let market = SpotMarket::Recorded(Recorded {
            shifts: 4,
            ..recorded
        });
        let first_down = |seed| market.supply(at(0), at(1000), seed).unwrap().units()[0][0].until;
        assert_eq!([0, 1, 4].map(first_down), [at(60), at(30), at(60)]);
        let name = market.supply(at(0), at(1000), 1).unwrap().name.clone();
        assert_eq!(name, "s from 25 %");
    }

    #[test]
    fn names_of_made_up_markets_are_read_or_refused_with_a_way_out() {
        for name in ["az5", "az20", "constant:0.05", "daily:0.01/0.2", "regimes:2h/30m"] {
            assert!(SpotMarket::modelled(name).unwrap().is_ok(), "{name}");
        }
        assert_eq!(SpotMarket::modelled("spot.csv"), None);
        for name in ["az5:1", "constant:", "constant:-1", "daily:1", "regimes:1h/0s"] {
            let market = SpotMarket::modelled(name);
            assert!(market.is_none_or(|market| market.is_err()), "{name}");
        }
    }
}
