//! What the pages answer from: the board, the ledger, the loop, and what would be planned.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::super::{Board, Control, Measures, Metrics};
use super::answers::HaltAnswer;
use super::elsewhere::{Elsewhere, History};
use super::events::Recent;
use super::planner::Planner;
use super::problem::{Kind, Problem};
use super::tallies::Tallies;
use crate::account::{Halt, PoolId};
use crate::base::Timestamp;
use crate::store::{Store, StoreError};

/// What the sidecar stands on, as far as pages need it.
pub struct Stands {
    /// The name of the account.
    pub account: String,
    /// What is known of it now.
    pub board: Board,
    /// What is counted.
    pub metrics: Arc<Mutex<Metrics>>,
    /// What may be asked of the loop.
    pub control: Control,
    /// The ledger that can be searched and that keeps halts; `None` where lines alone are kept.
    pub memory: Option<Store>,
    /// Looks at the account to plan.
    pub planner: Planner,
    /// Where the past is that the ledger no longer has, where that is configured.
    pub history: Option<History>,
    /// Whether orders are kept back.
    pub dry_run: bool,
    /// Tells the time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// What the pages answer from; cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    stands: Stands,
    recent: Recent,
    tallies: Tallies,
    elsewhere: Elsewhere,
    what_if_turn: Arc<Semaphore>,
}

impl Site {
    /// Returns what pages answer from; must be called where a runtime is, because it begins to listen to the board.
    pub fn new(stands: Stands) -> Self {
        let run = stands.board.read().health.began.unwrap_or_else(|| (stands.now)());
        let recent = Recent::of(&stands.board, run.ticks().unsigned_abs() / 10_000);
        Self(Arc::new(Inner {
            stands,
            recent,
            tallies: Tallies::default(),
            elsewhere: Elsewhere::default(),
            // One at a time: a backtest takes a core, and the loop needs one.
            what_if_turn: Arc::new(Semaphore::new(1)),
        }))
    }

    pub(super) fn stands(&self) -> &Stands {
        &self.0.stands
    }

    pub(super) fn board(&self) -> &Board {
        &self.0.stands.board
    }

    /// Returns what is counted; for as long as it is held the loop waits.
    pub(super) fn metrics(&self) -> MutexGuard<'_, Metrics> {
        // Whoever panicked while holding them left counts that are as good as any.
        self.0
            .stands
            .metrics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is measured of each pool that stands on the board.
    pub(super) fn measures(&self) -> BTreeMap<PoolId, Measures> {
        // The loop takes the board first and the counts after it; nobody holds both here.
        let pools: Vec<PoolId> = self.board().read().pools.keys().cloned().collect();
        let metrics = self.metrics();
        let measured = pools.into_iter().map(|pool| {
            let measures = metrics.measures(&pool);
            (pool, measures)
        });
        measured.collect()
    }

    pub(super) fn recent(&self) -> &Recent {
        &self.0.recent
    }

    pub(super) fn elsewhere(&self) -> &Elsewhere {
        &self.0.elsewhere
    }

    pub(super) fn tallies(&self) -> &Tallies {
        &self.0.tallies
    }

    /// Returns the turn of whoever tries another policy.
    pub(super) fn what_if_turn(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.what_if_turn)
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0.stands.now)()
    }

    /// Asks the ledger on a thread where waiting is allowed.
    pub(super) async fn memory<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let memory = self.0.stands.memory.clone().ok_or_else(|| {
            Problem::new(
                Kind::NotKept,
                "the ledger of this sidecar is a file of lines, which cannot be searched and keeps no halts",
                "set ledger.sqlite in the configuration, in the place of ledger.jsonLines",
            )
        })?;
        let asked = tokio::task::spawn_blocking(move || what(&memory)).await;
        match asked {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(error)) => Err(Problem::new(
                Kind::LedgerAway,
                error.to_string(),
                "orders stop while the ledger takes no lines; /readyz tells when it does again",
            )
            .again_in(5)),
            Err(_) => Err(Problem::new(
                Kind::Broken,
                "a mistake in lowtide ended the search",
                "please report it together with the request",
            )),
        }
    }

    /// Returns what is halted now; nothing where halts are not kept.
    pub(super) async fn halts(&self) -> Result<Vec<HaltAnswer>, Problem> {
        if self.0.stands.memory.is_none() {
            return Ok(Vec::new());
        }
        let now = self.now();
        let halts = self.memory(Store::halts).await?;
        let holding = halts.into_iter().filter(|kept| kept.halt.holds(now));
        Ok(holding
            .map(|kept| HaltAnswer::new(kept.pools.as_str(), kept.halt))
            .collect())
    }
}

impl HaltAnswer {
    pub(super) fn new(pool: &str, halt: Halt) -> Self {
        Self {
            pool: pool.to_owned(),
            scope: halt.scope,
            until: halt.until,
            why: halt.why,
            by: halt.by,
        }
    }

    /// Says whether it is about a pool.
    pub(super) fn is_about(&self, pool: &PoolId) -> bool {
        let pattern = self.pool.parse::<crate::account::PoolPattern>();
        pattern.is_ok_and(|pattern| pattern.matches(pool))
    }

    /// Returns the halt itself.
    pub(super) fn halt(&self) -> Halt {
        Halt {
            scope: self.scope,
            until: self.until,
            why: self.why.clone(),
            by: self.by.clone(),
        }
    }
}
