//! The evaluation of a typed tree on sets of values.

use super::facts::Facts;
use super::functions::call;
use super::interval::{Interval, Truth};
use super::operators::{arithmetic, compare, unary};
use super::refine::LOOKS_MAX;
use super::value::{Spans, Texts, Times, Value, Vector};
use super::world::{World, lane_index};
use crate::base::Span;
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::Method;
use crate::formula::checked::{Checked, Kind, Node, Sample, Selection, Target};

/// One pass over a formula in one world.
pub(crate) struct Walk<'a> {
    pub(super) checked: &'a Checked,
    pub(super) world: World,
    default_percent: f64,
    pub(super) variables: Vec<Value>,
    /// What was assigned to each lane: under its full name, under its short one.
    pub(super) targets: [[Option<Interval>; 2]; 2],
    /// The statement that last assigned each variable, and each name of each lane.
    pub(super) variable_set: Vec<Option<usize>>,
    pub(super) target_set: [[Option<usize>; 2]; 2],
    option: Texts,
    /// What the targets can be where the run ends; empty while it has not.
    ended: [Interval; 2],
    stopped: bool,
    /// What is learnt of each expression; `None` while nobody asks.
    pub(super) facts: Option<Facts>,
    /// Whether only the truth of conditions is learnt.
    truths_only: bool,
}

/// What a pass found.
#[derive(Debug)]
pub(crate) struct Pass {
    /// What both targets can be, dedicated first, before truncation; empty when no run ends well.
    pub(crate) targets: [Interval; 2],
    /// What each statement can compute.
    pub(crate) statements: Vec<Value>,
    pub(crate) facts: Facts,
}

/// What of an earlier pass a later one can take over.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) statements: &'a [Value],
    /// Which statements have to be evaluated again.
    pub(crate) again: &'a [bool],
}

impl<'a> Walk<'a> {
    pub(crate) fn new(checked: &'a Checked, world: &World, default_percent: f64) -> Self {
        Self {
            checked,
            world: *world,
            default_percent,
            variables: vec![Value::Nothing; checked.variables.len()],
            targets: [[None; 2]; 2],
            variable_set: vec![None; checked.variables.len()],
            target_set: [[None; 2]; 2],
            option: Texts {
                options: 0b1111,
                other: false,
            },
            ended: [Interval::EMPTY; 2],
            stopped: false,
            facts: None,
            truths_only: false,
        }
    }

    /// Learns every expression's values on the way.
    pub(crate) fn learning(mut self) -> Self {
        self.facts = Some(Facts::default());
        self
    }

    /// Learns the conditions' truth values on the way, adding to what is known.
    pub(crate) fn learning_truths(mut self, so_far: Facts) -> Self {
        self.facts = Some(so_far);
        self.truths_only = true;
        self
    }

    /// Looks at one statement: what it can compute, what is learnt of its expressions, and whether it may stop the run.
    pub(crate) fn look(&mut self, index: usize) -> (Value, Facts, bool) {
        self.facts = Some(Facts::default());
        let checked = self.checked;
        let value = self.value(&checked.statements[index].value);
        let facts = self.facts.take().unwrap_or_default();
        (value, facts, std::mem::take(&mut self.stopped))
    }

    /// Lets a statement set one of these values.
    pub(crate) fn take(&mut self, index: usize, value: Value) {
        let checked = self.checked;
        self.assign(index, &checked.statements[index].target, value);
    }

    /// Goes over the statements; those that `known` covers are taken from there.
    pub(crate) fn run(mut self, known: Option<Known<'_>>) -> Pass {
        let mut statements = vec![Value::Nothing; self.checked.statements.len()];
        let checked = self.checked;
        for (index, statement) in checked.statements.iter().enumerate() {
            let value = match known {
                Some(known) if !known.again[index] => known.statements[index],
                _ => self.value(&statement.value),
            };
            if self.stopped {
                self.end();
                self.stopped = false;
            }
            statements[index] = value;
            if value.is_nothing() {
                return self.pass(statements);
            }
            self.assign(index, &statement.target, value);
        }
        self.end();
        self.pass(statements)
    }

