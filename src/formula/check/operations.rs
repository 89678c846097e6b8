//! Operators and conditionals: which types they take and give.
//!
//! Source: "Operations" of the automatic scaling guide; what it does not list is in [`Lean`] or an error.

use super::{Checker, OPERAND_TYPES, TEST_TYPE, fails, node};
use crate::base::Diagnostic;
use crate::formula::ast::{BinaryOp, Expr, Place, UnaryOp};
use crate::formula::builtin::Type;
use crate::formula::checked::{Kind, Node};
use crate::formula::{Dialect, Lean};

impl Checker<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Place) -> Node {
        let operand = self.value(operand);
        let at = span.start;
        let (operand, ty) = match (op, operand.ty) {
            (UnaryOp::Negate, ty @ (Type::Double | Type::TimeInterval | Type::Either)) => (operand, ty),
            (UnaryOp::Not, Type::Double | Type::Either) => (operand, Type::Double),
            (_, Type::DoubleVec) => (self.single(operand, at), Type::Double),
            (_, Type::Never) => return fails(at, "no value", vec![operand]),
            (_, ty) => {
                let message = format!("`{}` does not apply to a {}", op.symbol(), ty.word());
                self.fault(Diagnostic::error(OPERAND_TYPES, at..at + 1, message).help("it takes a double"));
                let text = format!("Operator {} cannot be applied to {}", op.symbol(), ty.word());
                return fails(at, &text, vec![operand]);
            }
        };
        node(span, ty, Kind::Unary(op, at, Box::new(operand)))
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        at: &Place,
        left: &Expr,
        right: &Expr,
        span: Place,
    ) -> Node {
        let (left, right) = (self.value(left), self.value(right));
        if left.ty == Type::Never || right.ty == Type::Never {
            return self.binary_with_never(op, at, left, right, span);
        }
        let wants_numbers = op.is_comparison() || op.is_logical();
        let (left, right) = if wants_numbers {
            self.both_single(left, right, at.start)
        } else {
            (left, right)
        };
        let Some((ty, lean)) = result_type(op, left.ty, right.ty) else {
            return self.wrong_operands(op, at, left, right);
        };
        let made = node(
            span,
            ty,
            Kind::Binary(op, at.start, Box::new(left), Box::new(right)),
        );
        match lean {
            Some(lean) => self.leaning(lean, at.clone(), at.start, made),
            None => made,
        }
    }

    /// One side fails; in `0 && stop()` and the like the other side may still decide.
    fn binary_with_never(&mut self, op: BinaryOp, at: &Place, left: Node, right: Node, span: Place) -> Node {
        let make = |left, right| Kind::Binary(op, at.start, Box::new(left), Box::new(right));
        if !op.is_logical() {
            return node(span, Type::Never, make(left, right));
        }
        let (left, right) = self.both_single(left, right, at.start);
        let decides = |side: &Node| matches!(side.ty, Type::Double | Type::Either | Type::Never);
        if decides(&left) && decides(&right) {
            node(span, Type::Double, make(left, right))
        } else {
            self.wrong_operands(op, at, left, right)
        }
    }

    /// Takes the numbers out of vectors where only numbers can be meant.
    fn both_single(&mut self, left: Node, right: Node, at: usize) -> (Node, Node) {
        let left = if left.ty == Type::DoubleVec {
            self.single(left, at)
        } else {
            left
        };
        let right = if right.ty == Type::DoubleVec {
            self.single(right, at)
        } else {
            right
        };
        (left, right)
    }

    /// A vector where a number is needed: one element converts, anything else fails when evaluated.
    pub(super) fn single(&mut self, vector: Node, at: usize) -> Node {
        let span = vector.span.clone();
        self.lean(Lean::SingleElement, span.clone());
        if self.is(Dialect::Strict) {
            return fails(at, "A doubleVec was given where a double is needed", vec![vector]);
        }
        node(span, Type::Double, Kind::Single(at, Box::new(vector)))
    }

    fn wrong_operands(&mut self, op: BinaryOp, at: &Place, left: Node, right: Node) -> Node {
        let (one, other) = (left.ty.word(), right.ty.word());
        let message = format!("`{}` does not apply to a {one} and a {other}", op.symbol());
        let help = match (op, left.ty, right.ty) {
            (BinaryOp::Add | BinaryOp::Subtract, Type::Timestamp, Type::Double)
            | (_, Type::TimeInterval, Type::Double) => "give the number a unit: 5 * TimeInterval_Minute",
            (BinaryOp::Divide, Type::TimeInterval, Type::TimeInterval) => {
                "intervals cannot be divided by intervals; compare them, or count in one unit from the start"
            }
            _ if left.ty == right.ty => "there is no such operation",
            _ => "bring both sides to one type",
        };
        self.fault(
            Diagnostic::error(OPERAND_TYPES, at.clone(), message)
                .label(left.span.clone(), format!("a {one}"))
                .label(right.span.clone(), format!("a {other}"))
                .help(help),
        );
        let text = format!("Operator {} cannot be applied to {one} and {other}", op.symbol());
        fails(at.start, &text, vec![left, right])
    }

    pub(super) fn conditional(
        &mut self,
        at: &Place,
        test: &Expr,
        then: &Expr,
        otherwise: &Expr,
        span: Place,
    ) -> Node {
        let test = self.value(test);
        let test = match test.ty {
            Type::Double | Type::Either | Type::Never => test,
            Type::DoubleVec => self.single(test, at.start),
            ty => {
                let message = format!("the test of `?` is a {}, not a double", ty.word());
                let fault = Diagnostic::error(TEST_TYPE, test.span.clone(), message);
                self.fault(fault.help("compare it with something"));
                let text = format!("Operator ? cannot be applied to {}", ty.word());
                fails(at.start, &text, vec![test])
            }
        };
        let (then, otherwise) = (self.value(then), self.value(otherwise));
        let ty = match (then.ty, otherwise.ty) {
            _ if test.ty == Type::Never => Type::Never,
            (one, other) if one == other => one,
            (Type::Never, ty) | (ty, Type::Never) => ty,
            _ => Type::Either,
        };
        node(
            span,
            ty,
            Kind::Conditional(Box::new(test), Box::new(then), Box::new(otherwise)),
        )
    }
}

/// The table of operations; `None` is a type error.
fn result_type(op: BinaryOp, left: Type, right: Type) -> Option<(Type, Option<Lean>)> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    use Type::{Double, DoubleVec, Either, Text, TimeInterval, Timestamp};
    if op.is_logical() {
        let number = |ty| matches!(ty, Double | Either);
        return (number(left) && number(right)).then_some((Double, None));
    }
    if op.is_comparison() {
        let comparable = left == right && matches!(left, Double | Text | Timestamp | TimeInterval);
        return (comparable || left == Either || right == Either).then_some((Double, None));
    }
    Some(match (left, op, right) {
        (Either, ..) | (.., Either) => (Either, None),
        (Double, _, Double) => (Double, None),
        (DoubleVec, _, Double | DoubleVec) => (DoubleVec, None),
        (Double, _, DoubleVec) => (DoubleVec, Some(Lean::DoubleThenVector)),
        (Double, Multiply, TimeInterval)
        | (TimeInterval, Multiply | Divide, Double)
        | (TimeInterval, Add | Subtract, TimeInterval)
        | (Timestamp, Subtract, Timestamp) => (TimeInterval, None),
        (TimeInterval, Add, Timestamp) | (Timestamp, Add, TimeInterval) => (Timestamp, None),
        (Timestamp, Subtract, TimeInterval) => (Timestamp, Some(Lean::TimestampMinusInterval)),
        _ => return None,
    })
}
