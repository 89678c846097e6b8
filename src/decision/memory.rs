//! What is remembered of the pools from one look to the next.

use std::collections::BTreeMap;

use super::{BrokenNodes, GuardMemory, OurOrders, SignalMemory, Snapshot, SpotMemory};
use crate::account::{PoolId, PoolState, Work};
use crate::base::{Mix, Span, Timestamp};
use crate::signal::{History, Reading, Sample};
use crate::sizing::Learned;

/// What is remembered of every pool that has been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The pools by id.
    pub pools: BTreeMap<PoolId, PoolMemory>,
}

/// What is remembered of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolMemory {
    /// When the pool was last seen.
    pub seen_at: Timestamp,
    /// The pool as it was then.
    pub last_seen: PoolState,
    /// Its samples.
    pub history: History,
    /// What sources outside of the account have told for it.
    pub signals: SignalMemory,
    /// What guards remember of it.
    pub guards: GuardMemory,
    /// What a backlog has learned of it.
    pub learned: Learned,
    /// What is known of its spot market.
    pub spot: SpotMemory,
    /// What is remembered of orders, and of what others did.
    pub ours: OurOrders,
    /// What is remembered of its nodes that are of no use.
    pub broken: BrokenNodes,
    /// What it last asked for, where pools share: those that are looked at between its looks leave room for it.
    pub asked: Option<Mix>,
    /// Whether it was not there when it was last asked for. All that is remembered then is that a formula of ours was on it, or that
    /// nodes of it were closed by us.
    pub gone: bool,
}

impl PoolMemory {
    /// Returns what is remembered of a pool that is seen for the first time.
    fn unseen(now: Timestamp, state: PoolState) -> Self {
        Self {
            seen_at: now,
            last_seen: state,
            history: History::new(),
            signals: SignalMemory::default(),
            guards: GuardMemory::default(),
            learned: Learned::default(),
            spot: SpotMemory::default(),
            ours: OurOrders::default(),
            broken: BrokenNodes::default(),
            asked: None,
            gone: false,
        }
    }

    /// Returns what stays of a pool that is there no longer: a look may have missed it, and the formula of ours on it is told from
    /// somebody else's by this alone when its policy has another name by then, and nodes that we closed from those that somebody
    /// else did. Nothing stays where there was neither, or of what is so long ago that samples of then are of no use either.
    pub fn vanished(&self, now: Timestamp) -> Option<Self> {
        let is_late = |at: Timestamp| now - at >= Memory::HISTORY_KEPT;
        let leased_at = self.ours.leased_at.filter(|at| !is_late(*at));
        let closed = self.ours.closed && !is_late(self.seen_at);
        (leased_at.is_some() || closed).then(|| Self {
            ours: OurOrders {
                leased_at,
                closed,
                ..OurOrders::default()
            },
            gone: true,
            ..Self::unseen(self.seen_at, self.last_seen.clone())
        })
    }

    /// Returns what a decision sees of the pool at a moment; the moment is the seed of its chance, and nobody has halted it.
    pub fn snapshot<'a>(
        &'a self,
        now: Timestamp,
        pool: &'a PoolState,
        work: Option<&'a Work>,
    ) -> Snapshot<'a> {
        Snapshot {
            now,
            seed: now.ticks().cast_unsigned(),
            pool,
            history: &self.history,
            signals: &self.signals,
            guards: &self.guards,
            learned: &self.learned,
            spot: &self.spot,
            ours: &self.ours,
            broken: &self.broken,
            work,
            halt: None,
        }
    }
}

impl Memory {
    /// How long samples are kept: a week, because the longest look-back that public formulas use is a day and a weekly
    /// rhythm is the longest that a sizing rule can be expected to compare with.
    pub const HISTORY_KEPT: Span = Span::days(7);

    /// Takes in what was seen of a pool, and forgets samples that are too old to matter.
    ///
    /// Samples are put on the grid of their metric; one for a slot that is filled or passed is dropped, so that being told
    /// a sample twice does no harm.
    pub fn absorb(&mut self, now: Timestamp, state: &PoolState, samples: &[Sample], work: Option<&Work>) {
        // Looked up by reference first: most looks are at pools that are known, and an entry would clone the id.
        if self.pools.get(&state.id).is_none_or(|pool| pool.gone) {
            let mut unseen = PoolMemory::unseen(now, state.clone());
            if let Some(PoolMemory { ours, .. }) = self.pools.get(&state.id) {
                unseen.ours.leased_at = ours.leased_at;
                unseen.ours.closed = ours.closed;
            }
            self.pools.insert(state.id.clone(), unseen);
        }
        let pool = self
            .pools
            .get_mut(&state.id)
            .expect("an unseen pool was just put in");
        // A pool that is new is its own past: nothing of it changed, and nothing was spent.
        pool.guards
            .see(Some((pool.seen_at, &pool.last_seen)), now, state, work);
        pool.ours.see(&pool.last_seen, now, state);
        pool.broken.see(now, state);
        pool.last_seen.clone_from(state);
        pool.seen_at = now;
        let oldest = now - Self::HISTORY_KEPT;
        for sample in samples {
            // A sample out of the future or the distant past is a broken clock's, and would stretch the grid without end.
            if oldest <= sample.taken && sample.taken <= now {
                pool.history
                    .record(sample.metric, sample.taken, sample.value)
                    .expect("a week of samples never fills a series");
            }
        }
        pool.history.forget_before(oldest);
    }

    /// Takes in what sources outside of the account told for a pool that is remembered.
    pub fn hear(&mut self, now: Timestamp, pool: &PoolId, readings: &[Reading]) {
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.signals.hear(now, readings);
        }
    }

    /// Returns what is remembered of a pool.
    pub fn pool(&self, id: &PoolId) -> Option<&PoolMemory> {
        self.pools.get(id)
    }
}
