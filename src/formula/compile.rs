//! Typed tree → closures, one kind for each type, so that numbers never pass through a tagged value.
//!
//! A variable has one type at each place, because statements run from top to bottom; only an expression whose arms differ
//! in type ([`Type::Either`]) is computed as a [`Value`].
//!
//! Closures give plain values. What ends a run is kept in the [`Run`] and asked for once a statement: see there.

mod dynamic;
mod extreme;
mod number;
mod reduce;
mod sample;
mod times;
mod vector;

use std::sync::Arc;

use super::ast::Place;
use super::builtin::Type;
use super::checked::{Checked, CheckedStatement, Kind, Node, Target};
use super::run::{Blank, Halt, Run, Slot, target_slot};
use super::{Lean, Scope, Value};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Span, Timestamp};

pub(super) use dynamic::{read_variable, write_variable};
pub(super) use number::number_slot;
use sample::Windows;

/// Gives a value; once the run has halted, a blank that nobody keeps.
type Closure<T> = Box<dyn for<'r> Fn(&mut Run<'r>) -> T + Send + Sync>;
/// Gives a number.
type Number = Box<dyn Compute>;
/// Appends the elements of a vector to a buffer.
type Vector = Box<dyn for<'r> Fn(&mut Run<'r>, &mut Vec<f64>) + Send + Sync>;
type Instant = Closure<Timestamp>;
type Interval = Closure<Span>;
type Text = Closure<Arc<str>>;
type Dynamic = Closure<Value>;
/// Evaluates for the effect.
type Effect = Closure<()>;

/// A closure that gives a number, and what can be made of it without a call around a call.
pub(super) trait Compute: Send + Sync {
    /// Gives the number.
    fn get(&self, run: &mut Run<'_>) -> f64;

    /// Whether the number stands for true.
    fn holds(&self, run: &mut Run<'_>) -> bool;

    /// Makes a statement of it that stores the number.
    fn stored(self: Box<Self>, slot: Slot) -> Step;

    /// Makes a statement of it that sets a target of the pool.
    fn targeted(self: Box<Self>, target: NodesTarget) -> Step;
}

impl<F: for<'r> Fn(&mut Run<'r>) -> f64 + Send + Sync + 'static> Compute for F {
    fn get(&self, run: &mut Run<'_>) -> f64 {
        self(run)
    }

    fn holds(&self, run: &mut Run<'_>) -> bool {
        self(run) != 0.0
    }

    fn stored(self: Box<Self>, slot: Slot) -> Step {
        let compute = *self;
        Box::new(move |run| {
            let number = compute(run);
            if !run.goes_on() {
                return false;
            }
            run.numbers[slot] = number;
            true
        })
    }

    fn targeted(self: Box<Self>, target: NodesTarget) -> Step {
        let compute = *self;
        Box::new(move |run| {
            let nodes = compute(run);
            target.set(nodes, run)
        })
    }
}

/// A statement; returns whether the run goes on. What fails sets nothing.
pub(super) type Step = Box<dyn for<'r> Fn(&mut Run<'r>) -> bool + Send + Sync>;

/// A target of the pool.
pub(super) struct NodesTarget {
    lane: Lane,
    /// Where the target reads from under the name that is set.
    slot: Slot,
    /// Where it reads from under its other name: the same place once that name is set too.
    other: Slot,
    strict: bool,
    at: usize,
    span: Place,
}

impl NodesTarget {
    #[inline]
    fn set(&self, nodes: f64, run: &mut Run<'_>) -> bool {
        if !(nodes > -1.0 && nodes < f64::INFINITY) {
            self.judge(nodes, run);
        }
        if !run.goes_on() {
            return false;
        }
        run.numbers[self.slot] = nodes;
        run.numbers[self.other] = nodes;
        true
    }

    /// Looks at a target that is not a finite number, or below zero.
    #[cold]
    #[inline(never)]
    fn judge(&self, nodes: f64, run: &mut Run<'_>) {
        let name = match self.lane {
            Lane::Dedicated => "$TargetDedicatedNodes",
            Lane::Spot => "$TargetLowPriorityNodes",
        };
        if !nodes.is_finite() {
            run.fail::<()>(self.at, format!("{name} is not a finite number"));
        } else if self.strict {
            run.fail::<()>(self.at, format!("{name} is negative"));
        } else {
            run.lean(Lean::NegativeTarget, &self.span);
        }
    }
}

/// Makes a statement of what is done for its effect.
fn step(effect: impl for<'r> Fn(&mut Run<'r>) + Send + Sync + 'static) -> Step {
    Box::new(move |run| {
        effect(run);
        run.goes_on()
    })
}

/// Compiles every statement.
pub(super) fn compile(checked: &Checked, scope: &Scope) -> Vec<Step> {
    let compiler = Compiler {
        checked,
        scope,
        windows: Windows::default(),
    };
    (0..checked.statements.len())
        .map(|index| compiler.statement(index))
        .collect()
}

struct Compiler<'a> {
    checked: &'a Checked,
    scope: &'a Scope,
    windows: Windows,
}

