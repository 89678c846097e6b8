//! What a strategy makes of a signal that is none of the pool's own, and of one that is missing.
//!
//! ```text
//! fresh ───────────────────────────────────────────────────────────► the number counts
//! in part ─────────────────────────────────────────────────────────► it counts, and no node is taken away
//! stale, missing ─┬─ lastKnown, while the last number is young enough ► it counts, and no node is taken away
//!                 ├─ floor ─────────────────────────────────────────► so many nodes, and none is taken away
//!                 ├─ ignore ────────────────────────────────────────► the other strategies decide
//!                 └─ hold, and lastKnown after that ────────────────► nothing is asked, and no node is taken away
//! ```

use super::source::{Outside, WhenMissing};
use super::{Demand, Policy, Queue, Track};
use crate::base::{Nodes, Span};
use crate::decision::{
    KnownValue, MissingRule, Reason, SignalMissing, SignalSeen, SignalSight, SignalState, Snapshot,
};
use crate::signal::SignalQuery;

/// What a strategy has to go by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// A number with its age, and why no node may be taken away on it.
    Number {
        /// How much.
        value: f64,
        /// How old it is.
        age: Span,
        /// Why it is no number to take nodes away on.
        caveat: Option<Reason>,
    },
    /// So many nodes, whatever the number; and why no node may be taken away.
    Floor(Nodes, Reason),
    /// Nothing, and the other strategies may decide without it.
    Ignored(Reason),
    /// Nothing, and nobody may take a node away.
    Nothing(Reason),
}

/// A signal that a strategy of a policy asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asks {
    /// What is asked.
    pub query: SignalQuery,
    /// The age from which a number is stale.
    pub stale_after: Span,
    /// What the number counts, for worlds that make it up.
    pub counts: Counts,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Counts {
    /// Messages that become tasks.
    Messages {
        /// The tasks that one becomes.
        tasks_per_message: f64,
        /// Whether it is there until its tasks have ended; otherwise it is gone as soon as they are there.
        stay: bool,
    },
    /// Something that is measured.
    Measure,
}

impl Outside {
    /// Returns what is seen of the signal for a pool.
    fn seen(&self, snapshot: &Snapshot<'_>) -> (SignalSeen, SignalSight) {
        let signal = self.query.for_pool(snapshot.pool.id.as_str()).id();
        let sight = snapshot.signals.sight(&signal, snapshot.now, self.stale_after);
        let seen = SignalSeen::new(signal, &sight, snapshot.now, self.stale_after);
        (seen, sight)
    }

    /// Returns what the strategy called `strategy` has to go by.
    pub(super) fn hear(&self, strategy: &str, snapshot: &Snapshot<'_>) -> Heard {
        let (seen, sight) = self.seen(snapshot);
        let age = |known: KnownValue| snapshot.now.since(known.taken);
        let why = |rule: MissingRule| {
            Reason::SignalMissing(Box::new(SignalMissing {
                strategy: strategy.to_owned(),
                seen: seen.clone(),
                rule,
            }))
        };
        let number = |known: KnownValue, caveat: Option<Reason>| Heard::Number {
            value: known.value,
            age: age(known),
            caveat,
        };
        let last = match sight {
            SignalSight::Fresh(known) => return number(known, None),
            SignalSight::Partial(part, _) => return number(part, Some(why(MissingRule::AtLeast))),
            SignalSight::Stale(known) => Some(known),
            SignalSight::Lacking(_, known) => known,
        };
        match self.missing {
            WhenMissing::Hold => Heard::Nothing(why(MissingRule::Hold)),
            WhenMissing::Ignore => Heard::Ignored(why(MissingRule::Ignore)),
            WhenMissing::Floor(nodes) => Heard::Floor(nodes, why(MissingRule::Floor { nodes })),
            WhenMissing::LastKnown(within) => match last.filter(|known| age(*known) < within) {
                Some(known) => number(known, Some(why(MissingRule::LastKnown { within, holds: true }))),
                None => Heard::Nothing(why(MissingRule::LastKnown { within, holds: false })),
            },
        }
    }
}

impl Policy {
    /// Returns the signals from outside that its strategies ask for, `{pool}` standing for the id of each pool.
    pub fn asks(&self) -> impl Iterator<Item = Asks> + '_ {
        self.demand.iter().filter_map(|demand| {
            let (outside, counts) = demand.outside()?;
            Some(Asks {
                query: outside.query,
                stale_after: outside.stale_after,
                counts,
            })
        })
    }

    /// Returns what is seen of each signal that its strategies ask for.
    pub fn signals_seen(&self, snapshot: &Snapshot<'_>) -> Vec<SignalSeen> {
        let outside = self.demand.iter().filter_map(Demand::outside);
        let mut seen: Vec<SignalSeen> = outside.map(|(outside, _)| outside.seen(snapshot).0).collect();
        seen.dedup();
        seen
    }

    /// Says whether a signal that it decides by is missing, stale or known in part, and is not to be ignored.
    pub fn misses_a_signal(&self, snapshot: &Snapshot<'_>) -> bool {
        let minded = self.demand.iter().filter_map(Demand::outside);
        minded
            .filter(|(outside, _)| outside.missing != WhenMissing::Ignore)
            .any(|(outside, _)| outside.seen(snapshot).0.state != SignalState::Fresh)
    }
}

impl Demand {
    /// Returns the signal from outside that it asks for, and what that counts.
    fn outside(&self) -> Option<(Outside, Counts)> {
        match self {
            Self::Queue(queue) => Some((queue.outside()?, queue.counts())),
            Self::Track(track) => Some((track.outside()?, Counts::Measure)),
            Self::Formula(_)
            | Self::Schedule(_)
            | Self::Forecast(_)
            | Self::Backlog(_)
            | Self::Deadlines(_) => None,
        }
    }
}

impl Queue {
    fn counts(&self) -> Counts {
        Counts::Messages {
            tasks_per_message: self.tasks_per_message,
            stay: !self.adds_tasks(),
        }
    }

    /// Returns where its length comes from, where that is no metric of the pool.
    pub fn outside(&self) -> Option<Outside> {
        self.told().outside()
    }
}

impl Track {
    /// Returns where its number comes from, where that is no metric of the pool.
    pub fn outside(&self) -> Option<Outside> {
        self.told().outside()
    }
}
