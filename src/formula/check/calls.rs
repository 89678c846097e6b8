//! Function calls: arity and argument types by the function's row.

use super::{ARGUMENT_COUNT, ARGUMENT_TYPE, BAD_TIME, Checker, UNKNOWN_FUNCTION, fails, node};
use crate::base::{Diagnostic, did_you_mean};
use crate::formula::Lean;
use crate::formula::ast::{Call, Place};
use crate::formula::builtin::{FUNCTIONS, Function, FunctionRow, METHODS, Parameters, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::datetime::parse_time;

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Place) -> Node {
        let Some(function) = Function::named(&call.name.text) else {
            return self.unknown_function(call);
        };
        let row = function.row();
        let mut arguments: Vec<Node> = call
            .arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect();
        if let Some(wanted) = wrong_count(row.parameters, arguments.len()) {
            return self.wrong_count(call, row.name, row.signature, wanted, arguments);
        }
        if arguments.iter().any(|argument| argument.ty == Type::Never) {
            return fails(call.open, "no value", arguments);
        }
        if let Some(wrong) = arguments
            .iter()
            .enumerate()
            .position(|(index, node)| !takes(row.parameters, index, node.ty))
        {
            return self.wrong_argument(call, row, wrong, arguments);
        }
        if row.parameters == Parameters::VectorAndNumber && arguments[1].ty == Type::DoubleVec {
            let second = arguments.pop().expect("there are two");
            arguments.push(self.single(second, call.open));
        }
        match function {
            Function::Stop => node(span, Type::Never, Kind::Stop),
            Function::Time => self.time(call.open, arguments, span),
            _ => self.called(function, call, arguments, span),
        }
    }

    fn called(&mut self, function: Function, call: &Call, arguments: Vec<Node>, span: Place) -> Node {
        let lean = match function {
            Function::Vec => Some(Lean::VectorOnlyFunction),
            Function::Percentile => Some(Lean::PercentileMethod),
            _ => None,
        };
        let ty = match (function, arguments.as_slice()) {
            (Function::Vec, _) => Type::DoubleVec,
            _ if function.row().parameters != Parameters::Elementwise => Type::Double,
            (_, [only]) => only.ty,
            _ => Type::DoubleVec,
        };
        let made = node(
            span,
            ty,
            Kind::Call {
                function,
                open: call.open,
                arguments,
            },
        );
        match lean {
            Some(Lean::VectorOnlyFunction) => {
                self.lean(Lean::VectorOnlyFunction, call.name.span.clone());
                made
            }
            // Which element it takes is open; that it may be called is not.
            Some(lean) => {
                let diagnostic = Diagnostic::warning(lean.code(), call.name.span.clone(), lean.message());
                self.fault(diagnostic.help(lean.help()));
                made
            }
            None => made,
        }
    }

    fn time(&mut self, open: usize, arguments: Vec<Node>, span: Place) -> Node {
        let Some(text) = arguments.first() else {
            return node(span, Type::Timestamp, Kind::Now);
        };
        let Kind::Text(literal) = &text.kind else {
            let place = text.span.clone();
            let made = node(
                span,
                Type::Timestamp,
                Kind::Call {
                    function: Function::Time,
                    open,
                    arguments,
                },
            );
            return self.leaning(Lean::ComputedTime, place, open, made);
        };
        if literal.is_empty() {
            return node(span, Type::Timestamp, Kind::Now);
        }
        match parse_time(literal, self.scope.dialect) {
            Ok(at) => node(span, Type::Timestamp, Kind::Instant(at)),
            Err(message) => {
                let (what, help) = message
                    .split_once("; ")
                    .unwrap_or((&message, "write an ISO date"));
                self.fault(Diagnostic::error(BAD_TIME, text.span.clone(), what).help(help));
                fails(open, &format!("Invalid time: {literal}"), Vec::new())
            }
        }
    }

    fn unknown_function(&mut self, call: &Call) -> Node {
        let name = &call.name.text;
        let arguments: Vec<Node> = call
            .arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect();
        let help = if METHODS.iter().any(|row| row.name == name) {
            format!("it is a method of a data set: $PendingTasks.{name}(…)")
        } else {
            match (
                did_you_mean(name, FUNCTIONS.iter().map(|row| row.name)),
                foreign_function(name),
            ) {
                (_, Some(instead)) => instead.to_owned(),
                (Some(meant), None) => format!("did you mean `{meant}`?"),
                (None, None) => "`lowtide reference formula` lists the functions".to_owned(),
            }
        };
        let span = call.name.span.clone();
        let fault = Diagnostic::error(
            UNKNOWN_FUNCTION,
            span.clone(),
            format!("there is no function `{name}`"),
        );
        self.fault(fault.help(help));
        let mut failed = fails(span.start, &format!("Undefined symbol: {name}"), Vec::new());
        // The service would look the name up before it evaluates the arguments; their faults were collected above.
        failed.span = span;
        drop(arguments);
        failed
    }

    pub(super) fn wrong_count(
        &mut self,
        call: &Call,
        name: &str,
        signature: &str,
        wanted: &str,
        arguments: Vec<Node>,
    ) -> Node {
        let found = arguments.len();
        let span = call.open..call.open + 1;
        let message = format!(
            "`{name}` takes {wanted}, and {found} {} given",
            if found == 1 { "is" } else { "are" }
        );
        self.fault(Diagnostic::error(ARGUMENT_COUNT, span, message).help(format!("call it as {signature}")));
        fails(
            call.open,
            &format!("Wrong number of arguments: {name}"),
            arguments,
        )
    }

    fn wrong_argument(&mut self, call: &Call, row: &FunctionRow, wrong: usize, arguments: Vec<Node>) -> Node {
        let argument = &arguments[wrong];
        let word = argument.ty.word();
        let mut help = format!("call it as {}", row.signature);
        if row.parameters == Parameters::VectorAndNumber && wrong == 0 && argument.ty == Type::Double {
            help = format!("make a vector of it: vec(…); call it as {}", row.signature);
        }
        let message = format!("argument {} of `{}` is a {word}", wrong + 1, row.name);
        self.fault(Diagnostic::error(ARGUMENT_TYPE, argument.span.clone(), message).help(help));
        fails(
            call.open,
            &format!("Wrong type of argument {}: {}", wrong + 1, row.name),
            arguments,
        )
    }
}

