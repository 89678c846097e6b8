//! Tree → typed tree: names resolved, overloads chosen, and every fault of names and types collected.
//!
//! The service finds these faults when it evaluates, one at a time. Here they become diagnostics at once and
//! [`Kind::Fails`] nodes in the tree, so that evaluation still fails where and how the service does.

mod calls;
mod operations;
mod samples;
mod statements;

use std::sync::Arc;

use super::ast::{Ast, Expr, ExprKind, Name, Place};
use super::builtin::{FUNCTIONS, INTERVALS, MEMBERS, Member, SERVICE_VARIABLES, ServiceVariable, Type};
use super::checked::{Checked, Kind, Node, Variable, VariableIndex};
use super::{Dialect, Lean, Scope};
use crate::account::NodeDeallocationOption;
use crate::base::{Code, Diagnostic, did_you_mean};
use crate::signal::Metric;

pub(super) const UNDEFINED: Code = Code("F101");
pub(super) const UNKNOWN_FUNCTION: Code = Code("F102");
pub(super) const UNKNOWN_MEMBER: Code = Code("F103");
pub(super) const ARGUMENT_COUNT: Code = Code("F104");
pub(super) const ARGUMENT_TYPE: Code = Code("F105");
pub(super) const OPERAND_TYPES: Code = Code("F106");
pub(super) const READ_ONLY: Code = Code("F107");
pub(super) const TARGET_TYPE: Code = Code("F108");
pub(super) const DATA_SET_VALUE: Code = Code("F109");
pub(super) const TEST_TYPE: Code = Code("F111");
pub(super) const BAD_OPTION: Code = Code("F112");
pub(super) const BAD_TIME: Code = Code("F113");

/// Types a formula; the diagnostics are sorted by place.
pub(super) fn check(ast: &Ast, scope: &Scope, leans: Vec<(Lean, Place)>) -> (Checked, Vec<Diagnostic>) {
    let mut checker = Checker {
        scope,
        variables: Vec::new(),
        names: Vec::new(),
        diagnostics: Vec::new(),
    };
    for (lean, span) in leans {
        checker.lean(lean, span);
    }
    let statements = ast
        .statements
        .iter()
        .map(|statement| checker.statement(statement))
        .collect();
    let mut diagnostics = checker.diagnostics;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.code));
    (
        Checked {
            statements,
            variables: checker.variables,
        },
        diagnostics,
    )
}

struct Checker<'a> {
    scope: &'a Scope,
    variables: Vec<Variable>,
    /// The names that have been assigned so far, each with its latest variable.
    names: Vec<(Arc<str>, VariableIndex)>,
    diagnostics: Vec<Diagnostic>,
}

/// What stands before a `.`, or a value on its own.
enum Operand {
    Value(Node),
    DataSet(Metric, Place, String),
}

