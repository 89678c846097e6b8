//! `lowtide backtest --sweep`: the policies with many settings, in one table.

use std::io::Write;

use super::backtest::{Backtest, print_workload, simulate};
use super::exit::{Exit, Failure};
use super::options::Output;
use super::render::visible;
use super::terminal::Terminal;
use super::{files, policies};
use crate::policy::Policy;
use crate::sim::Contender;
use crate::sim::sweep::{self, Setting, SweepReport};
use crate::world::is_policy;

impl Backtest {
    /// Runs the policies with every combination of the values that are swept.
    pub(super) fn run_sweep(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut case = self.case()?;
        let mut names = Vec::new();
        let mut contenders = Vec::new();
        for (name, setting, policy) in self.variants()? {
            names.push((name, setting));
            contenders.push(Contender::Policy(policy));
        }
        contenders.extend(self.others(&case.policies));
        case.options = self.followed(contenders.len(), case.options);
        let tables = self.tables.begin()?;
        let report = simulate(&contenders, &case.workload, &case.options)?;
        let mut report = SweepReport::new(report, &names, case.options.seeds.len(), &self.fail_if);
        match self.output.output {
            Output::Json => terminal.json(&report)?,
            Output::Text => {
                print_workload(&case.workload, terminal)?;
                write!(terminal.out(), "\n{}", visible(&report.to_table()))?;
            }
        }
        tables.finish_sweep(&report, case.workload.start, terminal)?;
        self.write_sweep_page(&case, &contenders, &mut report, terminal)?;
        if self.fail_if.is_empty() || report.points.iter().any(|point| point.fails.is_empty()) {
            return Ok(Exit::Success);
        }
        terminal.say("failed: a condition holds for every setting\n")?;
        Ok(Exit::Failed)
    }

    /// Returns each policy with each setting, by its name without it.
    pub(super) fn variants(&self) -> Result<Vec<(String, Setting, Policy)>, Failure> {
        let settings = sweep::settings(&self.sweep).map_err(|error| Failure::Usage(error.to_string()))?;
        let mut variants = Vec::new();
        for path in files::expand(&self.policies, is_policy)? {
            let read = policies::read_settings(&path, &settings)?;
            let name = policies::name(&path);
            let named = settings.iter().cloned().zip(read);
            variants.extend(named.map(|(setting, policy)| (name.clone(), setting, policy)));
        }
        Ok(variants)
    }
}
