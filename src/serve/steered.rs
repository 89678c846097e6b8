//! The world that the sidecar steers: a world inside, a ledger before it, and the board that is told of all.
//!
//! A mistake of ours in a look or in an order ends that look or that order, and is told: the pools are held then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::board::{Board, kind};
use super::book::Keeps;
use super::control::{Asked, Control};
use super::folder::{Folder, Reading};
use super::metrics::Metrics;
use super::pulse::Pulse;
use super::systemd;
use super::traces::Tick;
use super::{log, traces};
use crate::account::{Halt, HaltScope, Order, PoolId, Receipt, Refusal, RefusalKind};
use crate::base::{Span, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policies;
use crate::world::line;

/// A world that is steered.
pub struct Steered<W, L> {
    /// The world inside.
    pub inside: W,
    /// Where entries are kept, before anybody hears of them.
    pub ledger: L,
    /// Who is told.
    pub board: Board,
    /// What is counted.
    pub metrics: Arc<Mutex<Metrics>>,
    /// What may be asked of the loop.
    pub control: Control,
    /// Where the policies are.
    pub folder: Folder,
    /// What stops it, and whether it orders.
    pub brakes: Brakes,
    /// Tells the time; it stands at 1970 until it is told how.
    pub now: fn() -> Timestamp,
    /// What it does now, for those that watch it.
    pub(super) pulse: Pulse,
    /// The latest look.
    looked: Option<Timestamp>,
    /// The look under way.
    tick: Option<Under>,
    /// When the first order went out of those whose answers are not kept yet.
    unsettled_since: Option<Instant>,
    /// Policies that were read and are not in effect yet.
    changed: Option<Policies>,
}

/// What keeps a sidecar from ordering.
pub struct Brakes {
    /// A file that stops everything while it is there.
    pub kill_switch: Option<PathBuf>,
    /// Whether orders are kept back.
    pub dry_run: bool,
    /// Tells what somebody has halted, pool by pool.
    pub halts: Box<dyn Halts>,
}

/// Tells which pools somebody has halted.
pub trait Halts: Send {
    /// Takes in what is halted now.
    ///
    /// # Errors
    /// When nobody can say; what was halted before stays so.
    fn refresh(&mut self, now: Timestamp) -> Result<(), String>;

    /// Returns the halts of a pool.
    fn of(&self, pool: &PoolId) -> Vec<Halt>;
}

/// Nobody halts anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHalts;

impl Halts for NoHalts {
    fn refresh(&mut self, _: Timestamp) -> Result<(), String> {
        Ok(())
    }

    fn of(&self, _: &PoolId) -> Vec<Halt> {
        Vec::new()
    }
}

/// A look under way.
struct Under {
    began: Instant,
    at: Timestamp,
    span: Tick,
}

/// A clock that goes back by less is being corrected, as clocks are all the time.
const SET_BACK: Span = Span::seconds(5);

/// Answers are kept together that came within so long, or so many: the disk takes a hundredth of a second for each time, which is
/// longer than most orders take. Of an order whose answer is lost in between, the next start knows that it may have been taken.
const SETTLES_AFTER: Duration = Duration::from_millis(100);
const SETTLES_AT: usize = 64;

/// What a kill-switch file says beyond this is not told.
const WHY_CHARS_MAX: usize = 200;

impl<W, L> Steered<W, L> {
    /// Returns a world that is steered by the policies of a folder, whose ledger is read by a board.
    pub fn new(
        inside: W,
        ledger: L,
        board: Board,
        control: Control,
        folder: Folder,
    ) -> prometheus::Result<Self> {
        let written = Arc::new(folder.written());
        board.write(|standing| standing.written = written);
        Ok(Self {
            inside,
            ledger,
            board,
            metrics: Arc::new(Mutex::new(Metrics::new()?)),
            control,
            folder,
            brakes: Brakes {
                kill_switch: None,
                dry_run: false,
                halts: Box::new(NoHalts),
            },
            now: || Timestamp::EPOCH,
            pulse: Pulse::default(),
            looked: None,
            tick: None,
            unsettled_since: None,
            changed: None,
        })
    }

    /// Returns the policies that are to be in effect from now on, when they have changed.
    pub(super) fn take_changed(&mut self) -> Option<Policies> {
        self.changed.take()
    }

    fn metrics(&self) -> MutexGuard<'_, Metrics> {
        // Whoever panicked while holding them left counts that are as good as any.
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in that the look under way has ended.
    pub(super) fn end_look(&mut self) {
        if let Some(under) = self.tick.take() {
            self.metrics().ticked(under.began.elapsed(), under.at);
            under.span.end();
            systemd::alive();
        }
    }

    /// Says whether the clock was set back since the latest look: what is due by it would be long in coming.
    fn clock_was_set_back(&self) -> bool {
        let now = (self.now)();
        now != Timestamp::EPOCH && self.looked.is_some_and(|looked| now + SET_BACK < looked)
    }

    /// Waits inside, and says so to those that watch.
    fn wait(&mut self, at: Timestamp) -> Option<Timestamp>
    where
        W: World,
    {
        let wait = at.max(Timestamp::EPOCH).since((self.now)()).as_seconds();
        self.pulse
            .waits(Duration::try_from_secs_f64(wait.max(0.0)).unwrap_or(Duration::MAX));
        let now = self.inside.wait_until(at);
        self.pulse.works();
        now
    }

    /// Reads the policies again; they are in effect when the run begins anew.
    pub(super) fn reload(&mut self) {
        systemd::reloading();
        let Reading { policies, faults } = self.folder.read();
        let now = (self.now)();
        let written = Arc::new(self.folder.written());
        let reload = self.board.write(|standing| {
            standing.written = written;
            standing.health.reload.done(now, &faults);
            standing.health.reload.clone()
        });
        log::faults(&faults);
        log::reloaded(policies.as_ref(), &reload);
        self.changed = policies.or(self.changed.take());
        let told = serde_json::to_string(&reload).expect("a reload is made of numbers and text");
        self.board.tell("reload", &told);
        systemd::ready("steers");
    }

    /// Returns the halt that a kill-switch file is, and tells the board of it.
    fn kill_switch(&self) -> Option<Halt> {
        let path = self.brakes.kill_switch.as_ref()?;
        let name = path.display();
        let why = match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => Some(format!("the kill switch {name} is there")),
            Ok(text) => {
                let text: String = text.trim().chars().take(WHY_CHARS_MAX).collect();
                Some(format!("the kill switch {name} is there: {text}"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            // What cannot be read is there: nothing is ordered on a doubt.
            Err(error) => Some(format!("the kill switch {name} cannot be read: {error}")),
        };
        let before = self
            .board
            .write(|standing| std::mem::replace(&mut standing.health.kill_switch, why.clone()));
        log::kill_switch(before.as_deref(), why.as_deref());
        why.map(|why| Halt {
            scope: HaltScope::All,
            until: None,
            why,
            by: Some("kill switch".to_owned()),
        })
    }

    /// Tells each pool what halts it.
    fn tell_halts(&mut self, now: Timestamp, into: &mut Observation) {
        let killed = self.kill_switch();
        if let Err(error) = self.brakes.halts.refresh(now) {
            log::halts_unread(&error);
        }
        for view in into.pools_mut() {
            let kept = self.brakes.halts.of(&view.state.id);
            let all = killed.iter().chain(&kept).chain(view.halt.as_ref());
            view.halt = Halt::together(all, now);
        }
    }

    /// Says why an order is kept back at the last moment.
    fn kept_back(&self) -> Option<Receipt>
    where
        L: Keeps,
    {
        if self.brakes.dry_run || self.kill_switch().is_some() {
            return Some(Receipt::Withheld);
        }
        (!self.ledger.still_leads()).then_some(Receipt::Withheld)
    }
}

impl<W: World, L: Keeps> World for Steered<W, L> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.end_look();
        // A run that begins anew writes down all that is remembered, at its first look: it is not asked to begin anew before that.
        if self.looked.is_some() && self.ledger.wants_checkpoint() {
            self.looked = None;
            self.control.look();
        }
        if self.clock_was_set_back() {
            log::clock_set_back();
            self.looked = None;
            self.control.look();
        }
        loop {
            let asked = self.control.asked();
            if asked.reload {
                self.control.reloading();
                self.reload();
            }
            if (Asked {
                reload: false,
                ..asked
            }) != Asked::default()
                || self.changed.is_some()
            {
                return None;
            }
            match self.wait(at) {
                Some(now) => {
                    self.looked = Some(now);
                    self.tick = Some(Under {
                        began: Instant::now(),
                        at: now,
                        span: Tick::begin(),
                    });
                    return Some(now);
                }
                None if self.control.asked() != Asked::default() => {}
                None if self.control.was_cut_for_nothing() => {}
                None => return None,
            }
        }
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let inside = &mut self.inside;
        let span = traces::look(question.pools.len());
        let looked = catch_unwind(AssertUnwindSafe(|| inside.observe(question, into)));
        let looked = looked.unwrap_or_else(|_| {
            into.clear();
            Err(ObserveError {
                message: "a mistake in lowtide ended the look; the log says where".to_owned(),
                retry: true,
            })
        });
        drop(span);
        self.tell_halts(question.now, into);
        if let Some(under) = &mut self.tick {
            under.span.decide();
        }
        looked
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.record_all(std::slice::from_ref(entry))
    }

    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        self.unsettled_since = None;
        let lines: Vec<String> = entries.iter().map(line).collect();
        let ledger = &mut self.ledger;
        if let Some(under) = &mut self.tick {
            under.span.decided();
        }
        let span = traces::record(kind(first), lines.len()).entered();
        let kept = catch_unwind(AssertUnwindSafe(|| ledger.keep_all(&lines))).unwrap_or_else(|_| {
            Err(RecordError {
                message: "a mistake in lowtide kept the ledger from taking a line; the log says where"
                    .to_owned(),
            })
        });
        if let Ok(Some(number)) = &kept {
            span.record("decision", number);
        }
        drop(span);
        let fault = kept.as_ref().err().map(|error| error.message.clone());
        let before = self
            .board
            .write(|standing| std::mem::replace(&mut standing.health.ledger_fault, fault));
        log::ledger(before.as_deref(), kept.as_ref().err());
        let number = kept?;
        self.inside.record_all(entries)?;
        for ((entry, text), behind) in entries.iter().zip(&lines).zip(0..) {
            let number = number.map(|first| first + behind);
            self.board.take(entry, text, number);
            self.metrics().take(entry);
            log::entry(entry, number);
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if let Some(receipt) = self.kept_back() {
            return receipt;
        }
        let began = Instant::now();
        self.unsettled_since.get_or_insert(began);
        let inside = &mut self.inside;
        let _span = traces::act(order);
        let receipt = catch_unwind(AssertUnwindSafe(|| inside.act(order))).unwrap_or_else(|_| {
            Receipt::Refused(Refusal {
                kind: RefusalKind::Unreachable,
                message: "a mistake in lowtide ended the order; the log says where".to_owned(),
            })
        });
        self.metrics().applied(began.elapsed());
        receipt
    }

    fn keeps_receipts(&mut self, waiting: usize) -> bool {
        let is_late = |since: Instant| since.elapsed() >= SETTLES_AFTER;
        waiting >= SETTLES_AT || self.unsettled_since.is_some_and(is_late)
    }
}
