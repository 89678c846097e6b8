//! Sample methods: the overload by the types of the arguments.

use super::{ARGUMENT_TYPE, Checker, Operand, UNKNOWN_MEMBER, fails, node};
use crate::base::{Diagnostic, did_you_mean};
use crate::formula::Lean;
use crate::formula::ast::{Call, Expr, Place};
use crate::formula::builtin::{METHODS, Method, Type};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::signal::Metric;

impl Checker<'_> {
    pub(super) fn method(&mut self, object: &Expr, call: &Call, span: Place) -> Node {
        let metric = match self.data_set(object) {
            Ok(metric) => metric,
            Err(object) => return self.no_data_set(object, call),
        };
        let Some(method) = Method::named(&call.name.text) else {
            return self.unknown_method(call);
        };
        let arguments: Vec<Node> = call
            .arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect();
        let row = METHODS
            .iter()
            .find(|row| row.method == method)
            .expect("every method has a row");
        let (least, most, wanted) = match method {
            Method::GetSample => (1, 3, "one to three arguments"),
            Method::GetSamplePercent => (1, 2, "one or two arguments"),
            _ => (0, 0, "no arguments"),
        };
        if !(least..=most).contains(&arguments.len()) {
            return self.wrong_count(call, row.name, row.signature, wanted, arguments);
        }
        if arguments.iter().any(|argument| argument.ty == Type::Never) {
            return fails(call.open, "no value", arguments);
        }
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        let Some(shape) = shape(method, &types) else {
            return self.no_overload(call, row.signature, arguments);
        };
        let mut parts = arguments.into_iter().map(Box::new);
        let mut next = || parts.next();
        let selection = match shape {
            Shape::Whole => None,
            Shape::Latest => next().map(Selection::Latest),
            Shape::Window { end, percent } => next().map(|start| {
                let end = if end { next() } else { None };
                Selection::Window {
                    start,
                    end,
                    percent: if percent { next() } else { None },
                }
            }),
        };
        self.sample_leans(method, call, selection.as_ref());
        let ty = match method {
            Method::GetSample => Type::DoubleVec,
            Method::GetSamplePercent | Method::Count => Type::Double,
            Method::GetSamplePeriod => Type::TimeInterval,
            Method::HistoryBeginTime => Type::Timestamp,
        };
        let strict_default =
            self.is(crate::formula::Dialect::Strict) && relies_on_default(method, selection.as_ref());
        let made = node(
            span,
            ty,
            Kind::Sample(Sample {
                metric,
                method,
                open: call.open,
                selection,
            }),
        );
        if strict_default {
            fails(call.open, Lean::DefaultPercent.message(), vec![made])
        } else {
            made
        }
    }

    fn sample_leans(&mut self, method: Method, call: &Call, selection: Option<&Selection>) {
        if relies_on_default(method, selection) {
            let end = call
                .arguments
                .last()
                .map_or(call.open + 1, |argument| argument.span.end);
            self.lean(Lean::DefaultPercent, call.name.span.start..end + 1);
        }
    }

    /// The data set before the `.`, or what else stands there.
    fn data_set(&mut self, object: &Expr) -> Result<Metric, Node> {
        match self.operand(object) {
            Operand::DataSet(metric, ..)
            | Operand::Value(Node {
                kind: Kind::Counter(metric),
                ..
            }) => Ok(metric),
            Operand::Value(node) => Err(node),
        }
    }

    fn no_data_set(&mut self, object: Node, call: &Call) -> Node {
        call.arguments
            .iter()
            .for_each(|argument| drop(self.value(argument)));
        if object.ty == Type::Never {
            return object;
        }
        let message = format!("a {} has no method `{}`", object.ty.word(), call.name.text);
        let fault = Diagnostic::error(UNKNOWN_MEMBER, call.name.span.clone(), message);
        self.fault(fault.help("only sampled variables such as $PendingTasks have methods"));
        fails(
            call.open,
            &format!("Undefined symbol: {}", call.name.text),
            vec![object],
        )
    }

    fn unknown_method(&mut self, call: &Call) -> Node {
        call.arguments
            .iter()
            .for_each(|argument| drop(self.value(argument)));
        let name = &call.name.text;
        let help = match did_you_mean(name, METHODS.iter().map(|row| row.name)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "a data set has GetSample, GetSamplePercent, GetSamplePeriod, Count and HistoryBeginTime"
                .to_owned(),
        };
        let message = format!("a data set has no method `{name}`");
        self.fault(Diagnostic::error(UNKNOWN_MEMBER, call.name.span.clone(), message).help(help));
        fails(call.open, &format!("Undefined symbol: {name}"), Vec::new())
    }

    fn no_overload(&mut self, call: &Call, signature: &str, arguments: Vec<Node>) -> Node {
        let types: Vec<&str> = arguments.iter().map(|argument| argument.ty.word()).collect();
        let message = format!("`{}` does not take ({})", call.name.text, types.join(", "));
        let span = call.arguments[0].span.start..call.arguments[call.arguments.len() - 1].span.end;
        self.fault(Diagnostic::error(ARGUMENT_TYPE, span, message).help(format!("call it as {signature}")));
        fails(
            call.open,
            &format!("Wrong type of argument: {}", call.name.text),
            arguments,
        )
    }
}

/// `GetSample(1)` of a metric that was used as a number, as the lenient dialect understands it.
pub(super) fn latest_one(metric: Metric, span: Place) -> Node {
    let at = span.start;
    let one = node(at..at, Type::Double, Kind::Number(1.0));
    let selection = Some(Selection::Latest(Box::new(one)));
    let sample = Kind::Sample(Sample {
        metric,
        method: Method::GetSample,
        open: at,
        selection,
    });
    let vector = node(span.clone(), Type::DoubleVec, sample);
    // max(0, v): what a new pool without samples should see.
    let zero = node(at..at, Type::Double, Kind::Number(0.0));
    let function = crate::formula::builtin::Function::Max;
    node(
        span,
        Type::Double,
        Kind::Call {
            function,
            open: at,
            arguments: vec![zero, vector],
        },
    )
}

enum Shape {
    Whole,
    Latest,
    Window { end: bool, percent: bool },
}

fn shape(method: Method, types: &[Type]) -> Option<Shape> {
    let bound = |ty: Type| matches!(ty, Type::Timestamp | Type::TimeInterval);
    let sample = method == Method::GetSample;
    Some(match types {
        [] => Shape::Whole,
        [Type::Double] if sample => Shape::Latest,
        [start] if bound(*start) => Shape::Window {
            end: false,
            percent: false,
        },
        [start, Type::Double] if bound(*start) && sample => Shape::Window {
            end: false,
            percent: true,
        },
        [start, end] if bound(*start) && bound(*end) => Shape::Window {
            end: true,
            percent: false,
        },
        [start, end, Type::Double] if bound(*start) && bound(*end) => Shape::Window {
            end: true,
            percent: true,
        },
        _ => return None,
    })
}

fn relies_on_default(method: Method, selection: Option<&Selection>) -> bool {
    method == Method::GetSample && matches!(selection, Some(Selection::Window { percent: None, .. }))
}