    fn pass(self, statements: Vec<Value>) -> Pass {
        Pass {
            targets: self.ended,
            statements,
            facts: self.facts.unwrap_or_default(),
        }
    }

    fn end(&mut self) {
        for lane in 0..2 {
            let [full, short] = self.targets[lane];
            let target = full.or(short).unwrap_or(self.world.target[lane]);
            self.ended[lane] = self.ended[lane].join(target);
        }
    }

    fn assign(&mut self, index: usize, target: &Target, value: Value) {
        match target {
            Target::Nothing => {}
            Target::Variable(variable) => {
                self.variables[variable.0] = value;
                self.variable_set[variable.0] = Some(index);
            }
            Target::Nodes { lane, alias } => {
                let (lane, alias) = (lane_index(*lane), usize::from(*alias));
                self.targets[lane][alias] = Some(value.numbers().finite());
                self.target_set[lane][alias] = Some(index);
            }
            Target::Option => {
                if let Value::Text(texts) = value {
                    self.option = texts;
                }
            }
        }
    }

    /// Returns the values that an expression can have here.
    pub(super) fn value(&mut self, node: &Node) -> Value {
        let value = self.evaluate(node);
        let weekday = self.world.moment.weekday();
        if let Some(facts) = &mut self.facts {
            if !self.truths_only {
                facts.see(node, value);
            } else if is_condition(node) {
                facts.see_truth(node, value, weekday);
            }
        }
        value
    }

    fn evaluate(&mut self, node: &Node) -> Value {
        match &node.kind {
            Kind::Number(number) => Value::point(*number),
            Kind::Text(text) => Value::Text(Texts::of(text)),
            Kind::Interval(span) => Value::Span(Spans::exactly(*span)),
            Kind::Variable(variable) => match self.variable_set[variable.0] {
                Some(_) => self.variables[variable.0],
                None => Value::Anything,
            },
            Kind::Nodes { lane, alias } => Value::Number(self.nodes(lane_index(*lane), usize::from(*alias))),
            Kind::Option => Value::Text(self.option),
            Kind::Counter(metric) => Value::Number(self.world.counter(*metric)),
            Kind::Sample(sample) => self.sample(sample),
            Kind::Member(inner, member) => match self.value(inner) {
                Value::Nothing => Value::Nothing,
                instant => Value::Number(self.world.moment.member(instant.times(), *member)),
            },
            Kind::Call {
                function, arguments, ..
            } => {
                let arguments: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
                call(*function, &arguments)
            }
            Kind::Now => Value::Time(self.world.moment.now()),
            Kind::Instant(instant) => Value::Time(Times::at(*instant)),
            Kind::Unary(operator, _, inner) => unary(*operator, self.value(inner)),
            Kind::Binary(operator, _, left, right) => self.binary(*operator, left, right),
            Kind::Conditional(test, then, otherwise) => self.conditional(test, then, otherwise),
            Kind::Single(_, inner) => match self.value(inner) {
                Value::Nothing => Value::Nothing,
                value => Value::Number(value.numbers()),
            },
            Kind::Stop => {
                self.stopped = true;
                Value::Nothing
            }
            Kind::Fails(_, _, before) => {
                for node in before {
                    self.value(node);
                }
                Value::Anything
            }
        }
    }

    /// Reads a target: what was assigned under this name, or under the other one, or the pool's own.
    fn nodes(&self, lane: usize, alias: usize) -> Interval {
        let assigned = self.targets[lane][alias].or(self.targets[lane][1 - alias]);
        assigned.unwrap_or(self.world.target[lane])
    }

