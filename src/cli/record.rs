//! `lowtide record`: what a pool does for a while, as files that `backtest` and `test` read.

use std::path::PathBuf;

use super::account_options::AccountOptions;
use super::exit::{Exit, Failure};
use super::files;
use super::ledger_option::{LedgerOption, failure, moment};
use super::render::counted_are;
use super::terminal::Terminal;
use crate::account::{PoolId, PoolPattern};
use crate::base::{Span, Timestamp};
use crate::engine::{Observation, Question, World};
use crate::signal::Metric;
use crate::store::report::Stretch;
use crate::store::{Search, Store, Trace};
use crate::world::{EntryKind, look_of, replace_file};

/// Record what a pool does, from the live account or out of a ledger, for backtests and policy tests
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The name of the file says what is written: *.csv is a table of the tasks that ended, for
`backtest --workload`; *.test.yaml is a policy test with the samples and tasks that were seen. The
file of a live account is written again every five minutes, so that little is lost when the command
is stopped.")]
pub(super) struct Record {
    /// The pool; need not be named where there is but one
    #[arg(value_name = "POOL")]
    pool: Option<PoolId>,
    /// For how long a live account is looked at
    #[arg(long = "for", value_name = "TIME", required_unless_present = "ledger_from", conflicts_with_all = ["from", "to"])]
    lasts: Option<Span>,
    /// How often a live account is looked at
    #[arg(long, value_name = "TIME", default_value = "30s")]
    every: Span,
    /// Where to: *.csv for backtests, *.test.yaml for tests
    #[arg(long, short = 'O', value_name = "FILE")]
    out: PathBuf,
    #[expect(clippy::doc_markdown, reason = "it is the help of a command")]
    /// Out of this ledger instead of a live account: a file of SQLite or of JSON lines, or postgres://USER@HOST/DATABASE
    #[arg(
        long = "ledger",
        id = "ledger_from",
        value_name = "FILE|URL",
        conflicts_with = "lasts"
    )]
    ledger: Option<String>,
    /// From this time on: 2026-11-22T09:00:00Z, or 7d ago
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "ledger_from")]
    from: Option<Timestamp>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "ledger_from")]
    to: Option<Timestamp>,
    #[command(flatten)]
    account: AccountOptions,
}

/// What is written.
#[derive(Clone, Copy)]
enum Form {
    Tasks,
    Test,
}

/// How often the file of a live account is written.
const WRITTEN_EVERY: Span = Span::minutes(5);

