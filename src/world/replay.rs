//! Decides a ledger again: the same engine, told what was seen then, must write the same lines.

use serde::de::DeserializeOwned;

use super::line::{AccountLine, AccountPolicyRecord, Blind, Decided, Head, Kind, Settled, Started, line};
use crate::account::{Order, Receipt, Refusal, RefusalKind};
use crate::base::Timestamp;
use crate::decision::Memory;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use crate::policy::{AccountPolicy, Policies};

/// A line holds one look at one pool, or, where an engine began with a memory, a week of every pool: some hundred
/// megabytes at the very most.
const LINE_BYTES_MAX: usize = 256 << 20;

/// What was decided again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Lines that came out the same.
    pub lines: usize,
    /// Those of them that are decisions.
    pub decisions: usize,
    /// Runs whose last look was cut off where pools share: what the others asked is not known, so that nobody can decide it again.
    pub cut: usize,
    /// Whether a last line without its end was passed over: it was never kept, and nothing was done on it.
    pub torn: bool,
}

/// Why a ledger was not decided again to the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A line is not one that an engine wrote.
    #[error("line {line} of the ledger cannot be read: {why}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A line came out otherwise.
    #[error("{0}")]
    Differs(Difference),
}

/// The first line that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the ledger is decided otherwise now\n  then: {}\n  now:  {}", .at.excerpt(.then), .at.excerpt(.now))]
pub struct Difference {
    /// The line, from 1.
    pub line: usize,
    /// What it says.
    pub then: String,
    /// What came out.
    pub now: String,
    /// Where the two part.
    pub at: Parting,
}

/// The first byte in which two lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting(pub usize);

impl Parting {
    fn between(then: &str, now: &str) -> Self {
        Self(then.bytes().zip(now.bytes()).take_while(|(a, b)| a == b).count())
    }

    /// Returns a line's text around the place: lines are long, and what differs is short.
    fn excerpt(self, line: &str) -> String {
        let start = line.floor_char_boundary(self.0.saturating_sub(60));
        let end = line.floor_char_boundary(self.0.saturating_add(100));
        let (before, after) = (
            if start > 0 { "…" } else { "" },
            if end < line.len() { "…" } else { "" },
        );
        format!("{before}{}{after}", &line[start..end])
    }
}

/// Decides every entry of a ledger again and compares the bytes.
///
/// # Errors
/// With the first line that cannot be read or comes out otherwise.
pub fn replay(ledger: &str) -> Result<Replayed, ReplayError> {
    let (lines, torn) = read_lines(ledger)?;
    let mut replayed = Replayed {
        torn,
        ..Replayed::default()
    };
    let mut rest = &lines[..];
    while let [first, after @ ..] = rest {
        if first.head.kind != Kind::Started {
            return Err(first.unreadable("a ledger begins with what the engine started from"));
        }
        let length = 1 + after
            .iter()
            .take_while(|line| line.head.kind != Kind::Started)
            .count();
        replayed.cut += usize::from(replay_from_start(&rest[..length])?);
        replayed.lines += length;
        let decided = |line: &&Line<'_>| line.head.kind == Kind::Decided;
        replayed.decisions += rest[..length].iter().filter(decided).count();
        rest = &rest[length..];
    }
    Ok(replayed)
}

/// One line of a ledger.
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
    pub(super) head: Head,
}

