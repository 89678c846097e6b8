//! One evaluation under way: what it sees, what it has assigned, and how it may end.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::ast::Place;
use super::outcome::TracedStatement;
use super::{FaultCode, Inputs, Lean, PoolFacts, Value};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Span, Timestamp};
use crate::signal::{Metric, Series};

/// Where a number lives in [`Numbers`]. A byte cannot miss it, so that reading it needs no check.
pub(super) type Slot = u8;

/// One place for each value of a [`Slot`]; a formula has at most 100 statements and thus variables.
const NUMBERS: usize = 1 << Slot::BITS;

/// Where the targets of the pool live: after the variables, by lane under the full name and under the alias.
pub(super) const fn target_slot(lane: Lane, alias: bool) -> Slot {
    (NUMBERS - 4) as Slot + 2 * lane as Slot + alias as Slot
}

/// The number of a window whose bounds are constants.
pub(super) type WindowId = u32;

/// No window has this number.
const NO_WINDOW: WindowId = WindowId::MAX;

/// Samples, oldest first, and their sum where it is known without adding them up.
#[derive(Clone, Copy, Default)]
pub(super) struct Found<'a> {
    pub(super) values: &'a [f64],
    pub(super) sum: Option<f64>,
}

/// Variables that hold a number, and the four names of the targets as they read.
#[derive(Debug)]
pub(super) struct Numbers([f64; NUMBERS]);

impl Default for Numbers {
    fn default() -> Self {
        Self([0.0; NUMBERS])
    }
}

impl Numbers {
    /// Lets every target read as the pool has it.
    #[inline]
    pub(super) fn begin(&mut self, pool: &PoolFacts) {
        for lane in [Lane::Dedicated, Lane::Spot] {
            let nodes = pool.target.get(lane).as_f64();
            self[target_slot(lane, false)] = nodes;
            self[target_slot(lane, true)] = nodes;
        }
    }
}

impl Index<Slot> for Numbers {
    type Output = f64;

    #[inline]
    fn index(&self, slot: Slot) -> &f64 {
        &self.0[usize::from(slot)]
    }
}

impl IndexMut<Slot> for Numbers {
    #[inline]
    fn index_mut(&mut self, slot: Slot) -> &mut f64 {
        &mut self.0[usize::from(slot)]
    }
}

/// The variables and buffers of a formula that are not numbers, reused from run to run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) vectors: Vec<Vec<f64>>,
    pub(super) instants: Vec<Timestamp>,
    pub(super) intervals: Vec<Span>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) either: Vec<Value>,
    pub(super) option: Option<NodeDeallocationOption>,
    /// How many statements ran to their end.
    pub(super) done: usize,
    pub(super) scratch: Vec<Vec<f64>>,
}

/// One evaluation.
///
/// Values are passed as they are, in registers, and not as results: what ends the run is kept here instead. The
/// statement under way then goes on with blanks to its end, which nobody sees: it notes nothing and stores nothing.
pub(super) struct Run<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) numbers: &'a mut Numbers,
    pub(super) memory: &'a mut Memory,
    pub(super) trace: Option<&'a mut TracedStatement>,
    /// The window that was looked at last, because most formulas ask twice: for its share of samples, and for them.
    pub(super) window: (WindowId, Found<'a>),
    /// Why the run goes no further, once it does not.
    halt: Option<Halt>,
    chance: Option<Pcg64Mcg>,
    /// How many vector elements this run may still touch.
    elements_left: usize,
}

/// A run touches at most so many vector elements (a tenth of a second of work, 128 MiB at worst), because
/// `v = vec(v, v, v);` a hundred times over would not end in a lifetime.
const ELEMENTS_MAX: usize = 1 << 24;

/// What a run remembers between two statements, beside its memory.
pub(super) struct Suspended {
    chance: Option<Pcg64Mcg>,
    elements_left: usize,
}

/// Why an evaluation goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// `stop()`.
    Stop,
    /// A fault, boxed because it is rare and large.
    Fault(Box<RawFault>),
}

/// A fault whose offset has not been turned into line and column yet.
#[derive(Debug, PartialEq)]
pub(super) struct RawFault {
    pub(super) code: FaultCode,
    pub(super) offset: usize,
    pub(super) message: String,
}

impl<'a> Run<'a> {
    #[inline]
    pub(super) fn new(inputs: &'a Inputs<'a>, numbers: &'a mut Numbers, memory: &'a mut Memory) -> Self {
        Self {
            inputs,
            numbers,
            memory,
            trace: None,
            window: (NO_WINDOW, Found::default()),
            halt: None,
            chance: None,
            elements_left: ELEMENTS_MAX,
        }
    }

