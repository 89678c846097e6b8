//! One evaluation under way: what it sees, what it has assigned, and how it may end.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::ast::Place;
use super::outcome::TracedStatement;
use super::{FaultCode, Inputs, Lean, PoolFacts, SampleRead, Value};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Span, Timestamp};
use crate::signal::{History, Metric, Series};

/// The variables and buffers of a formula, reused from run to run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) numbers: Vec<f64>,
    pub(super) vectors: Vec<Vec<f64>>,
    pub(super) instants: Vec<Timestamp>,
    pub(super) intervals: Vec<Span>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) either: Vec<Value>,
    /// Assigned targets by lane: under the full name, under the alias.
    pub(super) nodes: [[Option<f64>; 2]; 2],
    pub(super) option: Option<NodeDeallocationOption>,
    /// How many statements ran to their end.
    pub(super) done: usize,
    pub(super) scratch: Vec<Vec<f64>>,
}

/// One evaluation.
pub(super) struct Run<'a> {
    pub(super) now: Timestamp,
    pub(super) pool: PoolFacts,
    pub(super) history: &'a History,
    pub(super) memory: &'a mut Memory,
    pub(super) trace: Option<&'a mut TracedStatement>,
    seed: u64,
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
    pub(super) fn new(inputs: &Inputs<'a>, memory: &'a mut Memory) -> Self {
        let Inputs {
            now,
            pool,
            history,
            seed,
        } = *inputs;
        Self {
            now,
            pool,
            history,
            memory,
            trace: None,
            seed,
            chance: None,
            elements_left: ELEMENTS_MAX,
        }
    }

    /// Takes a run up again that was suspended between two statements.
    pub(super) fn resumed(inputs: &Inputs<'a>, memory: &'a mut Memory, state: Option<Suspended>) -> Self {
        let mut run = Self::new(inputs, memory);
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

    /// Returns what the run must remember between two statements.
    pub(super) fn suspend(self) -> Suspended {
        Suspended {
            chance: self.chance,
            elements_left: self.elements_left,
        }
    }

    /// Notes that the run leans on undocumented behaviour.
    #[inline]
    pub(super) fn lean(&mut self, lean: Lean, span: &Place) {
        if let Some(trace) = &mut self.trace {
            trace.leans.push((lean, span.clone()));
        }
    }

    /// Notes which samples were read.
    #[inline]
    pub(super) fn read(&mut self, read: impl FnOnce() -> SampleRead) {
        if let Some(trace) = &mut self.trace {
            trace.reads.push(read());
        }
    }

    #[inline]
    pub(super) fn series(&self, metric: Metric) -> Option<&'a Series> {
        self.history.get(metric)
    }

    /// Returns the next random number of this run, from 0 up to 1.
    pub(super) fn random(&mut self) -> f64 {
        let seed = self.seed;
        self.chance
            .get_or_insert_with(|| Pcg64Mcg::seed_from_u64(seed))
            .random()
    }

    /// Returns what a target reads as: its own assignment, that of its other name, or the pool's target.
    pub(super) fn nodes(&self, lane: Lane, alias: bool) -> f64 {
        let [full, short] = self.memory.nodes[lane as usize];
        let (own, other) = if alias { (short, full) } else { (full, short) };
        own.or(other)
            .unwrap_or_else(|| self.pool.target.get(lane).as_f64())
    }

    pub(super) fn counter(&self, metric: Metric) -> f64 {
        match metric {
            Metric::CurrentDedicatedNodes => self.pool.current.dedicated.as_f64(),
            Metric::CurrentLowPriorityNodes => self.pool.current.spot.as_f64(),
            Metric::TaskSlotsPerNode => f64::from(self.pool.task_slots_per_node),
            Metric::UsableNodeCount => self.pool.usable.as_f64(),
            other => unreachable!("{other} does not read as a number"),
        }
    }

    /// Counts the vector elements that an operation is about to touch.
    #[inline]
    pub(super) fn spend(&mut self, elements: usize) -> Result<(), Halt> {
        match self.elements_left.checked_sub(elements) {
            Some(left) => {
                self.elements_left = left;
                Ok(())
            }
            None => fault(
                0,
                format!("The formula touches more than {ELEMENTS_MAX} vector elements"),
            ),
        }
    }

    pub(super) fn take_scratch(&mut self) -> Vec<f64> {
        self.memory.scratch.pop().unwrap_or_default()
    }

    pub(super) fn give_scratch(&mut self, mut buffer: Vec<f64>) {
        buffer.clear();
        self.memory.scratch.push(buffer);
    }
}

/// Ends the run with an evaluation error.
pub(super) fn fault<T>(offset: usize, message: impl Into<String>) -> Result<T, Halt> {
    Err(Halt::Fault(Box::new(RawFault {
        code: FaultCode::EvaluationError,
        offset,
        message: message.into(),
    })))
}
