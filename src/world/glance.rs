//! One look at a world and the decisions about it, with nothing ordered and nothing written down.

use crate::account::{Order, PoolId, Receipt};
use crate::base::Timestamp;
use crate::decision::{Decision, Memory};
use crate::engine::{self, Entry, Observation, ObserveError, PoolView, Priced, Question, RecordError, World};
use crate::policy::Policies;

/// What one look came to.
#[derive(Clone, Debug)]
pub struct Glance {
    /// When.
    pub at: Timestamp,
    /// What was seen.
    pub seen: Observation,
    /// The decisions, each with what it was made of.
    pub decisions: Vec<Decision>,
    views: Vec<Option<PoolView>>,
    memory: Memory,
}

/// A world that is looked at once and takes no order.
struct Once<'a, W> {
    world: &'a mut W,
    at: Option<Timestamp>,
    seen: Observation,
    decisions: Vec<Decision>,
    views: Vec<Option<PoolView>>,
    error: Option<ObserveError>,
}

impl<W: World> World for Once<'_, W> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        if self.at.is_some() {
            return None;
        }
        self.at = self.world.wait_until(at).map(Timestamp::whole_milliseconds);
        self.at
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let looked = self.world.observe(question, into);
        self.error = looked.clone().err();
        self.seen.clone_from(into);
        looked
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, seen } = entry {
            self.decisions.push((*decision).clone());
            self.views.push(seen.cloned());
        }
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Withheld
    }
}

/// Looks at a world once and decides for its pools by what is remembered.
///
/// # Errors
/// When nothing could be seen, or the world has ended.
pub fn glance(world: &mut impl World, policies: &Policies, memory: Memory) -> Result<Glance, ObserveError> {
    let mut once = Once {
        world,
        at: None,
        seen: Observation::default(),
        decisions: Vec::new(),
        views: Vec::new(),
        error: None,
    };
    let memory = engine::run(&mut once, policies, memory);
    if let Some(error) = once.error {
        return Err(error);
    }
    let at = once.at.ok_or_else(|| ObserveError {
        message: "the world ended before it was looked at".to_owned(),
        retry: false,
    })?;
    Ok(Glance {
        at,
        seen: once.seen,
        decisions: once.decisions,
        views: once.views,
        memory,
    })
}

impl Glance {
    /// Returns what an hour of a decision costs, where that was reckoned.
    pub fn price(&self, policies: &Policies, decision: &Decision) -> Option<Priced> {
        let place = self
            .decisions
            .iter()
            .position(|other| other.pool == decision.pool)?;
        let view = self.views.get(place)?.as_ref()?;
        let remembered = self.memory.pools.get(&decision.pool)?;
        let snapshot = remembered.snapshot(self.at, &view.state, view.work.as_ref());
        engine::priced(policies, &snapshot, decision)
    }

    /// Returns the pools that could not be read, each with why.
    pub fn faults(&self) -> impl Iterator<Item = (&PoolId, &ObserveError)> {
        let views = self.views.iter().flatten();
        views.filter_map(|view| Some((&view.state.id, view.fault.as_ref()?)))
    }

    /// Says whether anything would be ordered.
    pub fn changes(&self) -> bool {
        self.decisions.iter().any(|decision| decision.order().is_some())
    }
}
