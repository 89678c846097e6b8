//! `lowtide tune`: the cheapest setting of a policy that keeps to a limit, proven on a part of the log that it did not see.

use std::io::Write;

use indicatif::ProgressBar;

use super::backtest::{Backtest, Case, print_workload};
use super::exit::{Exit, Failure};
use super::options::Output;
use super::render::visible;
use super::terminal::Terminal;
use crate::sim::Condition;
use crate::sim::sweep::{self, Candidate, Tuning};

/// Find the cheapest setting of a policy that keeps to a limit, and prove it on held-out time
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every combination of --sweep is run on the first part of the log. The cheapest one for which no
condition of --fail-if holds is run on the rest, as is the policy as it stands. It is proposed when
it keeps to the limit there too, and is cheaper than the policy as it stands or that breaks it.
Without --fail-if the limit is misses>5%,missed_work>10%.
Exit code 4: nothing is proposed.")]
// What a backtest writes of its runs is not for the many that are tried here.
#[command(mut_arg("table", |arg| arg.hide(true)), mut_arg("hours", |arg| arg.hide(true)))]
pub(super) struct Tune {
    #[command(flatten)]
    backtest: Backtest,
    /// The share of the log's time that settings are chosen on
    #[arg(long, value_name = "SHARE", default_value_t = 0.6, value_parser = parse_part)]
    train: f64,
}

/// The limit of the study that the cost targets are taken from.
const LIMIT: [&str; 2] = ["misses>5%", "missed_work>10%"];

fn parse_part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|share| (0.05..=0.95).contains(share));
    part.ok_or_else(|| "write a share from 0.05 to 0.95".to_owned())
}

impl Tune {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        if self.backtest.html.is_wanted() {
            let message = "tune makes no page; `lowtide backtest --sweep … --html FILE` does";
            return Err(Failure::Usage(message.to_owned()));
        }
        if self.backtest.sweep.is_empty() {
            return Err(Failure::Usage(
                "there is nothing to choose from; add --sweep PATH=A,B".to_owned(),
            ));
        }
        self.backtest.tables.refuse_in("tune")?;
        let Case {
            policies,
            workload,
            options,
        } = self.backtest.case()?;
        let [current] = &policies.policies[..] else {
            let count = policies.policies.len();
            return Err(Failure::Usage(format!(
                "one policy is tuned at a time, not {count}"
            )));
        };
        let conditions: Vec<Condition> = if self.backtest.fail_if.is_empty() {
            let limit = LIMIT.iter().map(|text| text.parse());
            limit
                .collect::<Result<_, _>>()
                .expect("the limit is written as conditions")
        } else {
            self.backtest.fail_if.clone()
        };
        let candidates = self.backtest.variants()?.into_iter();
        let tuning = Tuning {
            current: current.clone(),
            candidates: candidates
                .map(|(_, setting, policy)| Candidate { setting, policy })
                .collect(),
            others: self.backtest.others(&policies),
            train: self.train,
            conditions,
        };
        let spinner = ProgressBar::new_spinner();
        let tuned = sweep::tune(&tuning, &workload, &options, &|_| spinner.tick());
        spinner.finish_and_clear();
        let report = tuned.map_err(|error| Failure::Usage(error.to_string()))?;
        match self.backtest.output.output {
            Output::Json => terminal.json(&report)?,
            Output::Text => {
                print_workload(&workload, terminal)?;
                write!(terminal.out(), "\n{}", visible(&report.to_text()))?;
            }
        }
        Ok(if report.refusal.is_none() {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}
