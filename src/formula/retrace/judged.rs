//! What came of holding a recorded run against this engine.

use crate::base::LineIndex;
use crate::formula::Formula;
use crate::formula::ast::Place;
use crate::formula::range::value::{Spans, Times, Value as Set};

/// Whether this engine explains a recorded run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every recorded value follows from what is known.
    #[default]
    Explained,
    /// Every recorded value follows, or rests on samples and can be what it is.
    Consistent,
    /// A recorded value cannot be what it is.
    Diverges,
}

impl Verdict {
    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Explained => "explained",
            Self::Consistent => "consistent",
            Self::Diverges => "diverges",
        }
    }
}

/// How a recorded value came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The engine computes it from what is known.
    Follows,
    /// It rests on what is not known, or on the digits that printing hides, and lies in what is possible.
    Possible,
}

/// One recorded value that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The line of the statement that sets it, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What was recorded.
    pub recorded: String,
    /// What this engine computes, or what it can be.
    pub ours: String,
    /// How the two go together.
    pub how: How,
}

/// Where a recorded run and this engine part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The statement that it starts in, from 1; `None` when no statement has to do with it.
    pub statement: Option<usize>,
    /// Bytes of the formula.
    pub span: Place,
    /// The name that the statement sets.
    pub name: Option<String>,
    /// What was recorded.
    pub recorded: Option<String>,
    /// What this engine would have got.
    pub ours: String,
    /// All of it in a sentence.
    pub message: String,
}

/// What came of a recorded run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retraced {
    /// Whether it is explained.
    pub verdict: Verdict,
    /// The recorded values that fit, in the order of the statements.
    pub checks: Vec<Check>,
    /// Where it parts, if it does.
    pub divergence: Option<Divergence>,
    /// What else is to be known, a sentence each.
    pub notes: Vec<String>,
}

impl Check {
    pub(super) fn new(formula: &Formula, index: usize, said: [&str; 2], ours: String, how: How) -> Self {
        let [name, recorded] = said;
        let start = formula.checked().statements[index].span.start;
        Self {
            line: LineIndex::new(formula.source()).at(start).line,
            name: name.to_owned(),
            recorded: recorded.to_owned(),
            ours,
            how,
        }
    }
}

impl Retraced {
    /// Returns how many values follow from what is known, and how many can be what they are.
    pub fn counts(&self) -> [usize; 2] {
        [How::Follows, How::Possible].map(|how| self.checks.iter().filter(|check| check.how == how).count())
    }

    pub(super) fn conclude(&mut self) {
        let [_, possible] = self.counts();
        if possible > 0 {
            self.verdict = self.verdict.max(Verdict::Consistent);
        }
    }

    pub(super) fn part(&mut self, divergence: Divergence) {
        self.verdict = Verdict::Diverges;
        self.divergence.get_or_insert(divergence);
    }

    /// A value was recorded that it cannot be.
    pub(super) fn diverges(&mut self, formula: &Formula, index: usize, said: [&str; 2], ours: String) {
        let [name, text] = said;
        self.part(Divergence {
            statement: Some(index + 1),
            span: formula.checked().statements[index].span.clone(),
            name: Some(name.to_owned()),
            recorded: Some(text.to_owned()),
            message: format!("`{name}` was recorded as {text}, and would be {ours} here"),
            ours,
        });
    }

    /// A value was not recorded that should have been.
    pub(super) fn lacks(&mut self, formula: &Formula, index: usize, name: &str, ours: String) {
        self.part(Divergence {
            statement: Some(index + 1),
            span: formula.checked().statements[index].span.clone(),
            name: Some(name.to_owned()),
            recorded: None,
            message: format!("`{name}` was not recorded, and would be {ours} here"),
            ours,
        });
    }

    /// A run was recorded that fails here.
    pub(super) fn fails(&mut self, formula: &Formula, index: usize, offset: usize, message: &str) {
        let ours = placed(&LineIndex::new(formula.source()), offset, message);
        self.part(Divergence {
            statement: Some(index + 1),
            span: formula.checked().statements[index].span.clone(),
            name: None,
            recorded: None,
            message: format!("the recorded run went on, and would fail here: {ours}"),
            ours,
        });
    }

    /// A value was recorded that no statement sets.
    pub(super) fn unset(&mut self, name: &str, text: &str) {
        self.part(Divergence {
            statement: None,
            span: 0..0,
            name: Some(name.to_owned()),
            recorded: Some(text.to_owned()),
            ours: "nothing".to_owned(),
            message: format!("`{name}` was recorded as {text}, and no statement sets it"),
        });
    }
}

/// Returns what a set of values holds, in words.
pub(super) fn describe(set: Set) -> String {
    let shown = |number: f64| Set::shown(number);
    match set {
        Set::Number(numbers) if numbers.is_empty() => "no number".to_owned(),
        Set::Number(numbers) => match (numbers.low <= f64::MIN, numbers.high >= f64::MAX) {
            (true, true) => "any number".to_owned(),
            (true, false) => format!("{} or less", shown(numbers.high)),
            (false, true) => format!("{} or more", shown(numbers.low)),
            (false, false) if numbers.low == numbers.high => shown(numbers.low),
            // Samples count as bounded by 10^15, which bounds nothing that is printed.
            (false, false) if numbers.high >= 1e14 => format!("{} or more", shown(numbers.low)),
            (false, false) => format!("{} to {}", shown(numbers.low), shown(numbers.high)),
        },
        Set::Vector(vector) => format!("a vector of {}", describe(Set::Number(vector.elements))),
        Set::Time(times) if times == Times::ANY => "any time".to_owned(),
        Set::Time(_) => "another time".to_owned(),
        Set::Span(spans) if spans == Spans::ANY => "any length of time".to_owned(),
        Set::Span(_) => "another length of time".to_owned(),
        Set::Text(_) => "another word".to_owned(),
        Set::Anything => "anything".to_owned(),
        Set::Nothing => "nothing".to_owned(),
    }
}

/// Returns a fault with its place, as the service tells it.
pub(super) fn placed(lines: &LineIndex<'_>, offset: usize, message: &str) -> String {
    let at = lines.at(offset);
    format!("Line {}, Col {}: {message}", at.line, at.column)
}
