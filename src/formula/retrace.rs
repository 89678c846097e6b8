//! A recorded run held against what this engine makes of its formula, without the samples that the service saw.
//!
//! ```text
//! statement ─ what it can compute, as a set ──┐
//!           └ what it computes, where nothing unknown takes part ─┴─ compared with what was recorded ─► taken for the next one
//! ```
//!
//! Of every variable only its last value is recorded. A value that rests on samples must lie in the set of what is possible;
//! from there on it is known, so that most statements behind it are run by the engine itself and must give what was recorded.

mod ends;
mod exact;
mod failed;
mod judged;
mod recorded;

use std::collections::BTreeMap;

pub use exact::retrace_on;
pub use judged::{Check, Divergence, How, Retraced, Verdict};
pub(crate) use recorded::split as split_results;

use self::ends::{End, Ends, Unknown};
use self::judged::describe;
use super::builtin::Type;
use super::checked::{Checked, CheckedStatement, Kind, Target};
use super::range::World;
use super::range::calendar::Moment;
use super::range::interval::Interval;
use super::range::value::Value as Set;
use super::range::walk::Walk;
use super::run::Halt;
use super::{AutoScaleRunError, Evaluator, Formula, Inputs, PoolFacts, Value};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::signal::History;

/// A run as the service recorded it.
#[derive(Clone, Copy, Debug)]
pub struct RecordedRun<'a> {
    /// When it ran.
    pub at: Timestamp,
    /// What it printed.
    pub results: &'a str,
    /// Why it failed, if it did.
    pub error: Option<&'a AutoScaleRunError>,
    /// The targets of the pool before it, where they are known.
    pub before: Option<Mix>,
}

/// The names of the targets in results: in full, and in short.
const TARGETS: [[&str; 2]; 2] = [
    ["$TargetDedicatedNodes", "$TargetDedicated"],
    ["$TargetLowPriorityNodes", "$TargetLowPriority"],
];
const OPTION: &str = "$NodeDeallocationOption";

/// The time of a log entry may be a little off the time that the run saw; further off it is no clock of the run.
const CLOCK_OFF_MAX: Span = Span::minutes(5);

/// Holds a recorded run against this engine.
pub fn retrace(formula: &Formula, run: &RecordedRun<'_>) -> Retraced {
    let told = attempt(formula, run);
    if told.verdict != Verdict::Diverges || run.before.is_none() {
        return told;
    }
    // Between two runs someone else may have changed the targets.
    let mut free = attempt(formula, &RecordedRun { before: None, ..*run });
    if free.verdict == Verdict::Diverges {
        return told;
    }
    let note = "it does not fit the targets that the run before left; between the two they were changed from outside";
    free.notes.push(note.to_owned());
    free.verdict = Verdict::Consistent;
    free
}

fn attempt(formula: &Formula, run: &RecordedRun<'_>) -> Retraced {
    let history = History::new();
    let pool = PoolFacts {
        target: run.before.unwrap_or(Mix::ZERO),
        ..PoolFacts::default()
    };
    let values = recorded::split(run.results);
    let now = clock(formula.checked(), &values, run.at);
    let inputs = Inputs {
        now,
        pool,
        history: &history,
        seed: 0,
    };
    let mut end = formula.checked().statements.len();
    loop {
        let retrace = Retrace::new(formula, run, &values, &inputs, end);
        match run.error {
            Some(error) => return retrace.failed(error),
            None => match retrace.succeeded() {
                Ok(told) => return told,
                // Then only what stands before it has set anything.
                Err(StopsAt(index)) => end = index,
            },
        }
    }
}

/// Returns the instant that `time()` gave: what a variable that holds nothing else recorded, or the time of the entry.
fn clock(checked: &Checked, values: &BTreeMap<String, String>, at: Timestamp) -> Timestamp {
    let clocks = checked
        .statements
        .iter()
        .filter(|statement| matches!(statement.value.kind, Kind::Now));
    let mut told = clocks.filter_map(|statement| match &statement.target {
        Target::Variable(variable) => values.get(&*checked.variables[variable.0].name)?.parse().ok(),
        _ => None,
    });
    told.find(|told: &Timestamp| told.since(at).abs() <= CLOCK_OFF_MAX && *told != at.whole_milliseconds())
        .unwrap_or(at)
}

