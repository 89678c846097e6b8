//! Typed tree → closures, one kind for each type, so that numbers never pass through a tagged value.
//!
//! A variable has one type at each place, because statements run from top to bottom; only an expression whose arms differ
//! in type ([`Type::Either`]) is computed as a [`Value`].

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
use super::run::{Halt, Run, fault};
use super::{Lean, Scope, Value};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Span, Timestamp};

pub(super) use dynamic::read_variable;
use number::Operand;

type Closure<T> = Box<dyn for<'r> Fn(&mut Run<'r>) -> Result<T, Halt> + Send + Sync>;
/// Gives a number.
type Number = Closure<f64>;
/// Appends the elements of a vector to a buffer.
type Vector = Box<dyn for<'r> Fn(&mut Run<'r>, &mut Vec<f64>) -> Result<(), Halt> + Send + Sync>;
type Instant = Closure<Timestamp>;
type Interval = Closure<Span>;
type Text = Closure<Arc<str>>;
type Dynamic = Closure<Value>;
/// Evaluates for the effect.
type Effect = Closure<()>;

/// A statement; the usual two kinds need no closure of their own around their number.
pub(super) enum Step {
    /// Stores a number.
    Number {
        slot: usize,
        compute: Operand,
    },
    Nodes(NodesStep),
    Option(NodeDeallocationOption),
    Effect(Effect),
}

/// Sets a target of the pool.
pub(super) struct NodesStep {
    lane: Lane,
    alias: bool,
    compute: Operand,
    strict: bool,
    at: usize,
    span: Place,
}

impl Step {
    /// Runs the statement; what fails sets nothing.
    #[inline]
    pub(super) fn run(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        match self {
            Self::Number { slot, compute } => run.memory.numbers[*slot] = compute.get(run)?,
            Self::Nodes(step) => return step.run(run),
            Self::Option(option) => run.memory.option = Some(*option),
            Self::Effect(effect) => return effect(run),
        }
        Ok(())
    }
}

impl NodesStep {
    #[inline]
    fn run(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        let nodes = self.compute.get(run)?;
        if !(nodes > -1.0 && nodes < f64::INFINITY) {
            self.judge(nodes, run)?;
        }
        run.memory.nodes[self.lane as usize][usize::from(self.alias)] = Some(nodes);
        Ok(())
    }

    /// Looks at a target that is not a finite number, or below zero.
    #[cold]
    fn judge(&self, nodes: f64, run: &mut Run<'_>) -> Result<(), Halt> {
        let name = match self.lane {
            Lane::Dedicated => "$TargetDedicatedNodes",
            Lane::Spot => "$TargetLowPriorityNodes",
        };
        if !nodes.is_finite() {
            return fault(self.at, format!("{name} is not a finite number"));
        }
        if self.strict {
            return fault(self.at, format!("{name} is negative"));
        }
        run.lean(Lean::NegativeTarget, &self.span);
        Ok(())
    }
}

/// Compiles every statement.
pub(super) fn compile(checked: &Checked, scope: &Scope) -> Vec<Step> {
    let compiler = Compiler { checked, scope };
    checked
        .statements
        .iter()
        .map(|statement| compiler.statement(statement))
        .collect()
}

struct Compiler<'a> {
    checked: &'a Checked,
    scope: &'a Scope,
}

