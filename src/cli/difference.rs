//! `lowtide diff`: where a policy and the pool that it speaks of are apart.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::account_options::AccountOptions;
use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::terminal::{Paint, Terminal};
use super::{diff, files, policies, wiring};
use crate::bring::{Apart, NativePool, apart};
use crate::policy::Policy;

/// Compare policies with the pools that they speak of: formula, interval, bounds, autoscale, slots
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Formulas are compared in canonical layout. A recorded account does not tell formula and interval; the pool's JSON does.
Exit codes: 2 when a policy and its pool are apart.")]
pub(super) struct Diff {
    /// Policies, or directories with *.yaml files; the first that speaks of a pool decides for it
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// The account as it was recorded, in the place of the live one; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "pool_json")]
    snapshot: Option<PathBuf>,
    /// Pools as `az batch pool show`, `az batch pool list` or the REST API give them; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pool_json: Option<PathBuf>,
    #[command(flatten)]
    account: AccountOptions,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Serialize)]
struct Record<'a> {
    pool: &'a str,
    policy: &'a str,
    differences: Vec<DifferenceRecord<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct DifferenceRecord<'a> {
    what: &'a str,
    policy: &'a str,
    pool: &'a str,
}

impl Diff {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let policies = policies::read_all(&self.policies)?;
        let pools = self.pools()?;
        let mut compared: Vec<(&NativePool, &Policy, Apart)> = Vec::new();
        for pool in &pools {
            match policies.policy_for(&pool.id) {
                Some(policy) => compared.push((pool, policy, apart(policy, pool))),
                None => terminal.say(&format!("note: no policy speaks of pool {}\n", pool.id))?,
            }
        }
        match self.output.output {
            Output::Json => {
                let records: Vec<_> = compared
                    .iter()
                    .map(|(pool, policy, apart)| record(pool, policy, apart))
                    .collect();
                terminal.json(&records)?;
            }
            Output::Text => {
                for (pool, policy, apart) in &compared {
                    print(pool, policy, apart, terminal)?;
                }
            }
        }
        let differ = compared.iter().any(|(_, _, apart)| !apart.differences.is_empty());
        Ok(if differ { Exit::Differences } else { Exit::Success })
    }

    fn pools(&self) -> Result<Vec<NativePool>, Failure> {
        let source = match self.snapshot.as_ref().or(self.pool_json.as_ref()) {
            Some(path) => files::read(path)?,
            None => self.account.pools()?,
        };
        let pools = if self.snapshot.is_some() {
            wiring::read_snapshot(&source.text).map(|account| {
                account
                    .pools
                    .iter()
                    .map(|pool| NativePool::from(&pool.state))
                    .collect()
            })
        } else {
            NativePool::read_all(&source.text)
        };
        pools.map_err(|faults| Failure::Text(source, faults))
    }
}

fn record<'a>(pool: &'a NativePool, policy: &'a Policy, apart: &'a Apart) -> Record<'a> {
    let differences = apart.differences.iter().map(|difference| DifferenceRecord {
        what: difference.what,
        policy: &difference.policy,
        pool: &difference.pool,
    });
    Record {
        pool: pool.id.as_str(),
        policy: &policy.name,
        differences: differences.collect(),
        notes: &apart.notes,
    }
}

fn print(pool: &NativePool, policy: &Policy, apart: &Apart, terminal: &mut Terminal) -> Result<(), Failure> {
    let paint = terminal.paint();
    let verdict = match apart.differences.len() {
        0 => paint.on(Paint::GOOD, "as its policy says"),
        1 => paint.on(Paint::CARE, "1 difference"),
        count => paint.on(Paint::CARE, format!("{count} differences")),
    };
    writeln!(terminal.out(), "{}: {verdict} ({})", pool.id, policy.name)?;
    for difference in &apart.differences {
        let what = paint.on(Paint::NAME, format!("{:<12}", difference.what));
        let (ours, theirs) = (&difference.policy, &difference.pool);
        writeln!(terminal.out(), "  {what}  policy: {ours}; pool: {theirs}")?;
    }
    if let Some([ours, theirs]) = &apart.formulas {
        let names = [format!("policy {}", policy.name), format!("pool {}", pool.id)];
        terminal
            .out()
            .write_all(diff::unified(&names, ours, theirs, paint).as_bytes())?;
    }
    for note in &apart.notes {
        terminal.say(&format!("note: {}: {note}\n", pool.id))?;
    }
    Ok(())
}