    /// Takes a run up again that was suspended between two statements.
    pub(super) fn resumed(
        inputs: &'a Inputs<'a>,
        numbers: &'a mut Numbers,
        memory: &'a mut Memory,
        state: Option<Suspended>,
    ) -> Self {
        let mut run = Self::new(inputs, numbers, memory);
        if let Some(Suspended {
            chance,
            elements_left,
        }) = state
        {
            run.chance = chance;
            run.elements_left = elements_left;
        }
        run
    }

    /// Returns what the run must remember between two statements, and why it goes no further, if it does not.
    pub(super) fn suspend(self) -> (Suspended, Option<Halt>) {
        let state = Suspended {
            chance: self.chance,
            elements_left: self.elements_left,
        };
        (state, self.halt)
    }

    /// Returns whether nothing has ended the run.
    #[inline]
    pub(super) fn goes_on(&self) -> bool {
        self.halt.is_none()
    }

    /// Returns why the run goes no further, if it does not.
    #[inline]
    pub(super) fn end(self) -> Option<Halt> {
        self.halt
    }

    /// Ends the run; the first reason counts.
    #[cold]
    #[inline(never)]
    pub(super) fn halt<T: Blank>(&mut self, reason: Halt) -> T {
        self.halt.get_or_insert(reason);
        // Nothing more is noted, and no more elements are touched.
        self.trace = None;
        self.elements_left = 0;
        T::blank()
    }

    /// Ends the run with an evaluation error.
    #[cold]
    #[inline(never)]
    pub(super) fn fail<T: Blank>(&mut self, offset: usize, message: impl Into<String>) -> T {
        self.halt(evaluation_error(offset, message.into()))
    }

    /// Takes a value, or ends the run where there is none.
    #[inline]
    pub(super) fn settle<T: Blank>(&mut self, value: Result<T, Halt>) -> T {
        match value {
            Ok(value) => value,
            Err(reason) => self.halt(reason),
        }
    }

    /// Notes that the run leans on undocumented behaviour.
    #[inline]
    pub(super) fn lean(&mut self, lean: Lean, span: &Place) {
        if let Some(trace) = &mut self.trace {
            trace.leans.push((lean, span.clone()));
        }
    }

    #[inline]
    pub(super) fn series(&self, metric: Metric) -> Option<&'a Series> {
        self.inputs.history.get(metric)
    }

    /// Returns the next random number of this run, from 0 up to 1.
    pub(super) fn random(&mut self) -> f64 {
        let seed = self.inputs.seed;
        self.chance
            .get_or_insert_with(|| Pcg64Mcg::seed_from_u64(seed))
            .random()
    }

    pub(super) fn counter(&self, metric: Metric) -> f64 {
        let pool = &self.inputs.pool;
        match metric {
            Metric::CurrentDedicatedNodes => pool.current.dedicated.as_f64(),
            Metric::CurrentLowPriorityNodes => pool.current.spot.as_f64(),
            Metric::TaskSlotsPerNode => f64::from(pool.task_slots_per_node),
            Metric::UsableNodeCount => pool.usable.as_f64(),
            other => unreachable!("{other} does not read as a number"),
        }
    }

    /// Counts the vector elements that an operation is about to touch; `false` forbids it.
    #[inline]
    pub(super) fn spend(&mut self, elements: usize) -> bool {
        match self.elements_left.checked_sub(elements) {
            Some(left) => {
                self.elements_left = left;
                true
            }
            None => self.overspent(),
        }
    }

    #[cold]
    #[inline(never)]
    fn overspent(&mut self) -> bool {
        self.fail(
            0,
            format!("The formula touches more than {ELEMENTS_MAX} vector elements"),
        )
    }

    pub(super) fn take_scratch(&mut self) -> Vec<f64> {
        self.memory.scratch.pop().unwrap_or_default()
    }

    pub(super) fn give_scratch(&mut self, mut buffer: Vec<f64>) {
        buffer.clear();
        self.memory.scratch.push(buffer);
    }
}

/// Gives an evaluation error in the place of a value.
pub(super) fn fault<T>(offset: usize, message: impl Into<String>) -> Result<T, Halt> {
    Err(evaluation_error(offset, message.into()))
}

fn evaluation_error(offset: usize, message: String) -> Halt {
    Halt::Fault(Box::new(RawFault {
        code: FaultCode::EvaluationError,
        offset,
        message,
    }))
}

/// What stands for a value that a halted run no longer computes.
pub(super) trait Blank {
    fn blank() -> Self;
}

macro_rules! blanks {
    ($($type:ty: $blank:expr;)*) => {
        $(impl Blank for $type {
            fn blank() -> Self {
                $blank
            }
        })*
    };
}

blanks! {
    (): ();
    bool: false;
    f64: 0.0;
    Timestamp: Timestamp::EPOCH;
    Span: Span::ZERO;
    Arc<str>: Arc::from("");
    Value: Value::Double(0.0);
    &[f64]: &[];
}
