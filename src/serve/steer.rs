//! The loop around the loop: the engine runs by the policies in effect, and begins anew when they change.
//!
//! ```text
//! read the policies ─► engine::run ─┬─ policies changed ─► their `started` line ─► engine::run …
//!                                   ├─ look at once ─────► engine::run …
//!                                   └─ end, or step back
//! ```
//!
//! What is remembered goes from one run to the next, so that a reload forgets nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tracing::error;

use super::book::Keeps;
use super::control::Asked;
use super::steered::Steered;
use crate::decision::Memory;
use crate::engine::{self, World};
use crate::policy::Policies;

/// What the loop steers by.
pub struct Steering<W, L> {
    /// The world.
    pub world: Steered<W, L>,
    /// The policies in effect.
    pub policies: Policies,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The world has ended, or it was asked to end.
    Whole(Memory),
    /// Another instance steers now.
    SteppedBack,
    /// A mistake of ours ended the run; what it remembered is lost, and is to be read from the ledger again.
    Mistaken,
}

/// After a mistake of ours nothing is tried for as long: a policy is looked at no more often.
const AFTER_MISTAKE: Duration = Duration::from_secs(30);

impl<W: World, L: Keeps> Steering<W, L> {
    /// Steers until it is asked to end, or to step back.
    pub fn run(&mut self, mut memory: Memory) -> Ended {
        loop {
            let (world, policies) = (&mut self.world, &self.policies);
            let ran = catch_unwind(AssertUnwindSafe(|| engine::run(world, policies, memory)));
            self.world.end_look();
            let Ok(remembered) = ran else {
                error!(
                    "a mistake in lowtide ended the run; it begins anew in {AFTER_MISTAKE:?}, and the pools stay as they are"
                );
                self.world.pulse.waits(AFTER_MISTAKE);
                self.world.control.pause(AFTER_MISTAKE);
                return Ended::Mistaken;
            };
            memory = remembered;
            if let Some(policies) = self.world.take_changed() {
                self.policies = policies;
                continue;
            }
            match self.world.control.take() {
                Asked { end: true, .. } => return Ended::Whole(memory),
                Asked { step_back: true, .. } => return Ended::SteppedBack,
                Asked { reload: true, .. } => self.world.reload(),
                Asked { look: true, .. } => {}
                // The world has ended by itself, as recorded ones do.
                Asked { .. } => return Ended::Whole(memory),
            }
        }
    }
}
