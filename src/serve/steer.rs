//! The loop around the loop: the engine runs by the policies in effect, and begins anew when they change.
//!
//! ```text
//! read the policies ─► engine::run ─┬─ policies changed ─► their `started` line ─► engine::run …
//!                                   ├─ look at once ─────► engine::run …
//!                                   └─ end
//! ```
//!
//! What is remembered goes from one run to the next, so that a reload forgets nothing.

use tracing::info;

use super::folder::{Folder, Reading};
use super::log;
use super::steered::Steered;
use crate::base::Timestamp;
use crate::decision::Memory;
use crate::engine::{self, World};
use crate::policy::Policies;
use crate::world::Ledger;

/// What the loop steers by.
#[derive(Debug)]
pub struct Steering<W, L> {
    /// The world.
    pub world: Steered<W, L>,
    /// Where the policies are.
    pub folder: Folder,
    /// The policies in effect.
    pub policies: Policies,
    /// Tells the time.
    pub now: fn() -> Timestamp,
}

impl<W: World, L: Ledger> Steering<W, L> {
    /// Steers until it is asked to end; returns what is then remembered.
    pub fn run(mut self, mut memory: Memory) -> Memory {
        loop {
            memory = engine::run(&mut self.world, &self.policies, memory);
            if !self.world.control.is_asked() {
                // The world has ended by itself, as recorded ones do.
                return memory;
            }
            let asked = self.world.control.take();
            if asked.end {
                self.world.board.write(|standing| standing.health.stopping = true);
                return memory;
            }
            if asked.reload {
                self.reload();
            }
        }
    }

    fn reload(&mut self) {
        let Reading { policies, faults } = self.folder.read();
        let now = (self.now)();
        let board = &self.world.board;
        let is_whole = board.write(|standing| {
            standing.health.reload.done(now, &faults);
            standing.health.reload.is_whole()
        });
        log::faults(&faults);
        match policies {
            Some(policies) => {
                info!(
                    policies = policies.policies.len(),
                    whole = is_whole,
                    "policies read again"
                );
                self.policies = policies;
            }
            None => info!(whole = is_whole, "policies read again; nothing changed"),
        }
        let told = board.read().health.reload.clone();
        let told = serde_json::to_string(&told).expect("a reload is made of numbers and text");
        board.tell("reload", &told);
    }
}
