//! What would be ordered: the account is looked at once more, beside the loop, and decided for by what the ledger remembers.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::azure::{Client, Live};
use crate::base::Timestamp;
use crate::decision::{Decision, Memory};
use crate::engine::Priced;
use crate::policy::Policies;
use crate::source::{NamedSources, Sources};
use crate::store::Store;
use crate::world::{WithSignals, glance};

/// Looks at the account once and decides; cheap to clone.
#[derive(Clone)]
pub struct Planner(Arc<Look>);

/// Looks at a live account once, and asks what tells of it from outside.
pub struct LivePlanner {
    client: Client,
    runtime: Handle,
    memory: Option<Store>,
}

/// One look by some policies.
type Look = dyn Fn(&Policies) -> Result<PlanLook, PlanError> + Send + Sync;

/// What a look came to.
#[derive(Clone, Debug)]
pub struct PlanLook {
    /// When.
    pub at: Timestamp,
    /// The decisions, each with what an hour of it costs where that was reckoned.
    pub decisions: Vec<(Decision, Option<Priced>)>,
    /// The pools that could not be read, each with why.
    pub faults: Vec<(String, String)>,
}

/// Says why nothing could be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(pub String);

impl Planner {
    /// Returns a planner that looks by a function.
    pub fn new(look: impl Fn(&Policies) -> Result<PlanLook, PlanError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Begins a planner that looks at a live account; what the loop has learned it takes from the ledger, where one can be asked.
    pub const fn live(client: Client, runtime: Handle, memory: Option<Store>) -> LivePlanner {
        LivePlanner {
            client,
            runtime,
            memory,
        }
    }

    /// Looks; blocks for as long as that takes.
    ///
    /// # Errors
    /// When nothing could be seen.
    pub(super) fn look(&self, policies: &Policies) -> Result<PlanLook, PlanError> {
        (self.0)(policies)
    }
}

impl LivePlanner {
    /// Returns a planner that asks these sources of signals as well, as the loop does; `way_out` says how a file of them is named.
    pub fn told_by(self, sources: Option<Sources>, way_out: &'static str) -> Planner {
        Planner::new(move |policies| {
            let remembered = match &self.memory {
                Some(store) => {
                    store
                        .resume()
                        .map_err(|error| PlanError(error.to_string()))?
                        .memory
                }
                None => Memory::default(),
            };
            let live = Live::new(self.client.clone(), self.runtime.clone());
            let mut world = WithSignals::of_now(live, NamedSources::new(sources.clone(), way_out));
            let glance =
                glance(&mut world, policies, remembered).map_err(|error| PlanError(error.message))?;
            let priced = |decision: &Decision| (decision.clone(), glance.price(policies, decision));
            Ok(PlanLook {
                at: glance.at,
                decisions: glance.decisions.iter().map(priced).collect(),
                faults: glance
                    .faults()
                    .map(|(pool, error)| (pool.to_string(), error.message.clone()))
                    .collect(),
            })
        })
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Planner")
    }
}
