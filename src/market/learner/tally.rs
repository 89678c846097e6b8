//! Events and hours by bin, from which a rate for each bin is believed.

use serde::{Deserialize, Serialize};

use crate::market::posterior::Rate;

/// Events and hours watched in each of `N` bins, faded by age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
pub(super) struct Tally<const N: usize> {
    events: [f64; N],
    hours: [f64; N],
}

/// A [`Tally`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    events: Vec<f64>,
    hours: Vec<f64>,
}

impl<const N: usize> From<Tally<N>> for Lists {
    fn from(tally: Tally<N>) -> Self {
        Self {
            events: tally.events.to_vec(),
            hours: tally.hours.to_vec(),
        }
    }
}

impl<const N: usize> TryFrom<Lists> for Tally<N> {
    type Error = String;
    fn try_from(lists: Lists) -> Result<Self, String> {
        let read = |list: Vec<f64>| {
            <[f64; N]>::try_from(list)
                .ok()
                .filter(|list| list.iter().copied().all(is_count))
        };
        match (read(lists.events), read(lists.hours)) {
            (Some(events), Some(hours)) => Ok(Self { events, hours }),
            _ => Err(format!("expected {N} numbers not below 0")),
        }
    }
}

fn is_count(number: f64) -> bool {
    number.is_finite() && number >= 0.0
}

/// What a bin's own evidence is weighed against: as many events as this at the rate of all bins together. Two keep a bin
/// that has seen one event from jumping, and let one that has seen ten speak for itself.
const BIN_WEIGHT: f64 = 2.0;

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self {
            events: [0.0; N],
            hours: [0.0; N],
        }
    }
}

impl<const N: usize> Tally<N> {
    pub(super) fn watch(&mut self, bin: usize, hours: f64) {
        self.hours[bin] += hours;
    }

    pub(super) fn count(&mut self, bin: usize, events: f64) {
        self.events[bin] += events;
    }

    pub(super) fn fade(&mut self, factor: f64) {
        for value in self.events.iter_mut().chain(&mut self.hours) {
            *value *= factor;
        }
    }

    pub(super) fn events(&self) -> f64 {
        self.events.iter().sum()
    }

    pub(super) fn hours(&self) -> f64 {
        self.hours.iter().sum()
    }

    /// Returns what is believed of each bin, when `prior` gives the rates that were expected before, worth `prior_events`
    /// events together.
    ///
    /// All bins together say by which factor the expected rates are off (a gamma too: events seen over events expected), and
    /// each bin's own evidence moves it away from that.
    pub(super) fn rates(&self, prior: [f64; N], prior_events: f64) -> [Rate; N] {
        let expected: f64 = prior
            .iter()
            .zip(&self.hours)
            .map(|(rate, hours)| rate * hours)
            .sum();
        let factor = (prior_events + self.events()) / (prior_events + expected);
        std::array::from_fn(|bin| Rate {
            events: BIN_WEIGHT + self.events[bin],
            hours: BIN_WEIGHT / (factor * prior[bin]) + self.hours[bin],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_evidence_the_prior_is_believed_and_with_much_each_bin_itself() {
        let mut tally = Tally::<2>::default();
        let means = |tally: &Tally<2>| tally.rates([0.1, 0.4], 1.0).map(|rate| rate.mean().0);
        assert_eq!(means(&tally), [0.1, 0.4]);
        tally.count(0, 300.0);
        tally.watch(0, 1000.0);
        tally.watch(1, 1000.0);
        let [first, second] = means(&tally);
        assert!((first - 0.3).abs() < 0.01 && second < 0.003, "{first} {second}");
        tally.fade(0.0);
        assert_eq!(means(&tally), [0.1, 0.4]);
    }

    #[test]
    fn what_one_bin_shows_is_expected_of_the_others_in_proportion() {
        let mut tally = Tally::<2>::default();
        // Twice as many events as expected in the first; nothing is seen of the second.
        tally.count(0, 20.0);
        tally.watch(0, 100.0);
        let [_, second] = tally.rates([0.1, 0.4], 1.0).map(|rate| rate.mean().0);
        assert!((second - 0.4 * 21.0 / 11.0).abs() < 1e-12, "{second}");
    }

    #[test]
    fn a_tally_of_another_size_is_refused() {
        let json = serde_json::to_string(&Tally::<3>::default()).unwrap();
        assert!(serde_json::from_str::<Tally<3>>(&json).is_ok());
        assert!(serde_json::from_str::<Tally<2>>(&json).is_err());
        assert!(serde_json::from_str::<Tally<1>>(r#"{"events":[-1],"hours":[0]}"#).is_err());
    }
}