    fn sample(&mut self, sample: &Sample) -> Value {
        let mut lengths = (0.0, self.world.history.high);
        match &sample.selection {
            None => {}
            Some(Selection::Latest(count)) => {
                let count = self.value(count).numbers();
                if count.is_empty() && !count.nan {
                    return Value::Nothing;
                }
                let most = count.high.clamp(0.0, lengths.1);
                lengths = (
                    count.low.floor().clamp(0.0, self.world.history.low.min(most)),
                    most,
                );
            }
            Some(Selection::Window { start, end, percent }) => {
                let bounds = [Some(start), end.as_ref()].into_iter().flatten();
                let empty = bounds
                    .map(|bound| self.value(bound))
                    .filter(|value| value.is_nothing())
                    .count()
                    > 0;
                let wanted = percent.as_ref().map(|percent| self.value(percent).numbers());
                if empty {
                    return Value::Nothing;
                }
                let least = wanted.map_or(self.default_percent, |wanted| wanted.low);
                let some = least > 0.0 || self.world.percent.low > 0.0;
                lengths.0 = f64::from(u8::from(some));
            }
        }
        match sample.method {
            Method::GetSample => Value::Vector(Vector {
                elements: self.world.samples(sample.metric),
                shortest: lengths.0,
                longest: lengths.1.max(lengths.0),
            }),
            Method::GetSamplePercent => Value::Number(self.world.percent),
            Method::GetSamplePeriod => Value::Span(Spans {
                low: Span::from_ticks(1).ticks(),
                high: i64::MAX,
            }),
            Method::Count => Value::Number(self.world.history),
            Method::HistoryBeginTime => Value::Time(Times::ANY),
        }
    }

    fn binary(&mut self, operator: BinaryOp, left: &Node, right: &Node) -> Value {
        if operator.is_logical() {
            return self.logical(operator, left, right);
        }
        let (a, b) = (self.value(left), self.value(right));
        if a.is_nothing() || b.is_nothing() {
            return Value::Nothing;
        }
        if operator.is_comparison() {
            return Value::truth_value(compare(operator, a, b));
        }
        let mut result = arithmetic(operator, a, b);
        if let (BinaryOp::Subtract, Value::Number(number)) = (operator, &mut result)
            && number.low < 0.0
            && self.is_at_most(right, left, usize::MAX, &mut { LOOKS_MAX })
        {
            number.low = 0.0;
        }
        result
    }

    /// `&&` and `||` stop at the left operand where it decides; the right one is seen where it does not.
    fn logical(&mut self, operator: BinaryOp, left: &Node, right: &Node) -> Value {
        let first = self.value(left);
        if first.is_nothing() {
            return Value::Nothing;
        }
        let is_and = operator == BinaryOp::And;
        let first = first.numbers().truth();
        let goes_on = if is_and { first.yes } else { first.no };
        let mut truth = Truth {
            yes: first.yes && !is_and,
            no: first.no && is_and,
        };
        if goes_on {
            let undo = self.assume(left, is_and);
            let second = self.value(right);
            self.undo(undo);
            if !second.is_nothing() {
                truth = truth.or(second.numbers().truth());
            }
        }
        Value::truth_value(truth)
    }

    fn conditional(&mut self, test: &Node, then: &Node, otherwise: &Node) -> Value {
        let tested = self.value(test);
        if tested.is_nothing() {
            return Value::Nothing;
        }
        let truth = tested.numbers().truth();
        let mut result = Value::Nothing;
        for (possible, arm, outcome) in [(truth.yes, then, true), (truth.no, otherwise, false)] {
            if possible {
                let undo = self.assume(test, outcome);
                result = result.join(self.value(arm));
                self.undo(undo);
            }
        }
        result
    }
}

/// Says whether an expression is a comparison or a logical operation.
pub(crate) fn is_condition(node: &Node) -> bool {
    match &node.kind {
        Kind::Binary(operator, ..) => operator.is_comparison() || operator.is_logical(),
        Kind::Unary(UnaryOp::Not, ..) => true,
        _ => false,
    }
}
