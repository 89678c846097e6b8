//! The typed tree: every name resolved, every overload chosen, every expression with its type.
//!
//! The checker makes it, the compiler turns it into closures, lints and interval analysis read it. A fault that the
//! service would meet only when it evaluates is a [`Kind::Fails`] node, so that a formula with a fault in the arm that is
//! not taken still runs as it does there.

use std::sync::Arc;

use super::ast::{BinaryOp, Place, UnaryOp};
use super::builtin::{Function, Member, Method, Type};
use crate::base::{Lane, Span};
use crate::signal::Metric;

/// A formula whose names and types are known.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The statements in order, one for each of the tree.
    pub statements: Vec<CheckedStatement>,
    /// The user's variables in order of first assignment, one entry for each name and type.
    pub variables: Vec<Variable>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    /// From its first to its last token.
    pub span: Place,
    /// What it sets.
    pub target: Target,
    /// Where the name stands that it sets; empty at the start of a bare expression.
    pub target_span: Place,
    /// What it computes.
    pub value: Node,
}

/// What a statement sets.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nothing: a bare expression.
    Nothing,
    /// A user's variable.
    Variable(VariableIndex),
    /// A target of the pool.
    Nodes {
        /// Dedicated or spot.
        lane: Lane,
        /// Whether the short old name was used.
        alias: bool,
    },
    /// The node deallocation option.
    Option,
}

/// The place of a variable in [`Checked::variables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableIndex(pub usize);

/// A variable of the user with one type; a name that changes its type has an entry for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name as written, with its `$` if it has one.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Which of the variables of the same type it is, counted from 0.
    pub slot: usize,
}

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Node {
    /// From its first to its last token, brackets left out.
    pub span: Place,
    /// Its type; never [`Type::DataSet`].
    pub ty: Type,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of typed expression.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A number.
    Number(f64),
    /// A string or one of the four option words.
    Text(Arc<str>),
    /// An interval constant.
    Interval(Span),
    /// A user's variable, as the latest assignment before this place left it.
    Variable(VariableIndex),
    /// A target of the pool: what was assigned, or the pool's current target.
    Nodes {
        /// Dedicated or spot.
        lane: Lane,
        /// Whether the short old name was used.
        alias: bool,
    },
    /// The node deallocation option, as assigned or as the pool has it.
    Option,
    /// A count of the pool that reads as a number, such as `$CurrentDedicatedNodes`.
    Counter(Metric),
    /// A sample method of a data set.
    Sample(Sample),
    /// A member of a timestamp.
    Member(Box<Node>, Member),
    /// A function; `time` is apart.
    Call {
        /// Which one.
        function: Function,
        /// Where its `(` stands.
        open: usize,
        /// Its arguments, as many and of such types as it takes.
        arguments: Vec<Node>,
    },
    /// `time()` or `time("")`.
    Now,
    /// `time("…")` with a text that was read already.
    Instant(crate::base::Timestamp),
    /// An operator before a number or an interval (or a vector or either type, resolved when evaluated).
    Unary(UnaryOp, usize, Box<Node>),
    /// An operator between two values, with the place of the operator.
    Binary(BinaryOp, usize, Box<Node>, Box<Node>),
    /// `test ? then : otherwise`; only the chosen arm is evaluated.
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    /// A vector of one element where a number is needed; any other length fails at `usize` when evaluated.
    Single(usize, Box<Node>),
    /// `stop()`.
    Stop,
    /// Evaluating this fails: where, and what the service would say; what stands below is evaluated first.
    Fails(usize, Arc<str>, Vec<Node>),
}

/// A sample method with its arguments.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The data set.
    pub metric: Metric,
    /// The method.
    pub method: Method,
    /// Where its `(` stands.
    pub open: usize,
    /// Which samples; `None` for the methods that take no arguments.
    pub selection: Option<Selection>,
}

/// Which samples a call asks for.
#[derive(Clone, Debug)]
pub enum Selection {
    /// The newest ones, that many.
    Latest(Box<Node>),
    /// Those of a window.
    Window {
        /// A timestamp, or an interval that looks back from now.
        start: Box<Node>,
        /// The other bound; `None` is now.
        end: Option<Box<Node>>,
        /// The percentage of possible samples that must be there; `None` where it is not given.
        percent: Option<Box<Node>>,
    },
}

impl Node {
    /// Calls `visit` on this node and on all below it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        self.children().into_iter().for_each(|child| child.walk(visit));
    }

    /// Returns the nodes directly below this one, in source order.
    pub fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Sample(sample) => match &sample.selection {
                None => Vec::new(),
                Some(Selection::Latest(count)) => vec![count],
                Some(Selection::Window { start, end, percent }) => {
                    [Some(start), end.as_ref(), percent.as_ref()]
                        .into_iter()
                        .flatten()
                        .map(AsRef::as_ref)
                        .collect()
                }
            },
            Kind::Member(inner, _) | Kind::Unary(_, _, inner) | Kind::Single(_, inner) => vec![inner],
            Kind::Call { arguments, .. } | Kind::Fails(_, _, arguments) => arguments.iter().collect(),
            Kind::Binary(_, _, left, right) => vec![left, right],
            Kind::Conditional(test, then, otherwise) => vec![test, then, otherwise],
            Kind::Number(_)
            | Kind::Text(_)
            | Kind::Interval(_)
            | Kind::Variable(_)
            | Kind::Nodes { .. }
            | Kind::Option
            | Kind::Counter(_)
            | Kind::Now
            | Kind::Instant(_)
            | Kind::Stop => Vec::new(),
        }
    }
}