impl Line<'_> {
    pub(super) fn unreadable(&self, why: impl std::fmt::Display) -> ReplayError {
        ReplayError::Unreadable {
            line: self.number,
            why: why.to_string(),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ReplayError> {
        serde_json::from_str(self.text).map_err(|error| self.unreadable(error))
    }
}

fn read_lines(ledger: &str) -> Result<(Vec<Line<'_>>, bool), ReplayError> {
    let whole = ledger.rfind('\n').map_or(0, |at| at + 1);
    let torn = whole < ledger.len();
    let numbered = ledger[..whole].lines().zip(1..);
    let lines = numbered.map(|(text, number)| {
        let unreadable = |why| ReplayError::Unreadable { line: number, why };
        if text.len() > LINE_BYTES_MAX {
            return Err(unreadable(format!(
                "it is longer than {} MiB",
                LINE_BYTES_MAX >> 20
            )));
        }
        let head = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        Ok(Line { number, text, head })
    });
    Ok((lines.collect::<Result<_, _>>()?, torn))
}

/// Returns what an engine began with.
pub(super) fn beginning(first: &Line<'_>) -> Result<(Policies, Memory), ReplayError> {
    let started: Started = first.read()?;
    let policies = started.policies.iter().map(super::PolicyRecord::policy);
    let policies: Vec<_> = policies
        .collect::<Result<_, _>>()
        .map_err(|why| first.unreadable(why))?;
    let mut policies = Policies::from(policies);
    if let Some(AccountPolicyRecord { name, file }) = &started.account {
        let account = AccountPolicy::from_file(name, file);
        let account = account.map_err(|_| first.unreadable("nobody can decide by what is shared"))?;
        policies.account = Some(account);
    }
    let memory = started.memory.memory().map_err(|why| first.unreadable(why))?;
    Ok((policies, memory))
}

/// Says whether the last look was cut off.
fn replay_from_start(lines: &[Line<'_>]) -> Result<bool, ReplayError> {
    let (policies, memory) = beginning(&lines[0])?;
    let lines = decisions_first(lines);
    let mut world = Recorded {
        lines: &lines,
        next: 0,
        shared_end: shared_end(&lines),
        cut: false,
        error: None,
    };
    run(&mut world, &policies, memory);
    match world.error {
        Some(error) => Err(error),
        None if world.next < lines.len() => {
            Err(lines[world.next].unreadable("nothing that comes before leads to this line"))
        }
        None => Ok(world.cut),
    }
}

/// Returns the lines with the decisions of each look before what became of its orders, as they are written: earlier versions wrote
/// each order's answer behind its own decision, and decided no otherwise.
fn decisions_first<'a>(lines: &'a [Line<'a>]) -> Vec<&'a Line<'a>> {
    let mut ordered: Vec<&Line<'_>> = lines.iter().collect();
    for look in ordered.chunk_by_mut(|one, other| one.head.at == other.head.at) {
        look.sort_by_key(|line| line.head.kind == Kind::Settled);
    }
    ordered
}

/// Returns where the last look begins, if its decisions were made together: then it cannot be told from a whole one whether some
/// of them are missing.
fn shared_end(lines: &[&Line<'_>]) -> Option<usize> {
    let at = lines.last()?.head.at;
    let first = lines
        .iter()
        .rposition(|line| line.head.at != at)
        .map_or(0, |before| before + 1);
    let shared = lines[first..].iter().any(|line| line.head.kind == Kind::Account);
    shared.then_some(first)
}

/// Reads what was seen in one look from its lines; an error of the look itself is given back.
pub(super) fn see<'a>(
    look: impl IntoIterator<Item = &'a Line<'a>>,
    into: &mut Observation,
) -> Result<Option<ObserveError>, ReplayError> {
    for line in look {
        match line.head.kind {
            Kind::Blind => return Ok(Some(line.read::<Blind>()?.error.into())),
            Kind::Decided => {
                let seen = line
                    .read::<Decided>()?
                    .seen
                    .ok_or_else(|| line.unreadable("it does not say what was seen"))?;
                let id = seen
                    .pool
                    .id
                    .clone()
                    .ok_or_else(|| line.unreadable("the pool has no id"))?;
                let samples = seen.samples.to_samples().map_err(|why| line.unreadable(why))?;
                let view = into.push(seen.pool.state(id));
                view.samples.extend(samples);
                view.readings = seen.readings;
                view.work = seen.work;
                view.halt = seen.halt;
                view.fault = seen.fault.map(ObserveError::from);
            }
            Kind::Account => into.account = Some(line.read::<AccountLine>()?.seen.into()),
            Kind::Started | Kind::Unmatched | Kind::Settled => {}
        }
    }
    Ok(None)
}

/// The world as the lines of a ledger tell it.
struct Recorded<'a> {
    lines: &'a [&'a Line<'a>],
    next: usize,
    /// Where the last look begins, if its decisions were made together.
    shared_end: Option<usize>,
    cut: bool,
    error: Option<ReplayError>,
}

impl Recorded<'_> {
    /// Reads what was seen at a moment, from the lines that are next.
    fn see(&self, now: Timestamp, into: &mut Observation) -> Result<Option<ObserveError>, ReplayError> {
        let at_once = self.lines[self.next..]
            .iter()
            .copied()
            .take_while(|line| line.head.at == now);
        see(at_once, into)
    }

    fn stop(&mut self, error: ReplayError) -> RecordError {
        let message = error.to_string();
        self.error.get_or_insert(error);
        RecordError { message }
    }
}

impl World for Recorded<'_> {
    fn wait_until(&mut self, _: Timestamp) -> Option<Timestamp> {
        let next = self.lines.get(self.next).filter(|_| self.error.is_none())?;
        Some(next.head.at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        match self.see(question.now, into) {
            Ok(None) => Ok(()),
            Ok(Some(blind)) => Err(blind),
            Err(error) => {
                let RecordError { message } = self.stop(error);
                Err(ObserveError {
                    message,
                    retry: false,
                })
            }
        }
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        let Some(then) = self.lines.get(self.next) else {
            // The ledger ends in the middle of a look: what comes after was never kept.
            return Ok(());
        };
        // One that ends behind what the account shares does not say which pools were seen.
        let ends = self.next + 1 == self.lines.len() && then.head.kind == Kind::Account;
        if ends && matches!(entry, Entry::Unmatched { .. }) {
            self.next += 1;
            return Ok(());
        }
        let now = line(entry);
        if now != then.text && self.shared_end.is_some_and(|end| end <= self.next) {
            self.cut = true;
            self.next = self.lines.len();
            return Ok(());
        }
        if now != then.text {
            let difference = Difference {
                line: then.number,
                then: then.text.to_owned(),
                at: Parting::between(then.text, &now),
                now,
            };
            return Err(self.stop(ReplayError::Differs(difference)));
        }
        self.next += 1;
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        let settled = self
            .lines
            .get(self.next)
            .filter(|line| line.head.kind == Kind::Settled);
        match settled.map(|line| line.read::<Settled>()) {
            Some(Ok(settled)) => settled.receipt,
            Some(Err(error)) => {
                self.stop(error);
                Receipt::Withheld
            }
            // The ledger ends before the answer: nobody knows.
            None => unanswered(),
        }
    }
}

/// Returns what is known of an order whose answer was never kept: it may or may not have been taken.
pub(super) fn unanswered() -> Receipt {
    Receipt::Refused(Refusal {
        kind: RefusalKind::Unreachable,
        message: "the ledger ends before its answer".to_owned(),
    })
}