impl Compiler<'_> {
    fn statement(&self, statement: &CheckedStatement) -> Step {
        let value = &statement.value;
        match &statement.target {
            _ if value.ty == Type::Never => Step::Effect(self.effect(value)),
            Target::Nothing => Step::Effect(self.bare(value)),
            Target::Variable(index) => self.store(self.checked.variables[index.0].slot, value),
            Target::Nodes { lane, alias } => Step::Nodes(NodesStep {
                lane: *lane,
                alias: *alias,
                compute: self.operand(value),
                strict: self.scope.dialect == super::Dialect::Strict,
                at: statement.target_span.start,
                span: value.span.clone(),
            }),
            Target::Option => self.store_option(statement),
        }
    }

    /// Evaluates an expression that sets nothing, and tells its value to the trace.
    fn bare(&self, value: &Node) -> Effect {
        let compute = self.dynamic(value);
        Box::new(move |run| {
            let value = compute(run)?;
            if let Some(trace) = &mut run.trace {
                trace.value = Some(value);
            }
            Ok(())
        })
    }

    fn store_option(&self, statement: &CheckedStatement) -> Step {
        let at = statement.target_span.start;
        if let Kind::Text(word) = &statement.value.kind {
            let option = word
                .parse::<NodeDeallocationOption>()
                .expect("the checker lets only options through");
            return Step::Option(option);
        }
        let compute = self.dynamic(&statement.value);
        Step::Effect(Box::new(move |run| {
            let value = compute(run)?;
            let Ok(option) = value.to_string().parse() else {
                return fault(at, format!("Invalid node deallocation option: {value}"));
            };
            run.memory.option = Some(option);
            Ok(())
        }))
    }

    fn store(&self, slot: usize, value: &Node) -> Step {
        macro_rules! into {
            ($compute:expr, $field:ident) => {{
                let compute = $compute;
                Step::Effect(Box::new(move |run| {
                    run.memory.$field[slot] = compute(run)?;
                    Ok(())
                }))
            }};
        }
        match value.ty {
            Type::Double => Step::Number {
                slot,
                compute: self.operand(value),
            },
            Type::Timestamp => into!(self.instant(value), instants),
            Type::TimeInterval => into!(self.interval(value), intervals),
            Type::Text => into!(self.text(value), texts),
            Type::Either => into!(self.dynamic(value), either),
            Type::DoubleVec => {
                let compute = self.vector(value);
                Step::Effect(Box::new(move |run| {
                    let mut buffer = run.take_scratch();
                    let outcome = compute(run, &mut buffer);
                    if outcome.is_ok() {
                        std::mem::swap(&mut run.memory.vectors[slot], &mut buffer);
                    }
                    run.give_scratch(buffer);
                    outcome
                }))
            }
            Type::DataSet | Type::Never => unreachable!("a {} is not stored", value.ty.word()),
        }
    }

    /// Evaluates for its effect only: to fail, to stop, to draw a random number.
    fn effect(&self, node: &Node) -> Effect {
        macro_rules! only {
            ($compute:expr) => {{
                let compute = $compute;
                Box::new(move |run| compute(run).map(drop))
            }};
        }
        match node.ty {
            Type::Double => only!(self.number(node)),
            Type::Never => self.never(node),
            _ => only!(self.dynamic(node)),
        }
    }

    /// Compiles a node that cannot give a value: its parts in order, then the fault.
    fn never(&self, node: &Node) -> Effect {
        match &node.kind {
            Kind::Stop => Box::new(|_| Err(Halt::Stop)),
            Kind::Variable(_) => Box::new(|_| fault(0, "no value")),
            Kind::Conditional(test, then, otherwise) => {
                let (test, then, otherwise) = (self.number(test), self.effect(then), self.effect(otherwise));
                Box::new(move |run| {
                    if test(run)? == 0.0 {
                        otherwise(run)
                    } else {
                        then(run)
                    }
                })
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
                    parts.iter().try_for_each(|part| part(run))?;
                    fault(at, &*message)
                })
            }
        }
    }

    /// Wraps a node without value as if it had one of any type.
    fn fails<T: 'static>(&self, node: &Node) -> Closure<T> {
        let step = self.never(node);
        Box::new(move |run| step(run).and_then(|()| fault(0, "no value")))
    }

    fn text(&self, node: &Node) -> Text {
        match &node.kind {
            // Before its parts: an arm of a node that only fails need not be a string.
            _ if node.ty == Type::Never => self.fails(node),
            Kind::Text(text) => {
                let text = text.clone();
                Box::new(move |_| Ok(text.clone()))
            }
            Kind::Option => Box::new(|run| Ok(run.memory.option.unwrap_or(run.pool.option).word().into())),
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| Ok(run.memory.texts[slot].clone()))
            }
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.text(then), self.text(otherwise))
            }
            kind => unreachable!("{kind:?} is not a string"),
        }
    }

    /// `test ? then : otherwise` for any type of closure.
    fn either_arm<T: 'static>(&self, test: &Node, then: Closure<T>, otherwise: Closure<T>) -> Closure<T> {
        let test = self.number(test);
        Box::new(move |run| {
            if test(run)? == 0.0 {
                otherwise(run)
            } else {
                then(run)
            }
        })
    }
}