impl Checker<'_> {
    fn is(&self, dialect: Dialect) -> bool {
        self.scope.dialect == dialect
    }

    /// Reports undocumented behaviour: an error in the strict dialect.
    fn lean(&mut self, lean: Lean, span: Place) {
        let mut diagnostic = Diagnostic::warning(lean.code(), span, lean.message()).help(lean.help());
        // The names of these two are documented; only what stands behind them is not, and they evaluate.
        let named = matches!(lean, Lean::VectorOnlyFunction | Lean::YearLength);
        if self.is(Dialect::Strict) && !named {
            diagnostic.severity = crate::base::Severity::Error;
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reports undocumented behaviour around a node, which fails in the strict dialect.
    fn leaning(&mut self, lean: Lean, span: Place, at: usize, node: Node) -> Node {
        self.lean(lean, span);
        if self.is(Dialect::Strict) {
            fails(at, lean.message(), vec![node])
        } else {
            node
        }
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Types an expression that must have a value.
    fn value(&mut self, expr: &Expr) -> Node {
        match self.operand(expr) {
            Operand::Value(node) => node,
            Operand::DataSet(metric, span, name) => self.data_set_as_value(metric, span, &name),
        }
    }

    fn data_set_as_value(&mut self, metric: Metric, span: Place, name: &str) -> Node {
        if self.is(Dialect::Lenient) {
            self.lean(Lean::MetricAsNumber, span.clone());
            return samples::latest_one(metric, span);
        }
        let message = format!("`{name}` is a data set and has no value of its own");
        self.fault(
            Diagnostic::error(DATA_SET_VALUE, span.clone(), message)
                .help(format!(
                    "say which samples: max(0, {name}.GetSample(1)), or avg of a window"
                ))
                .fix(span.clone(), format!("max(0, {name}.GetSample(1))")),
        );
        fails(
            span.start,
            &format!("Data set used as a value: {name}"),
            Vec::new(),
        )
    }

    fn operand(&mut self, expr: &Expr) -> Operand {
        let span = expr.span.clone();
        Operand::Value(match &expr.kind {
            ExprKind::Group(inner) => return self.operand(inner),
            ExprKind::Name(name) => return self.name(name, span),
            ExprKind::Number(number) => node(span, Type::Double, Kind::Number(*number)),
            ExprKind::Text(text) => node(span, Type::Text, Kind::Text(text.as_str().into())),
            ExprKind::Call(call) => self.call(call, span),
            ExprKind::Method(object, call) => self.method(object, call, span),
            ExprKind::Member(object, name) => self.member(object, name, span),
            ExprKind::Unary(op, inner) => self.unary(*op, inner, span),
            ExprKind::Binary(op, at, left, right) => self.binary(*op, at, left, right, span),
            ExprKind::Conditional(at, test, then, otherwise) => {
                self.conditional(at, test, then, otherwise, span)
            }
        })
    }

    fn name(&mut self, name: &str, span: Place) -> Operand {
        if let Some((_, index)) = self.names.iter().find(|(known, _)| &**known == name) {
            let ty = self.variables[index.0].ty;
            return Operand::Value(node(span, ty, Kind::Variable(*index)));
        }
        if let Some(variable) = self.service_variable(name, &span) {
            return match variable {
                ServiceVariable::Sampled(metric) => Operand::DataSet(metric, span, name.to_owned()),
                ServiceVariable::Counter(metric) => {
                    Operand::Value(node(span, Type::Double, Kind::Counter(metric)))
                }
                ServiceVariable::Option => Operand::Value(node(span, Type::Text, Kind::Option)),
                ServiceVariable::Target { lane, alias } => {
                    Operand::Value(node(span, Type::Double, Kind::Nodes { lane, alias }))
                }
            };
        }
        if let Some((_, interval)) = INTERVALS.iter().find(|(known, _)| *known == name) {
            if name == "TimeInterval_Year" {
                self.lean(Lean::YearLength, span.clone());
            }
            return Operand::Value(node(span, Type::TimeInterval, Kind::Interval(*interval)));
        }
        if name.parse::<NodeDeallocationOption>().is_ok() {
            return Operand::Value(node(span, Type::Text, Kind::Text(name.into())));
        }
        Operand::Value(self.undefined(name, span))
    }

    /// Looks a service variable up; the lenient dialect forgives a lost `$` and other case.
    fn service_variable(&mut self, name: &str, span: &Place) -> Option<ServiceVariable> {
        if let Some(variable) = ServiceVariable::named(name) {
            return Some(variable);
        }
        if !self.is(Dialect::Lenient) {
            return None;
        }
        let bare = name.trim_start_matches('$');
        let (_, variable, _) = SERVICE_VARIABLES
            .iter()
            .find(|(known, ..)| known[1..].eq_ignore_ascii_case(bare))?;
        self.lean(Lean::Lexical, span.clone());
        Some(*variable)
    }

    fn undefined(&mut self, name: &str, span: Place) -> Node {
        let mut fault = Diagnostic::error(UNDEFINED, span.clone(), format!("`{name}` is not defined"));
        let mut known: Vec<&str> = self.names.iter().map(|(known, _)| &**known).collect();
        known.extend(SERVICE_VARIABLES.iter().map(|(known, ..)| *known));
        known.extend(INTERVALS.iter().map(|(known, _)| *known));
        known.extend(NodeDeallocationOption::ALL.map(NodeDeallocationOption::word));
        let meant = did_you_mean(name, known);
        fault = match meant {
            Some(meant) => fault
                .help(format!("did you mean `{meant}`?"))
                .fix(span.clone(), meant),
            None if FUNCTIONS.iter().any(|row| row.name == name) => fault.help(format!("call it: {name}(…)")),
            None => fault.help("assign it in an earlier statement"),
        };
        self.fault(fault);
        fails(span.start, &format!("Undefined symbol: {name}"), Vec::new())
    }

    fn member(&mut self, object: &Expr, name: &Name, span: Place) -> Node {
        let object = match self.operand(object) {
            Operand::Value(object) => object,
            Operand::DataSet(_, _, set) => {
                let names = super::builtin::METHODS.iter().map(|row| row.name);
                let help = match did_you_mean(&name.text, names) {
                    Some(meant) => format!("did you mean `{set}.{meant}(…)`?"),
                    None => format!(
                        "a data set has GetSample, GetSamplePercent, GetSamplePeriod, Count and HistoryBeginTime: {set}.Count()"
                    ),
                };
                let message = format!("a data set has no member `{}`", name.text);
                self.fault(Diagnostic::error(UNKNOWN_MEMBER, name.span.clone(), message).help(help));
                return fails(
                    name.span.start,
                    &format!("Undefined symbol: {}", name.text),
                    Vec::new(),
                );
            }
        };
        if object.ty == Type::Never {
            return fails(name.span.start, "no value", vec![object]);
        }
        let known = Member::named(&name.text).filter(|_| object.ty == Type::Timestamp);
        if let Some(member) = known {
            return node(span, Type::Double, Kind::Member(Box::new(object), member));
        }
        let message = format!("a {} has no member `{}`", object.ty.word(), name.text);
        let help = match did_you_mean(&name.text, MEMBERS.iter().map(|(known, ..)| *known)) {
            _ if object.ty != Type::Timestamp => "only timestamps have members: time().hour".to_owned(),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "a timestamp has year, month, day, weekday, hour, minute and second".to_owned(),
        };
        self.fault(Diagnostic::error(UNKNOWN_MEMBER, name.span.clone(), message).help(help));
        fails(
            name.span.start,
            &format!("Undefined symbol: {}", name.text),
            vec![object],
        )
    }
}

fn node(span: Place, ty: Type, kind: Kind) -> Node {
    Node { span, ty, kind }
}

/// A node that evaluates `first` and then fails at `at`.
fn fails(at: usize, message: &str, first: Vec<Node>) -> Node {
    let span = first.first().map_or(at..at, |node| node.span.clone());
    node(span, Type::Never, Kind::Fails(at, message.into(), first))
}
