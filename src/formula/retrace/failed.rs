//! Recorded runs that failed: whether this engine can fail in the same place for the same reason.

use super::ends::{End, Ends, Peril, PerilKind};
use super::judged::placed;
use super::{Divergence, Retrace, Retraced, Verdict};
use crate::base::{LineColumn, LineIndex};
use crate::formula::checked::Target;
use crate::formula::range::value::Value as Set;
use crate::formula::run::Halt;
use crate::formula::{AutoScaleRunError, FaultCode, Formula};

const UNDEFINED: &str = "Undefined symbol: ";

/// What an error of the service says.
pub(super) struct Said<'e> {
    code: &'e str,
    place: Option<LineColumn>,
    message: &'e str,
}

impl<'e> Said<'e> {
    /// Reads `Line 9, Col 43: …`.
    pub(super) fn read(error: &'e AutoScaleRunError) -> Self {
        let detail = error.values.iter().find(|pair| pair.name == "Message");
        let text = detail.map_or(error.message.as_str(), |pair| pair.value.as_str());
        let placed = text.split_once(": ").and_then(|(place, message)| {
            let (line, column) = place.strip_prefix("Line ")?.split_once(", Col ")?;
            let place = LineColumn {
                line: line.parse().ok()?,
                column: column.parse().ok()?,
            };
            Some((place, message))
        });
        Self {
            code: &error.code,
            place: placed.map(|(place, _)| place),
            message: placed.map_or(text, |(_, message)| message),
        }
    }

    /// Returns the statement that the place lies in.
    pub(super) fn statement(&self, formula: &Formula) -> Option<usize> {
        let lines = LineIndex::new(formula.source());
        let place = self.place?;
        let mut statements = formula.checked().statements.iter();
        statements.position(|statement| {
            lines.at(statement.span.start) <= place && place <= lines.at(statement.span.end)
        })
    }

    fn is(&self, code: FaultCode) -> bool {
        self.code.eq_ignore_ascii_case(code.word())
    }

    /// Says whether a peril is of the kind that the code names.
    fn names(&self, peril: &Peril) -> bool {
        match peril.kind {
            PerilKind::Samples { .. } => self.is(FaultCode::InsufficientSampleData),
            PerilKind::Says(_) | PerilKind::Values => self.is(FaultCode::EvaluationError),
        }
    }

    /// Reads `Insufficient data from data set: $RunningTasks wanted 70%, received 50%`.
    fn shortage(&self) -> Option<(&'e str, f64, f64)> {
        let (_, rest) = self.message.split_once("data set: ")?;
        let (metric, rest) = rest.split_once(" wanted ")?;
        let (wanted, received) = rest.split_once("%, received ")?;
        let received = received.trim_end().strip_suffix('%')?;
        Some((metric, wanted.parse().ok()?, received.parse().ok()?))
    }
}