/// The run surely stops in this statement.
struct StopsAt(usize);

/// What the log says of what a statement sets.
enum Said<'a> {
    /// Nothing: it sets nothing, or a later statement sets the same.
    Nothing,
    /// It should, and does not.
    Missing(&'a str),
    /// A value under a name.
    Text(&'a str, &'a str),
}

/// What a statement gives here.
struct Found {
    /// All that it can give.
    possible: Set,
    /// What it gives, where nothing unknown takes part.
    computed: Option<Value>,
    /// Whether values take part that are known only as they were printed.
    rounded: bool,
}

impl Found {
    fn shown(&self) -> String {
        let computed = self.computed.as_ref();
        computed.map_or_else(|| describe(self.possible), ToString::to_string)
    }
}

struct Retrace<'a> {
    checked: &'a Checked,
    formula: &'a Formula,
    values: &'a BTreeMap<String, String>,
    before: Option<Mix>,
    inputs: &'a Inputs<'a>,
    /// Statements from here on did not run.
    end: usize,
    evaluator: Evaluator,
    walk: Walk<'a>,
    unknown: Unknown,
    /// What is known as it was printed, and not to the last bit.
    rounded: Unknown,
    told: Retraced,
}

impl<'a> Retrace<'a> {
    fn new(
        formula: &'a Formula,
        run: &RecordedRun<'_>,
        values: &'a BTreeMap<String, String>,
        inputs: &'a Inputs<'a>,
        end: usize,
    ) -> Self {
        let checked = formula.checked();
        let mut world = World::ANY.at(Moment::At(inputs.now));
        if let Some(before) = run.before {
            world.target = [before.dedicated, before.spot].map(|nodes| Interval::point(nodes.as_f64()));
        }
        let mut evaluator = formula.evaluator();
        evaluator.begin_steps(inputs);
        Self {
            checked,
            formula,
            values,
            before: run.before,
            inputs,
            end,
            evaluator,
            walk: Walk::new(checked, &world, formula.scope().default_sample_percent),
            unknown: Unknown {
                variables: vec![false; checked.variables.len()],
                targets: [run.before.is_none(); 2],
                option: true,
            },
            rounded: Unknown {
                variables: vec![false; checked.variables.len()],
                ..Unknown::default()
            },
            told: Retraced::default(),
        }
    }

    fn succeeded(mut self) -> Result<Retraced, StopsAt> {
        for index in 0..self.end {
            let (possible, facts, may_stop) = self.walk.look(index);
            let node = &self.checked.statements[index].value;
            let ends = Ends {
                facts: &facts,
                scope: self.formula.scope(),
            };
            let known = !ends.rests_on(&self.unknown, node);
            let rounded = ends.rests_on(&self.rounded, node);
            match ends.certain(node) {
                Some(End::Stop) => return Err(StopsAt(index)),
                Some(End::Fault(offset, message)) => {
                    self.told.fails(self.formula, index, offset, &message);
                    return Ok(self.told);
                }
                None => {}
            }
            let computed = match known.then(|| self.evaluator.step(index, self.inputs)) {
                None => None,
                Some(Ok(value)) => value,
                Some(Err(Halt::Stop)) => return Err(StopsAt(index)),
                Some(Err(Halt::Fault(raw))) => {
                    self.told.fails(self.formula, index, raw.offset, &raw.message);
                    return Ok(self.told);
                }
            };
            if may_stop && !self.is_passed(index) {
                let note = format!(
                    "stop() in statement {} may have ended the run; what follows is not compared",
                    index + 1
                );
                self.told.notes.push(note);
                self.told.verdict = Verdict::Consistent;
                return Ok(self.told);
            }
            let found = Found {
                possible,
                computed,
                rounded,
            };
            if !self.statement(index, &found) {
                return Ok(self.told);
            }
        }
        self.leftovers();
        self.told.conclude();
        Ok(self.told)
    }

