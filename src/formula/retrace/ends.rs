//! Where a statement can end a run, and whether what it computes rests on what is not known.

use std::sync::Arc;

use crate::base::Lane;
use crate::formula::Scope;
use crate::formula::ast::BinaryOp;
use crate::formula::builtin::{Function, Method, Type};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::formula::range::facts::Facts;
use crate::formula::range::interval::{Interval, Truth};
use crate::signal::Metric;

/// What is not known between two statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Unknown {
    /// The variables, by their index.
    pub(super) variables: Vec<bool>,
    /// The targets as they read, dedicated first.
    pub(super) targets: [bool; 2],
    /// The node deallocation option.
    pub(super) option: bool,
}

/// What certainly ends a run.
pub(super) enum End {
    /// `stop()`.
    Stop,
    /// A fault: where, and what the service would say.
    Fault(usize, Arc<str>),
}

/// A place where a run can end with a fault.
#[derive(Debug)]
pub(super) struct Peril {
    /// The byte that the service would name.
    pub(super) offset: usize,
    pub(super) kind: PerilKind,
}

#[derive(Debug)]
pub(super) enum PerilKind {
    /// A window that may hold too few samples.
    Samples { metric: Metric, wanted: Interval },
    /// A wrong name or type: what the service would say.
    Says(Arc<str>),
    /// An operation that fails on some values.
    Values,
}

/// A typed expression with what was learnt of it.
pub(super) struct Ends<'a> {
    pub(super) facts: &'a Facts,
    pub(super) scope: &'a Scope,
}

impl Ends<'_> {
    fn truth(&self, test: &Node) -> Truth {
        self.facts.value(test).numbers().truth()
    }

    /// Returns the parts that may be evaluated, in order, and whether each is evaluated whenever those before it give values.
    fn parts<'n>(&self, node: &'n Node) -> Vec<(&'n Node, bool)> {
        match &node.kind {
            Kind::Conditional(test, then, otherwise) => {
                let truth = self.truth(test);
                let mut parts: Vec<(&Node, bool)> = vec![(test, true)];
                parts.extend(truth.yes.then_some((&**then, !truth.no)));
                parts.extend(truth.no.then_some((&**otherwise, !truth.yes)));
                parts
            }
            Kind::Binary(operator, _, left, right) if operator.is_logical() => {
                let truth = self.truth(left);
                let (goes_on, ends) = match operator {
                    BinaryOp::And => (truth.yes, truth.no),
                    _ => (truth.no, truth.yes),
                };
                let mut parts: Vec<(&Node, bool)> = vec![(left, true)];
                parts.extend(goes_on.then_some((&**right, !ends)));
                parts
            }
            _ => node.children().into_iter().map(|child| (child, true)).collect(),
        }
    }

    /// Returns what ends the run here whatever the samples are.
    pub(super) fn certain(&self, node: &Node) -> Option<End> {
        let parts = self.parts(node);
        let mut surely = parts.into_iter().filter(|(_, surely)| *surely);
        surely
            .find_map(|(part, _)| self.certain(part))
            .or_else(|| match &node.kind {
                Kind::Stop => Some(End::Stop),
                Kind::Fails(offset, message, _) => Some(End::Fault(*offset, message.clone())),
                _ => None,
            })
    }

    /// Says whether the value rests on samples, on counts of nodes, on chance or on anything else of this.
    pub(super) fn rests_on(&self, unknown: &Unknown, node: &Node) -> bool {
        let itself = match &node.kind {
            Kind::Variable(variable) => unknown.variables[variable.0],
            Kind::Nodes { lane, .. } => unknown.targets[usize::from(*lane == Lane::Spot)],
            Kind::Option => unknown.option,
            Kind::Counter(_) | Kind::Sample(_) => true,
            Kind::Call { function, .. } => *function == Function::Rand,
            _ => false,
        };
        itself
            || self
                .parts(node)
                .into_iter()
                .any(|(part, _)| self.rests_on(unknown, part))
    }

    /// Gathers the places where the run can end with a fault, in the order of evaluation.
    pub(super) fn perils(&self, node: &Node, perils: &mut Vec<Peril>) {
        for (part, _) in self.parts(node) {
            self.perils(part, perils);
        }
        let mut add = |offset: usize, kind: PerilKind| perils.push(Peril { offset, kind });
        let is_vector = |node: &Node| matches!(node.ty, Type::DoubleVec | Type::Either);
        match &node.kind {
            Kind::Fails(offset, message, _) => add(*offset, PerilKind::Says(message.clone())),
            Kind::Sample(sample) if sample.method == Method::GetSample => {
                if let Some(wanted) = self.wanted(sample) {
                    let metric = sample.metric;
                    add(sample.open, PerilKind::Samples { metric, wanted });
                }
            }
            Kind::Single(offset, _) => add(*offset, PerilKind::Values),
            Kind::Call { open, .. } => add(*open, PerilKind::Values),
            Kind::Binary(_, offset, left, right) if is_vector(left) || is_vector(right) => {
                add(*offset, PerilKind::Values);
            }
            _ => {}
        }
    }

    /// Returns the share of samples that a window must hold, in percent.
    fn wanted(&self, sample: &Sample) -> Option<Interval> {
        match &sample.selection {
            Some(Selection::Window { percent, .. }) => Some(match percent {
                Some(percent) => self.facts.value(percent).numbers(),
                None => Interval::point(self.scope.default_sample_percent),
            }),
            _ => None,
        }
    }
}
