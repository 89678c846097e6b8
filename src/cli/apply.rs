//! `lowtide apply`: shows what would be ordered, asks, and orders it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::account_options::AccountOptions;
use super::exit::{Exit, Failure};
use super::live::{self, Outcome};
use super::options::{Output, OutputOption};
use super::plan;
use super::policies;
use super::signal_options::SignalOptions;
use super::terminal::{Paint, Terminal};
use crate::account::{PoolId, Receipt};

/// Show what would be ordered for each pool of a Batch account, ask, and order it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every decision is written to the ledger before its order goes out; what cannot be written is not ordered.
An order is bound to the pool as it was looked at: who changed it meanwhile wins.
One look has no past: guards that need one (cooldown, flap) see none, and formulas see one sample.
Exit codes: 1 when an order was refused or a pool could not be read.")]
pub(super) struct Apply {
    /// Policies, or directories with *.yaml files; the first that speaks of a pool decides for it, and a file of kind: account
    /// says what the pools share
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// Order without asking
    #[arg(long, short)]
    yes: bool,
    /// Where decisions are written, one JSON object a line; a ledger that is there is continued
    #[arg(long, value_name = "FILE", default_value = "lowtide-ledger.jsonl")]
    ledger: PathBuf,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    signals: SignalOptions,
    #[command(flatten)]
    account: AccountOptions,
}

/// What became of an order, as programs read it.
#[derive(Serialize)]
struct OutcomeRecord<'a> {
    pool: &'a PoolId,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

impl Apply {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let policies = policies::read_all(&self.policies)?;
        let mut connected = self.account.connect()?;
        self.signals.listen(&mut connected)?;
        if !self.yes && !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "apply asks before it orders, and nobody can answer here; say --yes, or look with `lowtide plan`".to_owned(),
            ));
        }
        let looked = live::look(&mut connected, &policies)?;
        plan::show(
            &looked.decisions,
            |decision| looked.price(&policies, decision),
            self.output.output,
            terminal,
        )?;
        let unread = if looked.faults().next().is_some() {
            Exit::Error
        } else {
            Exit::Success
        };
        if !looked.changes() {
            return Ok(unread);
        }
        if !self.yes && !ask(terminal)? {
            terminal.say("nothing was ordered\n")?;
            return Ok(unread);
        }
        let (outcomes, lost) = live::order(&mut connected, &policies, &looked, &self.ledger)?;
        self.tell(&outcomes, terminal)?;
        if let Some(lost) = lost {
            return Err(Failure::World {
                message: lost.message,
                help: Some(
                    "the orders after that did not go out; run apply again with a ledger that can be written"
                        .to_owned(),
                ),
            });
        }
        let refused = outcomes
            .iter()
            .any(|(_, receipt)| matches!(receipt, Receipt::Refused(_)));
        Ok(if refused { Exit::Error } else { unread })
    }

    fn tell(&self, outcomes: &[Outcome], terminal: &mut Terminal) -> io::Result<()> {
        let paint = terminal.paint();
        if self.output.output == Output::Text {
            writeln!(terminal.out())?;
        }
        for (order, receipt) in outcomes {
            let pool = &order.pool;
            match self.output.output {
                Output::Json => {
                    let record = OutcomeRecord { pool, receipt };
                    let line = serde_json::to_string(&record).expect("a receipt is made of words");
                    writeln!(terminal.out(), "{line}")?;
                }
                Output::Text => {
                    let line = match receipt {
                        Receipt::Accepted => paint.on(Paint::GOOD, format!("{pool}: accepted")),
                        Receipt::Refused(refusal) => {
                            paint.on(Paint::BAD, format!("{pool}: refused: {}", refusal.message))
                        }
                        Receipt::Withheld => paint.on(Paint::CARE, format!("{pool}: withheld")),
                    };
                    writeln!(terminal.out(), "{line}")?;
                }
            }
        }
        Ok(())
    }
}

/// Asks on the terminal; anything but a clear yes is a no.
fn ask(terminal: &mut Terminal) -> io::Result<bool> {
    terminal.say("\nOrder this? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}