    /// Says whether the log holds a variable that is first set behind a statement, so that the run went on there.
    fn is_passed(&self, index: usize) -> bool {
        let names = |statements: &'a [CheckedStatement]| {
            statements
                .iter()
                .filter_map(|statement| self.variable_name(statement))
        };
        let before: Vec<&str> = names(&self.checked.statements[..=index]).collect();
        let mut behind = names(&self.checked.statements[index + 1..self.end]);
        behind.any(|name| !before.contains(&name) && self.values.contains_key(name))
    }

    fn variable_name(&self, statement: &CheckedStatement) -> Option<&'a str> {
        match &statement.target {
            Target::Variable(variable) => Some(&self.checked.variables[variable.0].name),
            _ => None,
        }
    }

    /// Compares what a statement sets with what was recorded; returns whether it fits.
    fn statement(&mut self, index: usize, found: &Found) -> bool {
        let statement = &self.checked.statements[index];
        match (&statement.target, self.said(index)) {
            (_, Said::Missing(name)) => {
                self.told.lacks(self.formula, index, name, found.shown());
                false
            }
            (Target::Nodes { lane, .. }, said) => self.nodes(index, *lane, found, &said),
            (_, Said::Text(name, text)) => self.value(index, found, [name, text]),
            (_, Said::Nothing) => {
                self.note(index, found.computed.is_none(), found.rounded);
                self.walk.take(index, found.possible);
                true
            }
        }
    }

    /// Notes how well what a statement sets is known from here on.
    fn note(&mut self, index: usize, unknown: bool, rounded: bool) {
        for (known, flag) in [(&mut self.unknown, unknown), (&mut self.rounded, rounded)] {
            match &self.checked.statements[index].target {
                Target::Variable(variable) => known.variables[variable.0] = flag,
                Target::Nodes { lane, .. } => known.targets[usize::from(*lane == Lane::Spot)] = flag,
                Target::Option => known.option = flag,
                Target::Nothing => {}
            }
        }
    }

    fn value(&mut self, index: usize, found: &Found, said: [&str; 2]) -> bool {
        let [name, text] = said;
        let ty = match &self.checked.statements[index].target {
            Target::Variable(variable) => self.checked.variables[variable.0].ty,
            _ => Type::Text,
        };
        let read = recorded::read(text, ty);
        let same = |value: &Value| value.to_string() == text || read.as_ref() == Some(value);
        let exact = found.computed.as_ref().is_some_and(same);
        // No recording shows how the service prints an interval.
        let printed_anyhow = ty == Type::TimeInterval;
        // What is computed from values that are known to the last bit has no room for others.
        let has_room = printed_anyhow || found.computed.is_none() || found.rounded;
        let both = match recorded::set_behind(text, ty) {
            None => printed_anyhow.then_some(found.possible),
            Some(behind) => {
                let (both, some) = recorded::meet(found.possible, behind);
                (exact || (some && has_room)).then_some(both)
            }
        };
        let Some(both) = both else {
            self.told.diverges(self.formula, index, said, found.shown());
            return false;
        };
        self.fits(index, [name, text], found.shown(), exact);
        self.walk.take(index, if exact { found.possible } else { both });
        if !exact && let Some(value) = &read {
            self.evaluator.put(index, value);
        }
        let unknown = found.computed.is_none() && read.is_none();
        self.note(index, unknown, !exact || found.rounded);
        true
    }

    fn fits(&mut self, index: usize, said: [&str; 2], ours: String, exact: bool) {
        let how = if exact { How::Follows } else { How::Possible };
        self.told
            .checks
            .push(Check::new(self.formula, index, said, ours, how));
    }

    /// Compares a target: the whole part of what was computed, none below 0.
    fn nodes(&mut self, index: usize, lane: Lane, found: &Found, said: &Said<'_>) -> bool {
        let number = match &found.computed {
            Some(Value::Double(number)) => Some(*number),
            _ => None,
        };
        self.note(index, number.is_none(), found.rounded);
        let Said::Text(name, text) = said else {
            self.walk.take(index, found.possible);
            return true;
        };
        let truncated = number.and_then(Nodes::truncate);
        let ours = truncated.map_or_else(|| whole_parts(found.possible), |nodes| nodes.to_string());
        let recorded = text.parse::<u32>().ok();
        let behind = recorded.map_or(Interval::EMPTY, |recorded| match f64::from(recorded) {
            0.0 => Interval::new(f64::MIN, 1.0_f64.next_down()),
            recorded => Interval::new(recorded, (recorded + 1.0).next_down()),
        });
        let both = found.possible.numbers().finite().meet(behind);
        let exact = truncated.is_some() && truncated == recorded.map(Nodes);
        let has_room = number.is_none() || found.rounded;
        if !exact && (both.is_empty() || !has_room) {
            self.told.diverges(self.formula, index, [name, text], ours);
            return false;
        }
        self.fits(index, [name, text], ours, exact);
        self.unknown.targets[usize::from(lane == Lane::Spot)] = !exact;
        let kept = if both.is_empty() {
            found.possible
        } else {
            Set::Number(both)
        };
        self.walk.take(index, kept);
        true
    }

    /// Returns what the log says of what a statement sets.
    fn said(&self, index: usize) -> Said<'a> {
        let statements = &self.checked.statements[..self.end];
        let is_last = |same: &dyn Fn(&CheckedStatement) -> bool| !statements[index + 1..].iter().any(same);
        let text = |name: &'a str| match self.values.get(name) {
            Some(text) => Said::Text(name, text),
            None => Said::Missing(name),
        };
        match &statements[index].target {
            Target::Variable(variable) => {
                let name: &'a str = &self.checked.variables[variable.0].name;
                if is_last(&|other| self.variable_name(other) == Some(name)) {
                    text(name)
                } else {
                    Said::Nothing
                }
            }
            Target::Nodes { lane, alias } => {
                // The full name wins over the short one, whichever was set last.
                let is = |statement: &CheckedStatement, short: bool| matches!(&statement.target, Target::Nodes { lane: other, alias } if other == lane && *alias == short);
                let full = statements.iter().any(|other| is(other, false));
                if (*alias && full) || !is_last(&|other| is(other, *alias)) {
                    return Said::Nothing;
                }
                let [full, short] = TARGETS[usize::from(*lane == Lane::Spot)];
                text(if self.values.contains_key(short) {
                    short
                } else {
                    full
                })
            }
            Target::Option if is_last(&|other| other.target == Target::Option) => {
                match self.values.get(OPTION) {
                    Some(text) => Said::Text(OPTION, text),
                    None => Said::Nothing,
                }
            }
            Target::Option | Target::Nothing => Said::Nothing,
        }
    }

    /// Looks at what was recorded and no statement sets.
    fn leftovers(&mut self) {
        let statements = &self.checked.statements[..self.end];
        let set: Vec<&str> = statements
            .iter()
            .filter_map(|statement| self.variable_name(statement))
            .collect();
        let of_service = TARGETS.iter().flatten().chain([&OPTION]);
        let of_service: Vec<&str> = of_service.copied().collect();
        for (name, text) in self.values {
            if !set.contains(&name.as_str()) && !of_service.contains(&name.as_str()) {
                self.told.unset(name, text);
            }
        }
        let Some(before) = self.before else { return };
        for lane in Lane::ALL {
            let [full, short] = TARGETS[usize::from(lane == Lane::Spot)];
            let recorded = self.values.get(full).or(self.values.get(short));
            let recorded = recorded.and_then(|text| text.parse().ok()).map(Nodes);
            if let Some(recorded) = recorded.filter(|recorded| *recorded != before.get(lane))
                && !self.formula.sets(lane)
            {
                let was = before.get(lane);
                let note = format!(
                    "the formula does not set {full}; it was {was} after the run before and {recorded} in this one"
                );
                self.told.notes.push(note);
            }
        }
    }
}

/// Returns the targets that a set of numbers is cut to, in words.
fn whole_parts(possible: Set) -> String {
    let numbers = possible.numbers().finite();
    describe(Set::Number(Interval {
        low: numbers.low.max(0.0).floor(),
        high: numbers.high.max(0.0).floor(),
        nan: false,
    }))
}
