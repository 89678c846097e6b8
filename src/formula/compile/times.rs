//! Instants and intervals.

use super::{Closure, Compiler, Instant, Interval};
use crate::base::{Span, Timestamp};
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::{Function, Method, Type};
use crate::formula::checked::{Kind, Node, Sample};
use crate::formula::datetime::parse_time;
use crate::signal::Series;

impl Compiler<'_> {
    pub(super) fn instant(&self, node: &Node) -> Instant {
        match &node.kind {
            _ if node.ty == Type::Never => Box::new(self.fails(node)),
            Kind::Now => Box::new(|run| run.inputs.now),
            Kind::Instant(at) => constant(*at),
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| run.memory.instants[slot])
            }
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.instant(then), self.instant(otherwise))
            }
            Kind::Call {
                function: Function::Time,
                open,
                arguments,
            } => {
                let (text, open, dialect) = (self.text(&arguments[0]), *open, self.scope.dialect);
                Box::new(move |run| {
                    let text = text(run);
                    if text.is_empty() {
                        return run.inputs.now;
                    }
                    parse_time(&text, dialect)
                        .unwrap_or_else(|_| run.fail(open, format!("Invalid time: {text}")))
                })
            }
            Kind::Sample(Sample {
                metric,
                method: Method::HistoryBeginTime,
                ..
            }) => {
                let metric = *metric;
                // A history without samples begins now.
                Box::new(move |run| {
                    run.series(metric)
                        .and_then(Series::oldest)
                        .unwrap_or(run.inputs.now)
                })
            }
            Kind::Binary(op, _, left, right) if left.ty == Type::TimeInterval => {
                assert_eq!(
                    *op,
                    BinaryOp::Add,
                    "the checker lets only interval + timestamp through"
                );
                let (left, right) = (self.interval(left), self.instant(right));
                Box::new(move |run| {
                    let span = left(run);
                    right(run) + span
                })
            }
            Kind::Binary(op, _, left, right) => {
                let (left, right, back) = (
                    self.instant(left),
                    self.interval(right),
                    *op == BinaryOp::Subtract,
                );
                Box::new(move |run| {
                    let at = left(run);
                    let span = right(run);
                    if back { at - span } else { at + span }
                })
            }
            kind => unreachable!("{kind:?} is not a timestamp"),
        }
    }

    pub(super) fn interval(&self, node: &Node) -> Interval {
        match constant_interval(node) {
            Some(span) => constant(span),
            None => self.computed_interval(node),
        }
    }

    fn computed_interval(&self, node: &Node) -> Interval {
        match &node.kind {
            _ if node.ty == Type::Never => Box::new(self.fails(node)),
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| run.memory.intervals[slot])
            }
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.interval(then), self.interval(otherwise))
            }
            Kind::Sample(Sample { metric, .. }) => {
                let metric = *metric;
                Box::new(move |run| run.series(metric).map_or(Span::SAMPLE_PERIOD, Series::period))
            }
            Kind::Unary(UnaryOp::Negate, _, inner) => {
                let inner = self.interval(inner);
                Box::new(move |run| -inner(run))
            }
            Kind::Binary(op, _, left, right) => self.interval_operation(*op, left, right),
            kind => unreachable!("{kind:?} is not a timeinterval"),
        }
    }

    fn interval_operation(&self, op: BinaryOp, left: &Node, right: &Node) -> Interval {
        match (left.ty, right.ty) {
            (Type::Timestamp, _) => {
                let (left, right) = (self.instant(left), self.instant(right));
                Box::new(move |run| left(run) - right(run))
            }
            (Type::Double, _) => {
                let (left, right) = (self.number(left), self.interval(right));
                Box::new(move |run| {
                    let factor = left.get(run);
                    scale(BinaryOp::Multiply, right(run), factor)
                })
            }
            (_, Type::Double) => {
                let (left, right) = (self.interval(left), self.number(right));
                Box::new(move |run| {
                    let span = left(run);
                    scale(op, span, right.get(run))
                })
            }
            _ => {
                let (left, right) = (self.interval(left), self.interval(right));
                Box::new(move |run| {
                    let (left, right) = (left(run), right(run));
                    if op == BinaryOp::Subtract {
                        left - right
                    } else {
                        left + right
                    }
                })
            }
        }
    }
}

fn constant<T: Copy + Send + Sync + 'static>(value: T) -> Closure<T> {
    Box::new(move |_| value)
}

/// An interval times or divided by a number; division by zero saturates, as all interval arithmetic does.
pub(super) fn scale(op: BinaryOp, span: Span, factor: f64) -> Span {
    span.scale(if op == BinaryOp::Divide {
        1.0 / factor
    } else {
        factor
    })
}

/// Folds what is known without a run: `TimeInterval_Minute * 15`.
pub(super) fn constant_interval(node: &Node) -> Option<Span> {
    match &node.kind {
        Kind::Interval(span) => Some(*span),
        Kind::Unary(UnaryOp::Negate, _, inner) => constant_interval(inner).map(|span| -span),
        Kind::Binary(op, _, left, right) => match (&left.kind, &right.kind) {
            (Kind::Number(factor), _) if right.ty == Type::TimeInterval => {
                constant_interval(right).map(|span| scale(BinaryOp::Multiply, span, *factor))
            }
            (_, Kind::Number(factor)) if left.ty == Type::TimeInterval => {
                constant_interval(left).map(|span| scale(*op, span, *factor))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The place of an instant on the line of ages: how long before now it was.
pub(super) fn age(now: Timestamp, at: Timestamp) -> Span {
    now - at
}
