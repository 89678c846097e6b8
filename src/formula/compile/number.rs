//! Numbers: constants, variables, operators, comparisons, members and single numbers out of vectors.

use super::{Compiler, Number};
use crate::base::Timestamp;
use crate::formula::Lean;
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::{Member, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::run::{Run, Slot, target_slot};

/// Compiles `$body` once for each comparison, so that none is chosen when it is evaluated.
macro_rules! by_comparison {
    ($op:expr, |$holds:ident| $body:expr) => {
        by_comparison!($op, $holds, $body, Less <, LessOrEqual <=, Greater >, GreaterOrEqual >=, Equal ==, NotEqual !=)
    };
    ($op:expr, $holds:ident, $body:expr, $($variant:ident $symbol:tt),*) => {
        match $op {
            $(BinaryOp::$variant => {
                let $holds = |left: f64, right: f64| left $symbol right;
                $body
            })*
            other => unreachable!("{} does not compare", other.symbol()),
        }
    };
}

/// A number that may be at hand without a call: most operands are constants and variables.
pub(in crate::formula) enum Operand {
    Constant(f64),
    /// A variable, or a target of the pool.
    Variable(Slot),
    Computed(Number),
}

/// A condition; a variable beside a constant, the usual one, costs no call.
pub(super) enum Test {
    Compare(BinaryOp, Slot, f64),
    Computed(Number),
}

impl Test {
    #[inline]
    pub(super) fn holds(&self, run: &mut Run<'_>) -> bool {
        match self {
            Self::Compare(op, slot, constant) => compare(*op, &run.numbers[*slot], constant) != 0.0,
            Self::Computed(number) => number.holds(run),
        }
    }
}

impl Operand {
    #[inline]
    pub(super) fn get(&self, run: &mut Run<'_>) -> f64 {
        match self {
            Self::Constant(number) => *number,
            Self::Variable(slot) => run.numbers[*slot],
            Self::Computed(number) => number.get(run),
        }
    }

    #[inline]
    fn holds(&self, run: &mut Run<'_>) -> bool {
        match self {
            Self::Computed(number) => number.holds(run),
            at_hand => at_hand.get(run) != 0.0,
        }
    }

    /// Compiles a function of this number.
    pub(super) fn then(self, apply: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Number {
        match self {
            Self::Constant(number) => computed(move |_| apply(number)),
            Self::Variable(slot) => computed(move |run| apply(run.numbers[slot])),
            Self::Computed(number) => computed(move |run| apply(number.get(run))),
        }
    }
}

/// `test ? then : otherwise`.
fn chosen<T>(test: T, then: Operand, otherwise: Operand) -> Number
where
    T: for<'r> Fn(&mut Run<'r>) -> bool + Send + Sync + 'static,
{
    computed(move |run| {
        if test(run) {
            then.get(run)
        } else {
            otherwise.get(run)
        }
    })
}

/// Makes a number of a closure.
pub(super) fn computed<F>(compute: F) -> Number
where
    F: for<'r> Fn(&mut Run<'r>) -> f64 + Send + Sync + 'static,
{
    Box::new(compute)
}

/// Compiles an operation; with the usual operands it costs no choice and no call when it is evaluated.
pub(super) fn operation<F>(left: Operand, right: Operand, apply: F) -> Number
where
    F: Fn(f64, f64) -> f64 + Send + Sync + 'static,
{
    use Operand::{Computed, Constant, Variable};
    match (left, right) {
        (Variable(left), Constant(right)) => computed(move |run| apply(run.numbers[left], right)),
        (Variable(left), Variable(right)) => {
            computed(move |run| apply(run.numbers[left], run.numbers[right]))
        }
        (Computed(left), Constant(right)) => computed(move |run| apply(left.get(run), right)),
        (Computed(left), Variable(right)) => computed(move |run| {
            let left = left.get(run);
            apply(left, run.numbers[right])
        }),
        (Constant(left), Computed(right)) => computed(move |run| apply(left, right.get(run))),
        (left, right) => computed(move |run| {
            let left = left.get(run);
            apply(left, right.get(run))
        }),
    }
}

/// Returns where a variable lives.
pub(in crate::formula) fn number_slot(slot: usize) -> Slot {
    Slot::try_from(slot).expect("a formula has at most 100 statements")
}

