//! Sources that a file may name: without any, every signal from outside is missing, and says so.

use super::Sources;
use crate::base::Timestamp;
use crate::signal::{Found, Lack, Reading, Sample};
use crate::world::{MetricSource, Wanted, WantedPast};

/// The sources of a file, or none.
#[derive(Debug)]
pub struct NamedSources {
    sources: Option<Sources>,
    /// How a file of sources is named.
    way_out: &'static str,
}

impl NamedSources {
    /// Returns the sources, if any; `way_out` says how a file of them is named.
    pub const fn new(sources: Option<Sources>, way_out: &'static str) -> Self {
        Self { sources, way_out }
    }
}

impl MetricSource for NamedSources {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        if let Some(sources) = &mut self.sources {
            return sources.read(now, wanted);
        }
        let why = format!("no sources are named; {}", self.way_out);
        let missing = |wanted: &Wanted| Reading {
            signal: wanted.id.clone(),
            taken: now,
            found: Found::Lacking(Lack::Fault(why.clone())),
        };
        wanted.iter().map(missing).collect()
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        let sources = self.sources.as_mut();
        sources.map_or_else(Vec::new, |sources| sources.past(wanted))
    }
}