/// What the function takes, when the count is wrong.
fn wrong_count(parameters: Parameters, count: usize) -> Option<&'static str> {
    match parameters {
        Parameters::VectorAndNumber if count != 2 => Some("a vector and a number"),
        Parameters::OptionalText if count > 1 => Some("one string or nothing"),
        Parameters::Nothing if count > 0 => Some("no arguments"),
        _ => None,
    }
}

fn takes(parameters: Parameters, index: usize, ty: Type) -> bool {
    match (parameters, index) {
        (Parameters::List | Parameters::Elementwise, _) | (Parameters::VectorAndNumber, 1) => {
            matches!(ty, Type::Double | Type::DoubleVec | Type::Either)
        }
        (Parameters::VectorAndNumber, _) => matches!(ty, Type::DoubleVec | Type::Either),
        (Parameters::OptionalText, _) => ty == Type::Text,
        (Parameters::Nothing, _) => false,
    }
}

/// Functions of other languages that people reach for.
fn foreign_function(name: &str) -> Option<&'static str> {
    Some(match name {
        "if" | "iff" | "iif" => "write test ? then : otherwise",
        "abs" => "write max(x, -x)",
        "pow" | "sqrt" => "multiply instead; norm(x, y) is the root of the sum of squares",
        "trunc" | "int" => "targets are truncated anyway; otherwise floor(x)",
        "mean" | "average" => "write avg(…)",
        "count" | "length" | "size" => "write len(v), or $X.Count() for a history",
        "now" | "date" => "write time()",
        "ceiling" => "write ceil(x)",
        _ => return None,
    })
}