impl Compiler<'_> {
    /// Compiles a node where a number is needed, without a closure where it is at hand.
    pub(super) fn operand(&self, node: &Node) -> Operand {
        match (&node.kind, node.ty) {
            (Kind::Number(number), _) => Operand::Constant(*number),
            (Kind::Variable(index), Type::Double) => {
                Operand::Variable(number_slot(self.checked.variables[index.0].slot))
            }
            (Kind::Nodes { lane, alias }, _) => Operand::Variable(target_slot(*lane, *alias)),
            _ => Operand::Computed(self.number(node)),
        }
    }

    /// Compiles a node where a number is needed; one that may be of either type converts when evaluated.
    pub(super) fn number(&self, node: &Node) -> Number {
        if node.ty == Type::Either {
            return self.number_of_either(node);
        }
        if node.ty == Type::Never {
            return Box::new(self.fails(node));
        }
        match &node.kind {
            Kind::Number(number) => Operand::Constant(*number).then(|x| x),
            Kind::Variable(index) => {
                let slot = number_slot(self.checked.variables[index.0].slot);
                Operand::Variable(slot).then(|x| x)
            }
            Kind::Nodes { lane, alias } => Operand::Variable(target_slot(*lane, *alias)).then(|x| x),
            Kind::Counter(metric) => {
                let metric = *metric;
                computed(move |run| run.counter(metric))
            }
            Kind::Sample(sample) => self.sample_number(sample),
            Kind::Member(inner, member) => {
                let (inner, member) = (self.instant(inner), *member);
                computed(move |run| member_of(inner(run), member))
            }
            Kind::Call {
                function,
                open,
                arguments,
            } => self.call_number(*function, *open, arguments, &node.span),
            Kind::Unary(op, _, inner) => {
                let inner = self.operand(inner);
                match op {
                    UnaryOp::Negate => inner.then(|x| -x),
                    UnaryOp::Not => computed(move |run| truth(!inner.holds(run))),
                }
            }
            Kind::Binary(op, at, left, right) => self.binary_number(*op, *at, left, right, node),
            Kind::Conditional(test, then, otherwise) => {
                let (test, then, otherwise) = (self.test(test), self.operand(then), self.operand(otherwise));
                match test {
                    Test::Compare(op, slot, constant) => by_comparison!(op, |holds| {
                        chosen(move |run| holds(run.numbers[slot], constant), then, otherwise)
                    }),
                    Test::Computed(test) => chosen(move |run| test.holds(run), then, otherwise),
                }
            }
            Kind::Single(at, inner) => self.single(*at, inner),
            kind => unreachable!("{kind:?} is not a double"),
        }
    }

    pub(super) fn test(&self, node: &Node) -> Test {
        if let Kind::Binary(op, _, left, right) = &node.kind
            && op.is_comparison()
            && left.ty == Type::Double
            && let Kind::Number(constant) = &right.kind
            && let Kind::Variable(_) | Kind::Nodes { .. } = &left.kind
            && let Operand::Variable(slot) = self.operand(left)
        {
            return Test::Compare(*op, slot, *constant);
        }
        Test::Computed(self.number(node))
    }

    fn binary_number(&self, op: BinaryOp, at: usize, left: &Node, right: &Node, node: &Node) -> Number {
        if op.is_logical() {
            let (left, right) = (self.operand(left), self.operand(right));
            // Short circuit, as in C; no document says so.
            return if op == BinaryOp::And {
                computed(move |run| truth(left.holds(run) && right.holds(run)))
            } else {
                computed(move |run| truth(left.holds(run) || right.holds(run)))
            };
        }
        match (left.ty, right.ty) {
            (Type::Double, Type::Double) => self.arithmetic(op, left, right, node),
            (Type::Timestamp, Type::Timestamp) => compared(op, self.instant(left), self.instant(right)),
            (Type::TimeInterval, Type::TimeInterval) => {
                compared(op, self.interval(left), self.interval(right))
            }
            (Type::Text, Type::Text) => compared(op, self.text(left), self.text(right)),
            _ => {
                let value = self.dynamic_binary(op, at, left, right);
                computed(move |run| match value(run) {
                    crate::formula::Value::Double(number) => number,
                    other => run.fail(at, format!("{other} is not a double")),
                })
            }
        }
    }

    fn arithmetic(&self, op: BinaryOp, left: &Node, right: &Node, node: &Node) -> Number {
        let span = node.span.clone();
        let (left, right) = (self.operand(left), self.operand(right));
        match op {
            BinaryOp::Add => operation(left, right, |left: f64, right: f64| left + right),
            BinaryOp::Subtract => operation(left, right, |left: f64, right: f64| left - right),
            BinaryOp::Multiply => operation(left, right, |left: f64, right: f64| left * right),
            BinaryOp::Divide => computed(move |run| {
                let left = left.get(run);
                let quotient = left / right.get(run);
                if !quotient.is_finite() {
                    run.lean(Lean::NonFinite, &span);
                }
                quotient
            }),
            comparison => by_comparison!(comparison, |holds| operation(left, right, move |left, right| {
                truth(holds(left, right))
            })),
        }
    }

    fn single(&self, at: usize, inner: &Node) -> Number {
        let (span, vector) = (inner.span.clone(), self.vector(inner));
        computed(move |run| {
            let mut buffer = run.take_scratch();
            vector(run, &mut buffer);
            run.lean(Lean::SingleElement, &span);
            let only = match buffer.as_slice() {
                [only] => *only,
                many => run.fail(
                    at,
                    format!(
                        "A doubleVec of {} elements was given where a double is needed",
                        many.len()
                    ),
                ),
            };
            run.give_scratch(buffer);
            only
        })
    }
}

/// Returns the number that stands for true or false.
pub(super) fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Compares two values of one type.
#[inline]
pub(super) fn compare<T: PartialOrd>(op: BinaryOp, left: &T, right: &T) -> f64 {
    truth(match op {
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        _ => unreachable!("{} does not compare", op.symbol()),
    })
}

fn compared<T: PartialOrd + 'static>(
    op: BinaryOp,
    left: super::Closure<T>,
    right: super::Closure<T>,
) -> Number {
    computed(move |run| {
        let left = left(run);
        compare(op, &left, &right(run))
    })
}

/// Returns a member of a timestamp.
pub(super) fn member_of(at: Timestamp, member: Member) -> f64 {
    use chrono::{Datelike, Timelike};
    let utc = at.to_utc();
    f64::from(match member {
        Member::Year => return f64::from(utc.year()),
        Member::Month => utc.month(),
        Member::Day => utc.day(),
        Member::Weekday => utc.weekday().num_days_from_sunday(),
        Member::Hour => utc.hour(),
        Member::Minute => utc.minute(),
        Member::Second => utc.second(),
    })
}
