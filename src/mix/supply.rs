//! The chance that a mix is enough, what it is expected to miss, and how both change with one node more.

use super::tail::Tail;
use super::terms::{Chances, Terms};

/// What a chance constraint asks and which nodes it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Constraint {
    /// The usable nodes that are wanted.
    pub need: u32,
    /// Whether only nodes count that are usable at the end of the horizon.
    pub in_time: bool,
    /// Whether the chance of a shock or of a lasting outage counts.
    pub shocks: bool,
}

/// The usable nodes of a mix: its dedicated nodes, and its spot nodes with the chances of calm and shock.
#[derive(Clone, Debug)]
pub(super) struct Supply {
    need: u32,
    /// The most nodes of each lane that count.
    most: (u32, u32),
    up: f64,
    calm: Tail,
    /// `None` when a shock leaves nothing or never comes.
    shaken: Option<Tail>,
    asked: u32,
    needed: u32,
}

impl Supply {
    /// Returns the supply of `dedicated` nodes and no spot node.
    pub(super) fn new(terms: &Terms, constraint: Constraint, dedicated: u32) -> Self {
        let Chances { up, calm, shaken } = terms.chances;
        let up = if constraint.shocks { up } else { 1.0 };
        let most = if constraint.in_time {
            (terms.dedicated.in_time, terms.spot.in_time)
        } else {
            (u32::MAX, u32::MAX)
        };
        let needed = constraint.need.saturating_sub(dedicated.min(most.0));
        Self {
            need: constraint.need,
            most,
            up,
            calm: Tail::new(calm.0, calm.1, needed),
            shaken: (up < 1.0 && shaken.0 > 0.0).then(|| Tail::new(shaken.0, shaken.1, needed)),
            asked: 0,
            needed,
        }
    }

    /// Moves to another mix.
    pub(super) fn move_to(&mut self, dedicated: u32, spot: u32) {
        self.asked = spot.min(self.most.1);
        self.needed = self.need.saturating_sub(dedicated.min(self.most.0));
        self.calm.move_to(self.asked, self.needed);
        if let Some(shaken) = &mut self.shaken {
            shaken.move_to(self.asked, self.needed);
        }
    }

    /// Returns by how much one more spot node lowers the chance to fall short, and the relief of the next one.
    pub(super) fn steps(&self) -> (f64, f64) {
        if self.needed == 0 || self.asked >= self.most.1 {
            return (0.0, 0.0);
        }
        let (calm, shaken) = (
            self.calm.steps(),
            self.shaken.as_ref().map_or((0.0, 0.0), Tail::steps),
        );
        let down = 1.0 - self.up;
        (
            self.up * calm.0 + down * shaken.0,
            self.up * calm.1 + down * shaken.1,
        )
    }

    /// Returns the chance that a given one of `spot` nodes is there and the mix is short all the same, as far as it counts.
    pub(super) fn part_of_each(&self, spot: u32) -> f64 {
        // Of more nodes than count, one less changes nothing.
        if self.needed == 0 || self.asked == 0 || self.asked < spot {
            return 0.0;
        }
        let shaken = self.shaken.as_ref().map_or(0.0, Tail::there_and_short);
        let there = self.up * self.calm.there_and_short() + (1.0 - self.up) * shaken;
        there / f64::from(self.asked)
    }

    /// Wants another count of nodes of the same mix.
    pub(super) fn want(&mut self, need: u32, dedicated: u32, spot: u32) {
        self.need = need;
        self.move_to(dedicated, spot);
    }

    /// Returns the chance that fewer nodes are usable than wanted.
    pub(super) fn short(&self) -> f64 {
        if self.needed == 0 {
            return 0.0;
        }
        let shaken = self.shaken.as_ref().map_or(1.0, Tail::short);
        self.up * self.calm.short() + (1.0 - self.up) * shaken
    }

    /// Returns a chance that no number of spot nodes falls short with less: that of a shock that leaves none.
    pub(super) fn short_at_least(&self, dedicated: u32) -> f64 {
        if self.shaken.is_some() || dedicated.min(self.most.0) >= self.need {
            return 0.0;
        }
        1.0 - self.up
    }

    /// Returns the mean count of nodes missing.
    pub(super) fn missing(&self) -> f64 {
        let shaken = self
            .shaken
            .as_ref()
            .map_or_else(|| f64::from(self.needed), Tail::missing);
        self.up * self.calm.missing() + (1.0 - self.up) * shaken
    }

    /// Returns by how much one more spot node lowers what is missing.
    pub(super) fn relief(&self) -> f64 {
        if self.needed == 0 || self.asked >= self.most.1 {
            return 0.0;
        }
        let shaken = self.shaken.as_ref().map_or(0.0, Tail::relief);
        self.up * self.calm.relief() + (1.0 - self.up) * shaken
    }
}

/// Returns whether a chance to fall short is tolerated. Chances are compared to within their rounding: a chance that is the
/// risk on paper must not fail for its last digit.
pub(super) fn tolerated(short: f64, risk: f64) -> bool {
    short <= risk * (1.0 + 1e-9) + 1e-12
}
