//! What would be ordered: the account is looked at once more, beside the loop, and decided for by what the ledger remembers.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::azure::{Client, Live};
use crate::base::Timestamp;
use crate::decision::{Decision, Memory};
use crate::engine::Priced;
use crate::policy::Policies;
use crate::store::Store;
use crate::world::glance;

/// Looks at the account once and decides; cheap to clone.
#[derive(Clone)]
pub struct Planner(Arc<Look>);

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

    /// Returns a planner that looks at a live account; what the loop has learned it takes from the ledger, where one can be asked.
    pub fn live(client: Client, runtime: Handle, memory: Option<Store>) -> Self {
        Self::new(move |policies| {
            let remembered = match &memory {
                Some(store) => {
                    store
                        .resume()
                        .map_err(|error| PlanError(error.to_string()))?
                        .memory
                }
                None => Memory::default(),
            };
            let mut live = Live::new(client.clone(), runtime.clone());
            let glance = glance(&mut live, policies, remembered).map_err(|error| PlanError(error.message))?;
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

    /// Looks; blocks for as long as that takes.
    ///
    /// # Errors
    /// When nothing could be seen.
    pub(super) fn look(&self, policies: &Policies) -> Result<PlanLook, PlanError> {
        (self.0)(policies)
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Planner")
    }
}