impl Record {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let form = self.form()?;
        files::may_be_replaced(&self.out)?;
        let trace = match &self.ledger {
            Some(ledger) => {
                let store = LedgerOption::of(ledger).open(terminal)?;
                self.told(&store)?
            }
            None => self.watch(form, terminal)?,
        };
        self.write(&trace, form)?;
        let out = self.out.display();
        let text = match form {
            Form::Tasks => {
                let (tasks, unfinished) = (trace.tasks(), trace.unfinished());
                let left = if unfinished == 0 {
                    String::new()
                } else {
                    format!("; {unfinished} had not ended, and are left out")
                };
                format!("{} written to {out}{left}\n", counted_are(tasks, "task"))
            }
            Form::Test => format!("{} written to {out}\n", counted_are(trace.looks(), "look")),
        };
        terminal.say(&text)?;
        Ok(Exit::Success)
    }

    fn form(&self) -> Result<Form, Failure> {
        let name = self.out.to_string_lossy();
        if name.ends_with(".csv") {
            Ok(Form::Tasks)
        } else if name.ends_with(".test.yaml") {
            Ok(Form::Test)
        } else {
            let message = format!("`{name}` does not say what to write; name a *.csv or a *.test.yaml");
            Err(Failure::Usage(message))
        }
    }

    /// Returns what a ledger tells of the pool.
    fn told(&self, store: &Store) -> Result<Trace, Failure> {
        let stretch = Stretch {
            from: self.from,
            to: self.to,
            pool: Some(self.pool_of(store)?),
        };
        let mut trace = Trace::default();
        let each = &mut |found: crate::store::Found| {
            if let Ok(Some((at, view))) = look_of(&found.line) {
                trace.see(at, &view);
            }
        };
        store.walk(&stretch.decisions(), each).map_err(failure)?;
        if trace.looks() == 0 {
            return Err(nothing("the ledger has no look at the pool in that time"));
        }
        Ok(trace)
    }

    /// Returns the pool that was named, or the only one.
    fn pool_of(&self, store: &Store) -> Result<PoolId, Failure> {
        if let Some(pool) = &self.pool {
            return Ok(pool.clone());
        }
        let search = Search {
            kind: Some(EntryKind::Decided),
            newest_first: true,
            ..Search::default()
        };
        let found = store.search(&search).map_err(failure)?.found;
        let pools = found.into_iter().filter_map(|found| found.pool).collect();
        one_of(pools)
    }

    /// Looks at a live account for as long as was asked.
    fn watch(&self, form: Form, terminal: &mut Terminal) -> Result<Trace, Failure> {
        let lasts = self.lasts.expect("the command line has one of the two");
        let pattern: PoolPattern = match &self.pool {
            Some(pool) => pool.as_str().parse().expect("a pool's id is a pattern"),
            None => "*".parse().expect("a star is a pattern"),
        };
        // It has the runtime that the account is asked on.
        let mut connected = self.account.connect()?;
        let live = &mut connected.live;
        let mut trace = Trace::default();
        let mut seen = Observation::default();
        let (mut end, mut written, mut due) = (None, None, Timestamp::from_ticks(i64::MIN));
        while let Some(now) = live.wait_until(due) {
            let now = now.whole_milliseconds();
            let end = *end.get_or_insert(now + lasts);
            if now > end {
                break;
            }
            due = (now + self.every.max(Span::seconds(1))).min(end + Span::from_ticks(10_000));
            let question = Question {
                now,
                pools: std::slice::from_ref(&pattern),
                turns: &[],
                metrics: Metric::ALL,
                signals: &[],
                work: true,
                account: false,
            };
            seen.clear();
            if let Err(error) = live.observe(&question, &mut seen) {
                if !error.retry {
                    return Err(nothing(&error.message));
                }
                terminal.say(&format!("note: {now}: {}\n", error.message))?;
                continue;
            }
            let pools = seen.pools().iter().map(|view| view.state.id.clone()).collect();
            let pool = one_of(pools)?;
            let views = seen.pools().iter();
            for view in views.filter(|view| view.state.id == pool && view.fault.is_none()) {
                trace.see(now, view);
            }
            if *written.get_or_insert(now) + WRITTEN_EVERY <= now {
                written = Some(now);
                self.write(&trace, form)?;
            }
        }
        Ok(trace)
    }

    /// Writes the file whole, so that who reads it meanwhile reads the one before.
    fn write(&self, trace: &Trace, form: Form) -> Result<(), Failure> {
        let text = match form {
            Form::Tasks => trace.to_task_table(),
            Form::Test => trace.to_policy_test(),
        };
        replace_file(&self.out, text.as_bytes()).map_err(|error| files::not_written(&self.out, &error))
    }
}

fn nothing(message: &str) -> Failure {
    Failure::World {
        message: message.to_owned(),
        help: None,
    }
}

/// Returns the only pool of several.
fn one_of(mut pools: Vec<PoolId>) -> Result<PoolId, Failure> {
    pools.sort();
    pools.dedup();
    match pools.as_slice() {
        [pool] => Ok(pool.clone()),
        [] => Err(nothing("there is no such pool")),
        several => {
            let names: Vec<&str> = several.iter().map(PoolId::as_str).collect();
            Err(Failure::Usage(format!(
                "name the pool to record: {}",
                names.join(", ")
            )))
        }
    }
}
