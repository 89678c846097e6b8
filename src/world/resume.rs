//! What an engine remembered when its ledger ended: what it began with, and every look that follows, seen once more.
//!
//! Nothing is compared: memory follows from looks and from what became of orders, so that a later version, which decides
//! otherwise, goes on all the same.

use super::line::{Head, Kind, Settled};
use super::replay::{Line, ReplayError, beginning, see, unanswered};
use crate::account::{Order, Receipt};
use crate::base::Timestamp;
use crate::decision::Memory;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};

/// What is remembered at the end of a ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// The memory to go on with.
    pub memory: Memory,
    /// How many looks were seen once more.
    pub looks: usize,
    /// What could not be read: the line, counted from what the engine began with as 1, and why. A look with such a line counts
    /// as one at which nothing could be seen.
    pub unreadable: Vec<(usize, String)>,
}

/// Returns what is remembered after the lines from the latest `started` line on; nothing when there is no line.
///
/// The last look may have been cut off, so that pools that it does not show are not forgotten.
///
/// # Errors
/// When the first line is not one that an engine can begin with.
pub fn remember(lines: &[String]) -> Result<Remembered, ReplayError> {
    let Some((first, rest)) = lines.split_first() else {
        return Ok(Remembered::default());
    };
    let (policies, memory) = beginning(&read_line(1, first)?)?;
    let mut world = Told::read(rest);
    let looks = world.looks.len();
    // The last look is seen by itself, because it may not be whole.
    let mut end = Told {
        looks: world.looks.pop().into_iter().collect(),
        ..Told::default()
    };
    let before = run(&mut world, &policies, memory);
    let mut memory = run(&mut end, &policies, before.clone());
    for (id, pool) in before.pools {
        if memory.pools.get(&id).is_none_or(|now| now.gone) {
            memory.pools.insert(id, pool);
        }
    }
    world.unreadable.append(&mut end.unreadable);
    Ok(Remembered {
        memory,
        looks,
        unreadable: world.unreadable,
    })
}

fn read_line(number: usize, text: &str) -> Result<Line<'_>, ReplayError> {
    let head: Head = serde_json::from_str(text).map_err(|error| ReplayError::Unreadable {
        line: number,
        why: error.to_string(),
    })?;
    Ok(Line { number, text, head })
}

/// A world of looks that were written down; it takes no order and keeps no entry.
#[derive(Default)]
struct Told<'a> {
    looks: Vec<Look<'a>>,
    next: usize,
    unreadable: Vec<(usize, String)>,
}

/// The lines of one moment.
struct Look<'a> {
    at: Timestamp,
    lines: Vec<Line<'a>>,
    /// Whether a line of it cannot be read.
    spoilt: bool,
}

impl<'a> Told<'a> {
    fn read(lines: &'a [String]) -> Self {
        let mut told = Self::default();
        let mut after_unreadable = false;
        for (number, text) in (2..).zip(lines) {
            match read_line(number, text) {
                Ok(line) if told.looks.last().is_some_and(|look| look.at == line.head.at) => {
                    let look = told.looks.last_mut().expect("one was just found");
                    look.lines.push(line);
                }
                // A line that cannot be read may have been the first of the look that follows.
                Ok(line) => told.looks.push(Look {
                    at: line.head.at,
                    lines: vec![line],
                    spoilt: std::mem::take(&mut after_unreadable),
                }),
                Err(error) => {
                    told.unreadable.push((number, error.to_string()));
                    after_unreadable = true;
                    if let Some(look) = told.looks.last_mut() {
                        look.spoilt = true;
                    }
                }
            }
        }
        told
    }
}

impl World for Told<'_> {
    fn wait_until(&mut self, _: Timestamp) -> Option<Timestamp> {
        self.looks.get(self.next).map(|look| look.at)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let look = &self.looks[self.next];
        self.next += 1;
        let unseen = |message: &str| {
            Err(ObserveError {
                message: message.to_owned(),
                retry: false,
            })
        };
        if look.spoilt {
            return unseen("a line of this look cannot be read");
        }
        // A hold of a look at which nothing could be seen says so in its own line.
        let blind = look.lines.iter().any(|line| line.head.kind == Kind::Blind);
        match see(&look.lines, into) {
            Ok(None) if !blind => Ok(()),
            Ok(Some(error)) => Err(error),
            Ok(None) => unseen("nothing could be seen"),
            Err(error) => {
                into.clear();
                let number = match &error {
                    ReplayError::Unreadable { line, .. } => *line,
                    ReplayError::Differs(difference) => difference.line,
                };
                self.unreadable.push((number, error.to_string()));
                unseen("a line of this look cannot be read")
            }
        }
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    /// Tells what became of an order then; nobody knows of one whose answer was never kept.
    fn act(&mut self, order: &Order) -> Receipt {
        let lines = self.next.checked_sub(1).map(|now| &self.looks[now].lines);
        let settled = lines
            .into_iter()
            .flatten()
            .filter(|line| line.head.kind == Kind::Settled)
            .filter_map(|line| line.read::<Settled>().ok())
            .find(|settled| settled.pool == order.pool);
        settled.map_or_else(unanswered, |settled| settled.receipt)
    }
}
