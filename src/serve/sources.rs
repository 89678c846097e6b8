//! The sources of signals that the configuration names; without any every outside signal is missing, and says so.

use crate::base::Timestamp;
use crate::signal::{Found, Lack, Reading, Sample};
use crate::source::Sources;
use crate::world::{MetricSource, Wanted, WantedPast};

/// The sources, or none.
#[derive(Debug, Default)]
pub(super) struct NamedSources(pub(super) Option<Sources>);

impl MetricSource for NamedSources {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        if let Some(sources) = &mut self.0 {
            return sources.read(now, wanted);
        }
        let why = "no sources are named; add sourcesFile = \"sources.toml\" to the configuration";
        let missing = |wanted: &Wanted| Reading {
            signal: wanted.id.clone(),
            taken: now,
            found: Found::Lacking(Lack::Fault(why.to_owned())),
        };
        wanted.iter().map(missing).collect()
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        let sources = self.0.as_mut();
        sources.map_or_else(Vec::new, |sources| sources.past(wanted))
    }
}
