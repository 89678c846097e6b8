//! What the engine asks a world, and what it is told.

use crate::account::{CoreQuotas, Halt, Holding, PoolId, PoolPattern, PoolState, Work};
use crate::base::{Span, Timestamp};
use crate::policy::Counts;
use crate::signal::{Metric, Reading, Sample, SignalQuery};

/// What the engine wants to know at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The moment.
    pub now: Timestamp,
    /// Every pool that matches one of these is asked about, unless it is the turn of another policy.
    pub pools: &'a [PoolPattern],
    /// Whose turn it is, in the order of the policies: the first that matches a pool says whether it is asked about now. Those whose
    /// turn it is not are sampled all the same, where the world samples by itself.
    pub turns: &'a [Turn],
    /// The metrics that matter to any policy; telling others does no harm.
    pub metrics: &'a [Metric],
    /// The signals that matter besides, which are none of the account's own.
    pub signals: &'a [SignalAsk],
    /// Whether tasks and nodes are wanted one by one; telling them unasked does no harm.
    pub work: bool,
    /// Whether it is wanted what the account shares: its quotas, and what each of its pools holds of them. Quotas that are told
    /// unasked are kept to as well.
    pub account: bool,
}

/// Whether it is the turn of a policy's pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The pools.
    pub pools: PoolPattern,
    /// Whether they are asked about now.
    pub due: bool,
}

impl Question<'_> {
    /// Says whether a pool is asked about.
    pub fn asks(&self, pool: &PoolId) -> bool {
        match self.turns.iter().find(|turn| turn.pools.matches(pool)) {
            Some(turn) => turn.due,
            None => self.pools.iter().any(|pattern| pattern.matches(pool)),
        }
    }
}

/// A signal from outside that a policy decides by.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalAsk {
    /// What is asked, `{pool}` standing for the id of each pool.
    pub query: SignalQuery,
    /// The pools that the policy speaks of,
    pub pool: PoolPattern,
    /// unless one of these patterns matches, of policies that come before it.
    pub unless: Vec<PoolPattern>,
    /// From which age a number is of no use.
    pub stale_after: Span,
    /// What the number counts, for worlds that make it up.
    pub counts: Counts,
}

/// What a world knows at one moment; keeps its buffers when it is cleared.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// What the account shares; `None` when the world does not tell.
    pub account: Option<AccountView>,
    views: Vec<PoolView>,
    seen: usize,
    /// Buffers of tasks and nodes that were seen before.
    spare_work: Vec<Work>,
}

/// What is known of one pool.
#[derive(Clone, Debug)]
pub struct PoolView {
    /// The pool as it stands.
    pub state: PoolState,
    /// Samples that have arrived since the world was last asked about this pool, each metric's oldest first; at the first
    /// question those of the past [`crate::decision::Memory::HISTORY_KEPT`]. Telling a sample twice does no harm.
    pub samples: Vec<Sample>,
    /// What sources outside of the account say for it, of what was asked.
    pub readings: Vec<Reading>,
    /// Its tasks and nodes one by one, when they were asked for and the world knows them.
    pub work: Option<Work>,
    /// Somebody's word that it is left alone, where there is one; one that has ended does no harm.
    pub halt: Option<Halt>,
    /// What could not be read of this pool; the decision about it is then a hold.
    pub fault: Option<ObserveError>,
}

/// What is known of what the pools of an account share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountView {
    /// The quotas of the account; `None` when they are not known, and nothing is limited by them then.
    pub quotas: Option<CoreQuotas>,
    /// What each pool holds of them, whether a policy speaks of it or not; those that are seen as [`PoolView`] may be left out.
    pub pools: Vec<Holding>,
    /// What could not be read of it; no nodes are added then.
    pub fault: Option<ObserveError>,
}

/// Says that a world could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ObserveError {
    /// What went wrong, with a way out where there is one.
    pub message: String,
    /// Whether the next look may succeed without anyone doing anything.
    pub retry: bool,
}

impl SignalAsk {
    /// Says whether it is asked for a pool.
    pub fn speaks_of(&self, pool: &PoolId) -> bool {
        self.pool.matches(pool) && !self.unless.iter().any(|pattern| pattern.matches(pool))
    }
}

impl Observation {
    /// Adds a pool and returns its view, without samples and with room for as many as it had before.
    pub fn push(&mut self, state: PoolState) -> &mut PoolView {
        if self.seen == self.views.len() {
            self.views.push(PoolView {
                state,
                samples: Vec::new(),
                readings: Vec::new(),
                work: None,
                halt: None,
                fault: None,
            });
        } else {
            let view = &mut self.views[self.seen];
            view.state = state;
            view.samples.clear();
            view.readings.clear();
            view.work = None;
            view.halt = None;
            view.fault = None;
        }
        self.seen += 1;
        &mut self.views[self.seen - 1]
    }

    /// Returns the pools that were seen.
    pub fn pools(&self) -> &[PoolView] {
        &self.views[..self.seen]
    }

    /// Returns the pools that were seen, to change them.
    pub fn pools_mut(&mut self) -> &mut [PoolView] {
        &mut self.views[..self.seen]
    }

    /// Returns room for the tasks and nodes of a pool, used before where possible; what is in it is to be cleared.
    pub fn spare_work(&mut self) -> Work {
        self.spare_work.pop().unwrap_or_default()
    }

    /// Forgets what was seen and keeps the buffers.
    pub fn clear(&mut self) {
        let works = self.views.iter_mut().filter_map(|view| view.work.take());
        self.spare_work.extend(works);
        self.seen = 0;
        self.account = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_policy_of_a_pool_says_whether_it_is_its_turn() {
        let turn = |pools: &str, due| Turn {
            pools: pools.parse().unwrap(),
            due,
        };
        let turns = [turn("a-1", false), turn("a-*", true), turn("*", false)];
        let given_up = ["a-*", "gone"].map(|pools| pools.parse().unwrap());
        let mut question = Question {
            now: Timestamp::EPOCH,
            pools: &given_up,
            turns: &turns[..2],
            metrics: &[],
            signals: &[],
            work: false,
            account: false,
        };
        let asks = |question: &Question<'_>, id: &str| question.asks(&id.parse().unwrap());
        assert!(!asks(&question, "a-1") && asks(&question, "a-2"));
        // One that no policy speaks of is asked about by its own name.
        assert!(asks(&question, "gone") && !asks(&question, "b"));
        question.turns = &turns;
        assert!(!asks(&question, "gone"));
        question.turns = &[];
        assert!(asks(&question, "a-1"));
    }
}
