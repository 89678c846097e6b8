//! Which statement each name got its value from. Statements run once from top to bottom, so there is at most one.

use super::leaves::{Leaves, Sources};
use crate::base::Lane;
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::{Function, Method};
use crate::formula::checked::{Checked, Kind, Node, Sample, Selection, Target};
use crate::formula::range::facts::Facts;

/// An expression and the statement that it stands in.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) statement: usize,
    pub(super) node: &'a Node,
}

/// The flow of values from statement to statement.
pub(super) struct Flow<'a> {
    checked: &'a Checked,
    facts: &'a Facts,
    /// What each statement's value is made of.
    statements: Vec<Leaves>,
}

impl<'a> Flow<'a> {
    pub(super) fn of(checked: &'a Checked, facts: &'a Facts) -> Self {
        let mut flow = Self {
            checked,
            facts,
            statements: Vec::with_capacity(checked.statements.len()),
        };
        for (statement, row) in checked.statements.iter().enumerate() {
            let leaves = flow.leaves(Spot {
                statement,
                node: &row.value,
            });
            flow.statements.push(leaves);
        }
        flow
    }

    /// Returns the expression that a name stands for here; `None` for the pool's own value and for what is no name.
    pub(super) fn definition(&self, spot: Spot<'a>) -> Option<Spot<'a>> {
        let sets = |target: &Target| match (&spot.node.kind, target) {
            (Kind::Variable(read), Target::Variable(set)) => read == set,
            (Kind::Nodes { lane: read, .. }, Target::Nodes { lane: set, .. }) => read == set,
            _ => false,
        };
        let before = &self.checked.statements[..spot.statement];
        let statement = before.iter().rposition(|row| sets(&row.target))?;
        Some(Spot {
            statement,
            node: &before[statement].value,
        })
    }

    /// Follows names until something else comes.
    pub(super) fn resolve(&self, mut spot: Spot<'a>) -> Spot<'a> {
        loop {
            if let Kind::Single(_, inner) = &spot.node.kind {
                spot.node = inner;
            } else if let Some(definition) = self.definition(spot) {
                spot = definition;
            } else {
                return spot;
            }
        }
    }

    /// Returns the statement that has the last word on a lane: the full name beats the short one.
    pub(super) fn last_word(&self, lane: Lane) -> Option<usize> {
        let set = |wanted: bool| {
            self.checked.statements.iter().rposition(
                |row| matches!(&row.target, Target::Nodes { lane: set, alias } if *set == lane && *alias == wanted),
            )
        };
        set(false).or_else(|| set(true))
    }

    /// Returns what a lane's target is made of; nothing where the formula does not set it.
    pub(super) fn lane(&self, lane: Lane) -> Leaves {
        self.last_word(lane)
            .map_or_else(Leaves::default, |statement| self.statements[statement])
    }

    /// Returns what an expression is made of.
    pub(super) fn leaves(&self, spot: Spot<'a>) -> Leaves {
        let at = |node| self.leaves(Spot { node, ..spot });
        match &spot.node.kind {
            Kind::Number(_)
            | Kind::Text(_)
            | Kind::Interval(_)
            | Kind::Instant(_)
            | Kind::Option
            | Kind::Stop
            | Kind::Fails(..) => Leaves::default(),
            Kind::Variable(_) => self
                .definition(spot)
                .map_or_else(Leaves::default, |found| self.statements[found.statement]),
            Kind::Nodes { lane, .. } => self.definition(spot).map_or(
                Leaves::up(match lane {
                    Lane::Dedicated => Sources::TARGET_DEDICATED,
                    Lane::Spot => Sources::TARGET_SPOT,
                }),
                |found| self.statements[found.statement],
            ),
            Kind::Counter(metric) => Leaves::up(Sources::of_metric(*metric)),
            Kind::Sample(sample) => Leaves::up(source_of(sample)),
            Kind::Now => Leaves::up(Sources::TIME),
            Kind::Member(inner, _) | Kind::Single(_, inner) => at(inner),
            Kind::Call {
                function, arguments, ..
            } => self.of_call(*function, arguments, spot),
            Kind::Unary(UnaryOp::Negate, _, inner) => at(inner).flipped(),
            Kind::Unary(UnaryOp::Not, _, inner) => at(inner).deciding(),
            Kind::Binary(operator, _, left, right) => {
                self.of_binary(*operator, (left, at(left)), (right, at(right)))
            }
            Kind::Conditional(test, then, otherwise) => at(test).deciding().and(at(then)).and(at(otherwise)),
        }
    }

    fn of_call(&self, function: Function, arguments: &'a [Node], spot: Spot<'a>) -> Leaves {
        let parts = arguments.iter().map(|node| self.leaves(Spot { node, ..spot }));
        match function {
            Function::Len => parts.fold(Leaves::default(), |all, part| all.and(part.deciding())),
            Function::Val | Function::Percentile => {
                let mut parts = parts;
                let vector = parts.next().unwrap_or_default();
                parts.fold(vector, |all, part| all.and(part.deciding()))
            }
            Function::Rand => Leaves::up(Sources::CHANCE),
            _ => parts.fold(Leaves::default(), Leaves::and),
        }
    }

    fn of_binary(&self, operator: BinaryOp, left: (&Node, Leaves), right: (&Node, Leaves)) -> Leaves {
        let both = left.1.and(right.1);
        match operator {
            BinaryOp::Add => both,
            BinaryOp::Subtract => left.1.and(right.1.flipped()),
            BinaryOp::Divide => left.1.and(right.1.flipped()).scaled(),
            BinaryOp::Multiply => {
                let factor = |node| self.facts.value(node).numbers().only();
                match factor(left.0).or_else(|| factor(right.0)) {
                    Some(factor) if factor < 0.0 => both.flipped().scaled(),
                    Some(factor) if factor >= 1.0 && factor.fract() == 0.0 => both,
                    _ => both.scaled(),
                }
            }
            _ => both.deciding(),
        }
    }
}

fn source_of(sample: &Sample) -> Sources {
    match sample.method {
        Method::GetSample => Sources::of_metric(sample.metric),
        _ => Sources::PERCENT,
    }
}

/// Which share of its samples a call demands.
pub(super) enum Wanted<'a> {
    /// None: it takes the newest samples, or does not take samples at all.
    Nothing,
    /// The default, since none is written.
    Default,
    /// What is written.
    Written(&'a Node),
}

/// Returns the share that a call demands as it is written.
pub(super) fn wanted_percent(sample: &Sample) -> Wanted<'_> {
    match &sample.selection {
        Some(Selection::Window { percent, .. }) if sample.method == Method::GetSample => {
            percent.as_deref().map_or(Wanted::Default, Wanted::Written)
        }
        _ => Wanted::Nothing,
    }
}
