//! Who steers: of all instances with the same store, the one that holds its lease.
//!
//! ```text
//! standby ── acquire: ours ──► resume from the store ──► steer ──┬─ end ──► release
//!    ▲                                                           └─ renew: theirs ─┐
//!    └─────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The fence in the store is what keeps two from writing; that an instance steps back is so that it stops trying.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::board::Board;
use super::control::Control;
use super::health::Role;
use super::systemd;
use crate::base::Timestamp;
use crate::store::{Lead, Lease, Store};

/// How many times a standby asks while a lease lasts: every two seconds of the usual half minute, so that it takes over while the
/// one that ran out is still warm.
const ASKED_WHILE_IT_LASTS: u32 = 15;
/// How many times the lead is renewed before it runs out.
const RENEWED_WHILE_IT_LASTS: u32 = 3;
/// How often old lines are looked for: a day of a large account is a few hundred thousand.
const PRUNED_EVERY: Duration = Duration::from_hours(1);

/// Waits until the lead is ours; `false` when it shall end before that.
pub(super) fn await_lead(lease: &Lease, board: &Board, control: &Control) -> bool {
    let mut said = String::new();
    let mut reloads = false;
    loop {
        if control.is_ended() {
            return false;
        }
        if control.asked().reload {
            // Tokens, certificates and keys are read again at once; the policies when they come into effect.
            control.reloading();
            board.tell("reload", "{}");
            reloads = true;
        }
        match lease.acquire() {
            Ok(Lead::Ours { fence }) => {
                info!(fence, "leads");
                board.write(|standing| {
                    standing.health.role = Role::Leader;
                    standing.health.ledger_fault = None;
                });
                if reloads {
                    control.reload();
                }
                return true;
            }
            Ok(Lead::Theirs { holder }) => {
                if said != holder {
                    info!(leader = %holder, "stands by");
                    systemd::ready("stands by");
                    said = holder;
                }
                board.write(|standing| {
                    standing.health.role = Role::Standby;
                    standing.health.ledger_fault = None;
                });
            }
            Err(error) => {
                let message = error.to_string();
                if said != message {
                    warn!(error = %message, "nobody can say who leads; nothing is ordered");
                    said.clone_from(&message);
                }
                board.write(|standing| {
                    standing.health.role = Role::Standby;
                    standing.health.ledger_fault = Some(message);
                });
            }
        }
        systemd::alive();
        if control.pause(lease.lasts() / ASKED_WHILE_IT_LASTS) {
            return false;
        }
    }
}

/// Forgets what is older, or more, than is kept.
fn prune(store: &Store, now: Timestamp) {
    match store.retain(now) {
        Ok(pruned) if pruned.lines > 0 => info!(lines = pruned.lines, "old lines of the ledger are gone"),
        Ok(_) => {}
        Err(error) => warn!(%error, "the ledger cannot be pruned; tried again in an hour"),
    }
}

/// Renews the lead until it is dropped, and asks the loop to step back when it is lost.
pub(super) struct Renewal {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Renewal {
    /// Begins to renew.
    pub(super) fn begin(lease: Lease, store: Store, now: fn() -> Timestamp, control: Control) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut pruned = None;
            while !until.load(Ordering::SeqCst) {
                match lease.renew() {
                    Ok(Lead::Ours { .. }) => {}
                    Ok(Lead::Theirs { holder }) => {
                        warn!(leader = %holder, "the lead is lost; steps back");
                        control.step_back();
                        return;
                    }
                    Err(error) if store.still_leads() => warn!(%error, "the lead cannot be renewed"),
                    // Another may have it by now, and lines are refused in any case: who comes back reads first what was written.
                    Err(error) => {
                        warn!(%error, "the lead has run out and nobody can say who has it; steps back");
                        control.step_back();
                        return;
                    }
                }
                if pruned.is_none_or(|at: Instant| at.elapsed() >= PRUNED_EVERY)
                    && !until.load(Ordering::SeqCst)
                {
                    prune(&store, now());
                    pruned = Some(Instant::now());
                }
                std::thread::park_timeout(lease.lasts() / RENEWED_WHILE_IT_LASTS);
            }
        });
        Self {
            ended,
            thread: Some(thread),
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // What it met has been said.
            let _ = thread.join();
        }
    }
}
