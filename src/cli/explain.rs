//! `lowtide explain`: a decision out of the ledger, step by step.

use std::io::Write;

use serde::Deserialize;

use super::exit::{Exit, Failure};
use super::ledger_option::{LedgerOption, failure, moment};
use super::options::{Output, OutputOption};
use super::plan;
use super::render::visible;
use super::terminal::{Paint, Terminal};
use crate::account::{PoolId, Receipt};
use crate::base::{Span, Timestamp};
use crate::decision::Told;
use crate::engine::PoolView;
use crate::store::{Found, Search, Store};
use crate::world::{EntryKind, look_of};

/// Show a decision out of the ledger: what was seen, each step with its reason, and what became of the order
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The latest decision is shown, or with --at the latest one at or before that time. With -o json it is
the ledger's own line, and after it the line of what became of its order.")]
pub(super) struct Explain {
    /// The pool
    #[arg(value_name = "POOL")]
    pool: PoolId,
    /// The latest decision; this is so without --at too
    #[arg(long, conflicts_with = "at")]
    last: bool,
    /// The latest decision at or before this time: 2026-11-22T09:00:00Z, or 90m ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    ledger: LedgerOption,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Deserialize)]
struct Settled {
    receipt: Receipt,
}

impl Explain {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let store = self.ledger.open(terminal)?;
        let found = match self.at {
            Some(at) => store.decision_at(&self.pool, at),
            None => store.latest(&self.pool),
        };
        let Some(found) = found.map_err(failure)? else {
            return Err(self.nothing(&store)?);
        };
        let settled = settled(&store, &found)?;
        match self.output.output {
            Output::Json => {
                writeln!(terminal.out(), "{}", found.line)?;
                if let Some(settled) = settled {
                    writeln!(terminal.out(), "{}", settled.line)?;
                }
            }
            Output::Text => {
                let text = self.text(&found, settled.as_ref(), terminal.paint())?;
                terminal.out().write_all(text.as_bytes())?;
            }
        }
        Ok(Exit::Success)
    }

    fn text(&self, found: &Found, settled: Option<&Found>, paint: Paint) -> Result<String, Failure> {
        let odd = |error: &dyn std::fmt::Display| Failure::World {
            message: format!(
                "line {} of {} cannot be read: {error}",
                found.number,
                self.ledger.named()
            ),
            help: None,
        };
        let told: Told = serde_json::from_str(&found.line).map_err(|error| odd(&error))?;
        let look = look_of(&found.line).map_err(|error| odd(&error))?;
        let mut text = plan::paint_chain(&told.to_text(), told.verdict(), paint);
        if let Some((at, view)) = look {
            text += &visible(&seen(at, &view));
        }
        let receipt = settled.and_then(|settled| serde_json::from_str::<Settled>(&settled.line).ok());
        let became = match receipt.map(|settled| settled.receipt) {
            Some(Receipt::Accepted) => Some("the order was accepted".to_owned()),
            Some(Receipt::Withheld) => {
                Some("the order was withheld: nothing was asked of the pool".to_owned())
            }
            Some(Receipt::Refused(refusal)) => Some(format!("the order was refused: {}", refusal.message)),
            None if told.has_order() => {
                Some("nothing is known of the order: the ledger ends before".to_owned())
            }
            None => None,
        };
        if let Some(became) = became {
            text += &format!("  then      {}\n", visible(&became));
        }
        text += &format!(
            "  ledger    line {} of {}\n",
            found.number,
            visible(&self.ledger.named())
        );
        Ok(text)
    }

    /// Says that there is no such decision, and when there are some.
    fn nothing(&self, store: &Store) -> Result<Failure, Failure> {
        let first = Search {
            pool: Some(self.pool.clone()),
            kind: Some(EntryKind::Decided),
            limit: 1,
            ..Search::default()
        };
        let first = store.search(&first).map_err(failure)?.found;
        let message = match (first.first(), self.at) {
            (Some(first), Some(at)) => format!(
                "pool {} was first decided for at {}, after {at}",
                self.pool, first.at
            ),
            _ => format!(
                "{} has no decision about a pool {}",
                self.ledger.named(),
                self.pool
            ),
        };
        Ok(Failure::World {
            message,
            help: Some("`lowtide ledger search` lists what there is".to_owned()),
        })
    }
}

/// Returns what became of the order of a decision.
fn settled(store: &Store, found: &Found) -> Result<Option<Found>, Failure> {
    let search = Search {
        pool: found.pool.clone(),
        from: Some(found.at),
        to: Some(found.at),
        kind: Some(EntryKind::Settled),
        after: Some(found.number),
        limit: 1,
        ..Search::default()
    };
    Ok(store.search(&search).map_err(failure)?.found.pop())
}

/// Returns what was seen, in lines like those of the steps.
fn seen(at: Timestamp, view: &PoolView) -> String {
    use std::fmt::Write as _;
    let nodes = &view.state.nodes;
    let mut text = String::new();
    let counts = [
        ("usable", nodes.usable),
        ("idle", nodes.idle),
        ("running", nodes.running),
        ("starting", nodes.starting),
        ("preempted", nodes.preempted),
        ("unusable", nodes.unusable),
    ];
    let counts = counts.iter().filter(|(_, count)| count.0 > 0);
    let counts: Vec<String> = counts.map(|(word, count)| format!("{count} {word}")).collect();
    let counts = if counts.is_empty() {
        "no nodes".to_owned()
    } else {
        counts.join(", ")
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  seen      {counts}; the pool was {}",
        view.state.allocation.word()
    );
    if let Some(work) = &view.work {
        let (waiting, running) = (work.waiting.len(), work.running.len());
        let _ = writeln!(text, "            {waiting} tasks waiting, {running} running");
    }
    let mut latest = std::collections::BTreeMap::new();
    for sample in &view.samples {
        latest.insert(sample.metric, sample);
    }
    for (metric, sample) in latest {
        let age: Span = at - sample.taken;
        let _ = writeln!(
            text,
            "            {metric} {}, {} old",
            sample.value,
            age.in_short()
        );
    }
    for error in &view.state.resize_errors {
        let _ = writeln!(text, "            last resize: {}", error.code);
    }
    if let Some(fault) = &view.fault {
        let _ = writeln!(text, "            not seen whole: {}", fault.message);
    }
    text
}