impl Compiler<'_> {
    fn statement(&self, index: usize) -> Step {
        let statement = &self.checked.statements[index];
        let value = &statement.value;
        match &statement.target {
            _ if value.ty == Type::Never => step(self.effect(value)),
            Target::Nothing => self.bare(value),
            Target::Variable(index) => self.store(self.checked.variables[index.0].slot, value),
            Target::Nodes { lane, alias } => {
                let target = self.nodes(index, *lane, *alias);
                self.number(value).targeted(target)
            }
            Target::Option => self.store_option(statement),
        }
    }

    /// Statements run from top to bottom, so that it is known here which names of a target are set by then.
    fn nodes(&self, index: usize, lane: Lane, alias: bool) -> NodesTarget {
        let statement = &self.checked.statements[index];
        let other = Target::Nodes { lane, alias: !alias };
        let mut before = self.checked.statements[..index].iter();
        let other_is_set = before.any(|statement| statement.target == other);
        NodesTarget {
            lane,
            slot: target_slot(lane, alias),
            other: target_slot(lane, alias == other_is_set),
            strict: self.scope.dialect == super::Dialect::Strict,
            at: statement.target_span.start,
            span: statement.value.span.clone(),
        }
    }

    /// Evaluates an expression that sets nothing, and tells its value to the trace.
    fn bare(&self, value: &Node) -> Step {
        let compute = self.dynamic(value);
        step(move |run| {
            let value = compute(run);
            if let Some(trace) = &mut run.trace {
                trace.value = Some(value);
            }
        })
    }

    fn store_option(&self, statement: &CheckedStatement) -> Step {
        let at = statement.target_span.start;
        if let Kind::Text(word) = &statement.value.kind {
            let option = word
                .parse::<NodeDeallocationOption>()
                .expect("the checker lets only options through");
            return step(move |run| run.memory.option = Some(option));
        }
        let compute = self.dynamic(&statement.value);
        step(move |run| {
            let value = compute(run);
            match value.to_string().parse() {
                Ok(option) if run.goes_on() => run.memory.option = Some(option),
                Ok(_) => {}
                Err(()) => run.fail(at, format!("Invalid node deallocation option: {value}")),
            }
        })
    }

    fn store(&self, slot: usize, value: &Node) -> Step {
        macro_rules! into {
            ($compute:expr, $field:ident) => {{
                let compute = $compute;
                step(move |run| {
                    let value = compute(run);
                    if run.goes_on() {
                        run.memory.$field[slot] = value;
                    }
                })
            }};
        }
        match value.ty {
            Type::Double => self.number(value).stored(number_slot(slot)),
            Type::Timestamp => into!(self.instant(value), instants),
            Type::TimeInterval => into!(self.interval(value), intervals),
            Type::Text => into!(self.text(value), texts),
            Type::Either => into!(self.dynamic(value), either),
            Type::DoubleVec => {
                let compute = self.vector(value);
                step(move |run| {
                    let mut buffer = run.take_scratch();
                    compute(run, &mut buffer);
                    if run.goes_on() {
                        std::mem::swap(&mut run.memory.vectors[slot], &mut buffer);
                    }
                    run.give_scratch(buffer);
                })
            }
            Type::DataSet | Type::Never => unreachable!("a {} is not stored", value.ty.word()),
        }
    }

    /// Evaluates for its effect only: to fail, to stop, to draw a random number.
    fn effect(&self, node: &Node) -> Effect {
        match node.ty {
            Type::Double => {
                let compute = self.number(node);
                Box::new(move |run| {
                    compute.get(run);
                })
            }
            Type::Never => self.never(node),
            _ => {
                let compute = self.dynamic(node);
                Box::new(move |run| drop(compute(run)))
            }
        }
    }

    /// Compiles a node that cannot give a value: its parts in order, then the fault.
    fn never(&self, node: &Node) -> Effect {
        match &node.kind {
            Kind::Stop => Box::new(|run| run.halt(Halt::Stop)),
            Kind::Variable(_) => Box::new(|run| run.fail(0, "no value")),
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.effect(then), self.effect(otherwise))
            }
            kind => {
                let parts: Vec<Effect> = node
                    .children()
                    .into_iter()
                    .map(|child| self.effect(child))
                    .collect();
                let (at, message) = match kind {
                    Kind::Fails(at, message, _) => (*at, message.clone()),
                    _ => (node.span.start, Arc::from("no value")),
                };
                Box::new(move |run| {
                    for part in &parts {
                        part(run);
                    }
                    run.fail::<()>(at, &*message);
                })
            }
        }
    }

    /// Wraps a node without value as if it had one of any type.
    fn fails<T: Blank>(&self, node: &Node) -> impl for<'r> Fn(&mut Run<'r>) -> T + Send + Sync + use<T> {
        let step = self.never(node);
        move |run: &mut Run<'_>| {
            step(run);
            run.fail(0, "no value")
        }
    }

    fn text(&self, node: &Node) -> Text {
        match &node.kind {
            // Before its parts: an arm of a node that only fails need not be a string.
            _ if node.ty == Type::Never => Box::new(self.fails(node)),
            Kind::Text(text) => {
                let text = text.clone();
                Box::new(move |_| text.clone())
            }
            Kind::Option => Box::new(|run| {
                let option = run.memory.option.unwrap_or(run.inputs.pool.option);
                option.word().into()
            }),
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| run.memory.texts[slot].clone())
            }
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.text(then), self.text(otherwise))
            }
            kind => unreachable!("{kind:?} is not a string"),
        }
    }

    /// `test ? then : otherwise` for any type of closure.
    fn either_arm<T: 'static>(&self, test: &Node, then: Closure<T>, otherwise: Closure<T>) -> Closure<T> {
        let test = self.test(test);
        Box::new(move |run| {
            if test.holds(run) {
                then(run)
            } else {
                otherwise(run)
            }
        })
    }
}
