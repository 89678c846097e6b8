//! Which requests are struck: by the schedule, the request, and seeded chance.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{HttpFault, HttpFaults};
use crate::base::Span;
use crate::emulator::asked::Asked;

/// What was drawn and struck so far.
#[derive(Debug)]
pub(super) struct Strikes {
    chance: Pcg64Mcg,
    struck: Vec<u32>,
}

impl Strikes {
    pub(super) fn new(faults: &HttpFaults) -> Self {
        Self {
            chance: Pcg64Mcg::seed_from_u64(faults.seed),
            struck: vec![0; faults.faults.len()],
        }
    }

    /// Returns the fault that strikes a request, this long after the start of the account.
    pub(super) fn next<'a>(
        &mut self,
        faults: &'a HttpFaults,
        asked: &Asked,
        elapsed: Span,
    ) -> Option<&'a HttpFault> {
        for (fault, struck) in faults.faults.iter().zip(&mut self.struck) {
            let is_due = fault.is_of(asked) && fault.is_at(elapsed);
            // A fault that is over draws no chance, so that the others go on as if it had never been.
            if !is_due || fault.times.is_some_and(|times| times <= *struck) {
                continue;
            }
            if self.chance.random::<f64>() < fault.share {
                *struck += 1;
                return Some(fault);
            }
        }
        None
    }
}

impl HttpFault {
    fn is_of(&self, asked: &Asked) -> bool {
        let is_verb = |method: &String| asked.method.as_str().eq_ignore_ascii_case(method);
        let is_path = |path: &String| asked.path.starts_with(path.as_str());
        self.method.as_ref().is_none_or(is_verb) && self.path.as_ref().is_none_or(is_path)
    }

    fn is_at(&self, elapsed: Span) -> bool {
        let from = self.from.unwrap_or(Span::ZERO);
        from <= elapsed && self.lasts.is_none_or(|lasts| elapsed < from + lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::faults::HttpFaultKind;

    fn faults(text: &str) -> HttpFaults {
        serde_json::from_str(text).unwrap()
    }

    fn asked(method: &str, path: &str) -> Asked {
        Asked {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            ..Asked::default()
        }
    }

    fn kinds(faults: &HttpFaults, requests: &[(&str, &str, i64)]) -> Vec<Option<HttpFaultKind>> {
        let mut strikes = Strikes::new(faults);
        let mut strike = |(method, path, seconds): &(&str, &str, i64)| {
            let fault = strikes.next(faults, &asked(method, path), Span::seconds(*seconds));
            fault.map(|fault| fault.kind)
        };
        requests.iter().map(&mut strike).collect()
    }

    #[test]
    fn a_burst_has_its_time_its_verb_its_path_and_its_count() {
        let faults = faults(
            r#"{"faults": [{"kind": "tooManyRequests", "from": "10s", "for": "10s", "times": 2},
                           {"kind": "lost", "method": "POST", "path": "/pools/p0/resize"}]}"#,
        );
        let busy = Some(HttpFaultKind::TooManyRequests);
        let lost = Some(HttpFaultKind::Lost);
        let requests = [
            ("GET", "/pools", 9),
            ("GET", "/pools", 10),
            ("GET", "/pools", 19),
            ("GET", "/pools", 19),
            ("GET", "/pools/p0/resize", 20),
            ("POST", "/pools/p0/resize", 20),
            ("POST", "/pools/p1/resize", 20),
        ];
        assert_eq!(
            kinds(&faults, &requests),
            [None, busy, busy, None, None, lost, None]
        );
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let at = |seed: u64| {
            let text = format!(r#"{{"seed": {seed}, "faults": [{{"kind": "serverBusy", "share": 0.5}}]}}"#);
            kinds(&faults(&text), &[("GET", "/jobs", 0); 64])
        };
        assert_eq!(at(1), at(1));
        assert_ne!(at(1), at(2));
        let struck = at(1).iter().flatten().count();
        assert!(
            (16..48).contains(&struck),
            "{struck} of 64 at a share of one half"
        );
    }

    #[test]
    fn numbers_that_make_no_sense_are_told_all_at_once() {
        let faults = faults(
            r#"{"faults": [{"kind": "slow", "share": 1.5, "delay": "1h"}, {"kind": "lost", "from": "-1s"}]}"#,
        );
        let places: Vec<_> = faults.problems().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["faults[0].share", "faults[0].delay", "faults[1].from"]);
    }
}
