//! The autoscalers that policies are compared with: documented formulas, target tracking, and published spot policies.
//!
//! Each runs on the simulated pool in the place of the engine: at its own interval it sees the same pool, tasks and samples
//! that the engine sees, and its orders stop a resize that still waits for spot, so that no market blocks it. None has
//! bounds, guards or a view of the future, but for the run times of tasks that `uniform-progress` is told, as its source
//! assumes.

mod formulas;
mod hpa;
mod nomad;
mod pilot;
mod progress;
mod spot_hedge;

use std::fmt;
use std::str::FromStr;

use super::contender::Contender;
use crate::base::{Lane, Span, did_you_mean};
use crate::policy::Prices;

pub(super) use pilot::steer;

/// An autoscaler that policies are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Baseline {
    /// The documented formula for pending tasks, dedicated nodes only.
    Dedicated(Text),
    /// The same formula, spot nodes only.
    LowPriority(Text),
    /// The documented formula that puts a dedicated node in the place of each preempted one.
    PreemptedToDedicated(Text),
    /// Nodes for pending tasks, of which this share is spot, from 0 to 1.
    Share(f64),
    /// The horizontal pod autoscaler of Kubernetes, on the slots that tasks hold or wait for.
    Hpa(Lane),
    /// The target-value strategy of nomad-autoscaler, on the load of a node.
    Nomad(Lane),
    /// `SpotHedge` of `SkyServe` with so many spot nodes more than are needed.
    SpotHedge(u32),
    /// Uniform progress of "Can't Be Late"; a task is to end this long after it was submitted, or when it is
    /// due, or by the limit of the run.
    UniformProgress(Option<Span>),
}

/// Which text of a documented formula runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The printed one: a task is taken for a node, and 25 nodes are the most.
    Verbatim,
    /// Divided by the task slots of a node and rounded up, with the quota for the most.
    ForSlots,
}

/// Says that a text names no baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no baseline `{name}`{}; there are {}", near(.name), NAMES.join(", "))]
pub struct UnknownBaseline {
    /// The text.
    pub name: String,
}

/// The names of the baselines that [`all`] gives.
pub const NAMES: [&str; 11] = [
    "dedicated",
    "low-priority",
    "preempted-to-dedicated",
    "share:0.5",
    "hpa",
    "nomad",
    "spothedge",
    "uniform-progress",
    "dedicated-verbatim",
    "low-priority-verbatim",
    "preempted-to-dedicated-verbatim",
];

/// Returns the contender of a name, with nodes at these prices.
///
/// Beside [`NAMES`] there are `share:S` with S from 0 to 1, `hpa:spot`, `nomad:spot`, `spothedge:N` (N spot nodes more than
/// are needed) and `uniform-progress:SPAN` (tasks end that long after their submission).
///
/// # Errors
/// When there is no such baseline.
pub fn parse(name: &str, prices: Prices) -> Result<Contender, UnknownBaseline> {
    let baseline = name.parse()?;
    Ok(Contender::Baseline { baseline, prices })
}

/// Returns every baseline, in the order of [`NAMES`], with nodes at these prices.
pub fn all(prices: Prices) -> Vec<Contender> {
    NAMES
        .iter()
        .map(|name| parse(name, prices).expect("a name of the table is a baseline"))
        .collect()
}

impl FromStr for Baseline {
    type Err = UnknownBaseline;
    fn from_str(name: &str) -> Result<Self, UnknownBaseline> {
        let (head, argument) = name
            .split_once(':')
            .map_or((name, None), |(head, rest)| (head, Some(rest)));
        let lane = || match argument {
            None => Some(Lane::Dedicated),
            Some(text) => Lane::ALL.into_iter().find(|lane| lane.to_string() == text),
        };
        let baseline = match (head, argument) {
            ("dedicated", None) => Some(Self::Dedicated(Text::ForSlots)),
            ("dedicated-verbatim", None) => Some(Self::Dedicated(Text::Verbatim)),
            ("low-priority", None) => Some(Self::LowPriority(Text::ForSlots)),
            ("low-priority-verbatim", None) => Some(Self::LowPriority(Text::Verbatim)),
            ("preempted-to-dedicated", None) => Some(Self::PreemptedToDedicated(Text::ForSlots)),
            ("preempted-to-dedicated-verbatim", None) => Some(Self::PreemptedToDedicated(Text::Verbatim)),
            ("share", Some(share)) => share
                .parse()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
                .map(Self::Share),
            ("hpa", _) => lane().map(Self::Hpa),
            ("nomad", _) => lane().map(Self::Nomad),
            ("spothedge", None) => Some(Self::SpotHedge(spot_hedge::EXTRA)),
            ("spothedge", Some(extra)) => extra
                .parse()
                .ok()
                .filter(|extra| *extra <= spot_hedge::EXTRA_MAX)
                .map(Self::SpotHedge),
            ("uniform-progress", None) => Some(Self::UniformProgress(None)),
            ("uniform-progress", Some(span)) => span
                .parse()
                .ok()
                .filter(|span| *span > Span::ZERO)
                .map(|span| Self::UniformProgress(Some(span))),
            _ => None,
        };
        baseline.ok_or_else(|| UnknownBaseline {
            name: name.to_owned(),
        })
    }
}

/// Writes the name that is read again as the same baseline.
impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, argument) = match self {
            Self::Dedicated(text) => ("dedicated", text.ending()),
            Self::LowPriority(text) => ("low-priority", text.ending()),
            Self::PreemptedToDedicated(text) => ("preempted-to-dedicated", text.ending()),
            Self::Share(share) => ("share", format!(":{share}")),
            Self::Hpa(lane) => ("hpa", lane_ending(*lane)),
            Self::Nomad(lane) => ("nomad", lane_ending(*lane)),
            Self::SpotHedge(spot_hedge::EXTRA) => ("spothedge", String::new()),
            Self::SpotHedge(extra) => ("spothedge", format!(":{extra}")),
            Self::UniformProgress(None) => ("uniform-progress", String::new()),
            Self::UniformProgress(Some(span)) => ("uniform-progress", format!(":{}", span.in_short())),
        };
        write!(f, "{name}{argument}")
    }
}

impl Text {
    fn ending(self) -> String {
        match self {
            Self::Verbatim => "-verbatim".to_owned(),
            Self::ForSlots => String::new(),
        }
    }
}

fn lane_ending(lane: Lane) -> String {
    match lane {
        Lane::Dedicated => String::new(),
        Lane::Spot => format!(":{lane}"),
    }
}

/// Returns a hint at the name that was likely meant, or at what stands after the colon.
fn near(name: &str) -> String {
    did_you_mean(name, NAMES).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_the_same() {
        for name in NAMES.into_iter().chain([
            "share:0",
            "share:0.25",
            "hpa:spot",
            "nomad:spot",
            "spothedge:0",
            "spothedge:3",
            "uniform-progress:6h",
        ]) {
            let baseline: Baseline = name.parse().unwrap();
            assert_eq!(baseline.to_string(), name);
        }
        assert_eq!(all(Prices::default()).len(), NAMES.len());
    }

    #[test]
    fn a_name_that_is_none_is_told_with_those_that_are() {
        for (name, expected) in [
            ("dedicate", "(did you mean `dedicated`?)"),
            ("share:1.5", "there are dedicated, low-priority,"),
            ("share:NaN", "share:0.5"),
            ("hpa:cheap", "there is no baseline `hpa:cheap`"),
            ("spothedge:-1", "no baseline"),
            ("uniform-progress:soon", "no baseline"),
            ("dedicated:1", "no baseline"),
        ] {
            let error = parse(name, Prices::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
