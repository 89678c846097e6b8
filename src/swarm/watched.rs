//! The live account with a ledger, of which everything is held against the laws, and which may be killed at any point.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::conduct::Conduct;
use super::dice::Dice;
use super::faults::FaultKind;
use super::found::Law;
use super::laws::Laws;
use super::scene::Scene;
use crate::account::{Halt, Order, PoolId, PoolPattern, Receipt};
use crate::azure::Live;
use crate::base::{Mix, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policies;
use crate::world::line;

/// A life of the sidecar, from one start to the next.
pub(super) struct Watched<'a> {
    pub(super) live: Live,
    pub(super) scene: Arc<Scene>,
    pub(super) laws: Laws<'a>,
    /// When this life ends by itself.
    pub(super) until: Timestamp,
    /// The share of points at which it is killed.
    pub(super) kills: f64,
    pub(super) dice: Dice,
    /// What is halted.
    pub(super) halts: Vec<(PoolPattern, Halt)>,
    /// What was kept.
    pub(super) ledger: String,
    /// The orders of the lines that were kept in this look and are not carried out, with where each pool stood.
    kept: BTreeMap<PoolId, (Order, Mix)>,
    pub(super) is_killed: bool,
    /// Whether the latest line was kept.
    pub(super) is_whole: bool,
}

impl<'a> Watched<'a> {
    pub(super) fn new(
        live: Live,
        scene: &Arc<Scene>,
        policies: &'a Policies,
        until: Timestamp,
        dice: Dice,
    ) -> Self {
        Self {
            live,
            laws: Laws::new(scene.clone(), policies),
            scene: scene.clone(),
            until,
            kills: 0.0,
            dice,
            halts: Vec::new(),
            ledger: String::new(),
            kept: BTreeMap::new(),
            is_killed: false,
            is_whole: false,
        }
    }

    /// Says whether it dies at this point; once it is dead it stays dead.
    fn dies(&mut self, point: &str) -> bool {
        if !self.is_killed && self.kills > 0.0 && !self.is_calm() && self.dice.chance(self.kills) {
            self.is_killed = true;
            self.scene.state().tally.strike(FaultKind::Kill);
            self.scene.tell(|| format!("killed {point}"));
        }
        self.is_killed
    }

    fn is_calm(&self) -> bool {
        let now = self.scene.now();
        self.scene.state().weather.is_calm(now)
    }

    fn fails(&mut self) -> bool {
        let share = self.scene.state().weather.ledger_fails();
        if share > 0.0 && self.dice.chance(share) {
            self.scene.state().tally.strike(FaultKind::Ledger);
            return true;
        }
        false
    }
}

fn lost(why: &str) -> RecordError {
    RecordError {
        message: why.to_owned(),
    }
}

impl World for Watched<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.laws.end_tick();
        if self.is_killed || self.scene.now() >= self.until || self.scene.found().is_some() {
            return None;
        }
        self.live.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        {
            let mut state = self.scene.state();
            state.blurred.clear();
            state.tally.looks += 1;
        }
        self.kept.clear();
        let seen = self.live.observe(question, into);
        if let Err(error) = &seen {
            self.scene.state().tally.blind += 1;
            self.scene.tell(|| format!("blind: {error}"));
        }
        for view in into.pools_mut() {
            let of_pool = self
                .halts
                .iter()
                .filter(|(pools, _)| pools.matches(&view.state.id));
            view.halt = Halt::together(of_pool.map(|(_, halt)| halt), question.now);
        }
        self.laws.begin_tick(question, into);
        seen
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.is_whole = false;
        if self.dies("before a line") {
            return Err(lost("killed"));
        }
        if self.fails() {
            return Err(lost("the disk is full"));
        }
        self.ledger += &line(entry);
        self.ledger.push('\n');
        self.is_whole = true;
        self.laws.entry(entry);
        if let Entry::Decided { decision, .. } = entry {
            let order = decision.order();
            self.kept
                .extend(order.map(|order| (order.pool.clone(), (order, decision.start))));
        }
        if self.dies("after a line") {
            return Err(lost("killed"));
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if self.dies("before an order") {
            return Receipt::Withheld;
        }
        let kept = self.kept.remove(&order.pool);
        let Some((_, start)) = kept.filter(|(kept, _)| kept == order) else {
            let what = format!("{order:?} was ordered, and no line of this look says so");
            self.scene.find(Law::Line, what);
            return Receipt::Withheld;
        };
        let conduct = Arc::new(Mutex::new(Conduct::new(order, start)));
        self.scene.state().conduct = Some(conduct);
        let receipt = self.live.act(order);
        let mut state = self.scene.state();
        state.conduct = None;
        state.tally.orders += 1;
        state.tally.refused += u64::from(matches!(receipt, Receipt::Refused(_)));
        drop(state);
        self.scene.tell(|| {
            format!(
                "ordered {} from {start} to {}: {receipt:?}",
                order.pool, order.target
            )
        });
        self.dies("after an order");
        receipt
    }
}

/// Returns a pool's id as paths and answers of the swarm name it.
pub(super) fn same_pool(id: &PoolId, name: &str) -> bool {
    name.is_empty() || id.as_str().eq_ignore_ascii_case(name)
}
