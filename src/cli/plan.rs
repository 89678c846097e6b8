//! `lowtide plan`: what would be ordered, and why.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::account_options::AccountOptions;
use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::render::visible;
use super::signal_options::SignalOptions;
use super::terminal::{Paint, Terminal};
use super::{files, live, policies, wiring};
use crate::decision::{Decision, Snapshot, Verdict};
use crate::engine::{self, Priced};
use crate::mix::{Bill, Lost};

/// Show what would be ordered for each pool of a Batch account or a recorded one, and why
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is ordered. Without --snapshot the account itself is looked at, once: guards that need a
past see none, and formulas see one sample. With -o json every pool is one line, as in the ledger.
Exit codes: 1 when a pool could not be read, 2 with --detailed-exitcode when something would be
ordered.")]
pub(super) struct Plan {
    /// Policies, or directories with *.yaml files; the first that speaks of a pool decides for it, and a file of kind: account
    /// says what the pools share
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// An account as it was recorded, instead of a live one; `-` is standard input
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Exit with 2 when something would be ordered
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    signals: SignalOptions,
    #[command(flatten)]
    account: AccountOptions,
}

impl Plan {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match &self.snapshot {
            Some(snapshot) => self.run_recorded(snapshot, terminal),
            None => self.run_live(terminal),
        }
    }

    fn run_live(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let policies = policies::read_all(&self.policies)?;
        let mut connected = self.account.connect()?;
        self.signals.listen(&mut connected)?;
        let looked = live::look(&mut connected, &policies)?;
        show(
            &looked.decisions,
            |decision| looked.price(&policies, decision),
            self.output.output,
            terminal,
        )?;
        Ok(if looked.faults().next().is_some() {
            Exit::Error
        } else {
            self.exit(looked.changes())
        })
    }

    fn exit(&self, changes: bool) -> Exit {
        if self.detailed_exitcode && changes {
            Exit::Differences
        } else {
            Exit::Success
        }
    }

    fn run_recorded(&self, snapshot: &Path, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let policies = policies::read_all(&self.policies);
        let source = files::read(snapshot)?;
        let recorded = wiring::read_snapshot(&source.text).map_err(|faults| Failure::Text(source, faults));
        let (policies, recorded) = match (policies, recorded) {
            (Ok(policies), Ok(recorded)) => (policies, recorded),
            (Err(Failure::Texts(mut texts)), Err(Failure::Text(source, faults))) => {
                texts.push((source, faults));
                return Err(Failure::Texts(texts));
            }
            (Err(failure), _) | (_, Err(failure)) => return Err(failure),
        };
        let snapshots: Vec<_> = recorded.pools.iter().map(wiring::snapshot).collect();
        let decisions = engine::plan(&policies, &snapshots, Some(&recorded.shared));
        for snapshot in &snapshots {
            if policies.policy_for(&snapshot.pool.id).is_none() {
                let pool = &snapshot.pool.id;
                terminal.say(&format!(
                    "note: no policy speaks of pool {pool}; it is left alone\n"
                ))?;
            }
        }
        let decided = snapshots.iter().map(|snapshot| &snapshot.pool.id);
        if let Some(note) = policies.overpromised(decided, recorded.shared.quotas.as_ref()) {
            terminal.say(&format!("note: {note}\n"))?;
        }
        let price = |decision: &Decision| {
            let of_pool = |snapshot: &&Snapshot<'_>| snapshot.pool.id == decision.pool;
            let snapshot = snapshots.iter().find(of_pool)?;
            engine::priced(&policies, snapshot, decision)
        };
        show(&decisions, price, self.output.output, terminal)?;
        Ok(self.exit(decisions.iter().any(|decision| decision.order().is_some())))
    }
}

/// Prints decisions, each with what it costs where that was reckoned.
pub(super) fn show(
    decisions: &[Decision],
    price: impl Fn(&Decision) -> Option<Priced>,
    output: Output,
    terminal: &mut Terminal,
) -> io::Result<()> {
    match output {
        Output::Text => print(decisions, price, terminal),
        Output::Json => {
            for decision in decisions {
                writeln!(terminal.out(), "{}", json(decision, price(decision)))?;
            }
            Ok(())
        }
    }
}

fn print(
    decisions: &[Decision],
    price: impl Fn(&Decision) -> Option<Priced>,
    terminal: &mut Terminal,
) -> io::Result<()> {
    let paint = terminal.paint();
    for (index, decision) in decisions.iter().enumerate() {
        if index > 0 {
            writeln!(terminal.out())?;
        }
        terminal.out().write_all(text(decision, paint).as_bytes())?;
        if let Some(priced) = price(decision) {
            terminal.out().write_all(bill(&priced).as_bytes())?;
        }
    }
    if decisions.is_empty() {
        terminal.say("note: no pool has a policy, so nothing is decided\n")?;
    }
    Ok(())
}

/// Returns a decision on one line, with what it costs an hour where that was reckoned.
fn json(decision: &Decision, priced: Option<Priced>) -> String {
    let line = decision.to_json();
    let (Some(priced), Some(open)) = (priced, line.strip_suffix('}')) else {
        return line;
    };
    let priced = serde_json::to_string(&priced).expect("a bill is made of numbers");
    format!("{open},{}", &priced[1..])
}

/// Returns what an hour of a decision costs, line by line, and what else there was.
fn bill(priced: &Priced) -> String {
    use std::fmt::Write as _;
    let cost = |bill: &Bill| {
        let [compute, redo, lateness, churn] = bill.lines().map(|(_, amount)| amount.0);
        format!(
            "${:.2}/h: compute {compute:.2}, redo {redo:.2}, lateness {lateness:.2}, churn {churn:.2}",
            bill.total().0
        )
    };
    let mut text = format!("  bill      {}\n", cost(&priced.bill));
    if let Some(rival) = &priced.runner_up {
        let why = match &rival.lost {
            None => " (the best, had nothing been kept or restrained)".to_owned(),
            Some(Lost::Dearer { by, .. }) => format!(" (dearer by ${:.2}/h)", by.0),
            Some(Lost::Riskier { chance, wanted }) => {
                let [chance, wanted] = [chance, wanted].map(|chance| chance * 100.0);
                format!(" (enough with a chance of {chance:.1} %, {wanted:.1} % wanted)")
            }
            Some(Lost::AgainstTheRule { .. }) => " (against the rule of the share)".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  instead   {}  {}{why}", rival.mix, cost(&rival.bill));
    }
    text
}

/// Returns a decision's chain with its headline in colour.
pub(super) fn text(decision: &Decision, paint: Paint) -> String {
    paint_chain(&decision.to_text(), decision.verdict(), paint)
}

/// Returns a chain as it was told, with its headline in colour.
pub(super) fn paint_chain(told: &str, verdict: Verdict, paint: Paint) -> String {
    let text = visible(told);
    let (headline, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let style = match verdict {
        Verdict::Out | Verdict::In | Verdict::Shift => Paint::GOOD,
        Verdict::Hold => Paint::CARE,
        Verdict::Steady => Paint::HEADING,
    };
    format!("{}\n{rest}", paint.on(style, headline))
}