impl Retrace<'_> {
    /// Looks for the place that a failed run names.
    pub(super) fn failed(mut self, error: &AutoScaleRunError) -> Retraced {
        let said = Said::read(error);
        let lines = LineIndex::new(self.formula.source());
        let mut possible_somewhere = false;
        for index in 0..self.end {
            let (possible, facts, _) = self.walk.look(index);
            let node = &self.checked.statements[index].value;
            let ends = Ends {
                facts: &facts,
                scope: self.formula.scope(),
            };
            let mut perils = Vec::new();
            ends.perils(node, &mut perils);
            perils.extend(self.target_peril(index, possible));
            let certain = ends.certain(node);
            let known = !ends.rests_on(&self.unknown, node);
            let of_code = |peril: &&Peril| said.names(peril);
            possible_somewhere |= perils.iter().any(|peril| of_code(&peril));
            let mut here = perils.iter().filter(of_code);
            if let Some(peril) = here.find(|peril| Some(lines.at(peril.offset)) == said.place) {
                let is_certain = matches!(certain, Some(End::Fault(offset, _)) if offset == peril.offset);
                self.same_place(index, &said, peril, is_certain);
                return self.told;
            }
            match certain {
                Some(End::Stop) => {
                    self.earlier(index, &said, "stop() ends the run".to_owned());
                    return self.told;
                }
                Some(End::Fault(offset, message)) => {
                    self.earlier(index, &said, placed(&lines, offset, &message));
                    return self.told;
                }
                None => {}
            }
            if known && let Err(Halt::Fault(raw)) = self.evaluator.step(index, self.inputs) {
                self.earlier(index, &said, placed(&lines, raw.offset, &raw.message));
                return self.told;
            }
            self.note(index, !known, false);
            self.walk.take(index, possible);
        }
        if said.place.is_none() && possible_somewhere {
            let note = "the error names no place; a run of this formula can fail with its code";
            self.told.notes.push(note.to_owned());
            self.told.verdict = Verdict::Consistent;
        } else {
            self.nowhere(&said);
        }
        self.told
    }

    /// A target that is no finite number, or an option that is none, fails at the name that is set.
    fn target_peril(&self, index: usize, possible: Set) -> Option<Peril> {
        let statement = &self.checked.statements[index];
        let numbers = possible.numbers();
        let is_perilous = match &statement.target {
            Target::Nodes { .. } => numbers.nan || numbers.low.is_infinite() || numbers.high.is_infinite(),
            Target::Option => true,
            Target::Variable(_) | Target::Nothing => false,
        };
        is_perilous.then_some(Peril {
            offset: statement.target_span.start,
            kind: PerilKind::Values,
        })
    }

    /// Both can fail there: is it for the same reason?
    fn same_place(&mut self, index: usize, said: &Said<'_>, peril: &Peril, is_certain: bool) {
        self.told.verdict = Verdict::Consistent;
        match &peril.kind {
            PerilKind::Values => {}
            PerilKind::Says(ours) if **ours == *said.message => {
                if is_certain {
                    self.told.verdict = Verdict::Explained;
                }
            }
            // Of all words for wrong names and types these alone are recorded.
            PerilKind::Says(ours)
                if [&**ours, said.message]
                    .iter()
                    .all(|text| text.starts_with(UNDEFINED)) =>
            {
                self.differs(index, said, ours.to_string());
            }
            PerilKind::Says(ours) => {
                let note = format!("the place is the same, and the words would be: {ours}");
                self.told.notes.push(note);
            }
            PerilKind::Samples { metric, wanted } => {
                let fits = said.shortage().is_some_and(|(name, percent, received)| {
                    name == metric.name() && wanted.contains(percent) && received < percent
                });
                if !fits {
                    let percent = super::describe(Set::Number(*wanted));
                    let ours = format!("{metric} wanted {percent}%");
                    self.differs(index, said, ours);
                }
            }
        }
    }

    fn differs(&mut self, index: usize, said: &Said<'_>, ours: String) {
        let here = format!("here it would be: {ours}");
        self.part(Some(index), said, ours, &here);
    }

    /// This engine does not get as far.
    fn earlier(&mut self, index: usize, said: &Said<'_>, ours: String) {
        let here = format!("here it would end in this statement: {ours}");
        self.part(Some(index), said, ours, &here);
    }

    /// Nothing can fail there.
    fn nowhere(&mut self, said: &Said<'_>) {
        let index = said.statement(self.formula);
        self.part(
            index,
            said,
            "no failure".to_owned(),
            "nothing here can fail like that",
        );
    }

    /// Tells that the run failed otherwise than it could here, in the statement of that index where there is one.
    fn part(&mut self, index: Option<usize>, said: &Said<'_>, ours: String, here: &str) {
        self.told.part(Divergence {
            statement: index.map(|index| index + 1),
            span: index.map_or(0..0, |index| self.checked.statements[index].span.clone()),
            name: None,
            recorded: Some(said.message.to_owned()),
            message: format!("the run failed with `{}`, and {here}", said.message),
            ours,
        });
    }
}
