//! Statements: what may be assigned, and of which type.

use super::{BAD_OPTION, Checker, READ_ONLY, TARGET_TYPE, fails};
use crate::account::NodeDeallocationOption;
use crate::base::{Diagnostic, Lane, did_you_mean};
use crate::formula::Lean;
use crate::formula::ast::{Expr, ExprKind, Name, Statement};
use crate::formula::builtin::{INTERVALS, ServiceVariable, Type};
use crate::formula::checked::{CheckedStatement, Kind, Node, Target, Variable, VariableIndex};

impl Checker<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> CheckedStatement {
        let value = self.value(&statement.value);
        let span = statement.span.clone();
        let Some(name) = &statement.target else {
            let target_span = span.start..span.start;
            return CheckedStatement {
                span,
                target: Target::Nothing,
                target_span,
                value,
            };
        };
        let (target, value) = match self.service_variable(&name.text, &name.span) {
            Some(ServiceVariable::Target { lane, alias }) => self.assign_nodes(name, lane, alias, value),
            Some(ServiceVariable::Option) => (Target::Option, self.option(name, &statement.value, value)),
            Some(ServiceVariable::Counter(_) | ServiceVariable::Sampled(_)) => (
                Target::Nothing,
                self.read_only(name, value, "the service sets it; pick a name of your own"),
            ),
            None if is_constant(&name.text) => (
                Target::Nothing,
                self.read_only(name, value, "it is a constant of the language"),
            ),
            None => (Target::Variable(self.define(&name.text, value.ty)), value),
        };
        CheckedStatement {
            span,
            target,
            target_span: name.span.clone(),
            value,
        }
    }

    fn read_only(&mut self, name: &Name, value: Node, help: &str) -> Node {
        let message = format!("`{}` cannot be assigned", name.text);
        self.fault(Diagnostic::error(READ_ONLY, name.span.clone(), message).help(help));
        fails(
            name.span.start,
            &format!("Read-only variable: {}", name.text),
            vec![value],
        )
    }

    fn assign_nodes(&mut self, name: &Name, lane: Lane, alias: bool, value: Node) -> (Target, Node) {
        let value = match value.ty {
            Type::Double | Type::Either | Type::Never => value,
            Type::DoubleVec => self.single(value, name.span.start),
            ty => {
                let message = format!("`{}` takes a double, not a {}", name.text, ty.word());
                let fault = Diagnostic::error(TARGET_TYPE, value.span.clone(), message);
                self.fault(fault.help("a target is a number of nodes"));
                let text = format!("Wrong type of value: {} is a double", name.text);
                fails(name.span.start, &text, vec![value])
            }
        };
        (Target::Nodes { lane, alias }, value)
    }

    fn option(&mut self, name: &Name, written: &Expr, value: Node) -> Node {
        let words = NodeDeallocationOption::ALL.map(NodeDeallocationOption::word);
        match (&value.kind, value.ty) {
            (_, Type::Never) => value,
            (Kind::Text(text), _) if text.parse::<NodeDeallocationOption>().is_err() => {
                let meant = did_you_mean(text, words).map_or_else(
                    || format!("write one of {}", words.join(", ")),
                    |meant| format!("did you mean {meant}?"),
                );
                let message = format!("`{text}` is no deallocation option");
                self.fault(Diagnostic::error(BAD_OPTION, value.span.clone(), message).help(meant));
                fails(
                    name.span.start,
                    &format!("Invalid node deallocation option: {text}"),
                    vec![value],
                )
            }
            (Kind::Text(_), _) if matches!(written.ungrouped().kind, ExprKind::Name(_)) => value,
            (_, Type::Text | Type::Either) => {
                let span = value.span.clone();
                self.leaning(Lean::QuotedOption, span, name.span.start, value)
            }
            (_, ty) => {
                let message = format!("`{}` takes a deallocation option, not a {}", name.text, ty.word());
                let fault = Diagnostic::error(TARGET_TYPE, value.span.clone(), message);
                self.fault(fault.help(format!("write one of {}", words.join(", "))));
                fails(
                    name.span.start,
                    &format!("Wrong type of value: {}", name.text),
                    vec![value],
                )
            }
        }
    }

    /// Gives a name its variable; a new type is a new variable.
    fn define(&mut self, name: &str, ty: Type) -> VariableIndex {
        let known = self.names.iter().position(|(known, _)| &**known == name);
        let same = self
            .variables
            .iter()
            .position(|variable| &*variable.name == name && variable.ty == ty);
        let index = same.map_or_else(
            || {
                let slot = self.variables.iter().filter(|variable| variable.ty == ty).count();
                self.variables.push(Variable {
                    name: name.into(),
                    ty,
                    slot,
                });
                VariableIndex(self.variables.len() - 1)
            },
            VariableIndex,
        );
        match known {
            Some(at) => self.names[at].1 = index,
            None => self.names.push((self.variables[index.0].name.clone(), index)),
        }
        index
    }
}

fn is_constant(name: &str) -> bool {
    INTERVALS.iter().any(|(known, _)| *known == name) || name.parse::<NodeDeallocationOption>().is_ok()
}
