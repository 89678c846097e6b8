//! A scenario: what a local account is like, what is in it at the start, and what happens to it, as a file.

mod codes;
mod file;
mod text;

use std::ops::Range;

use crate::account::{PoolId, PoolPattern};
use crate::base::document::Node;
use crate::base::schema::Schema;
use crate::base::{Diagnostic, Span, Timestamp};
use crate::sim::SpotMarket;
use crate::sim::workload::Workload;

pub use codes::CODES;
pub use file::{ScenarioJob, ScenarioPool};

use super::faults::HttpFaults;
use super::{Account, ForeignResize, Setup, Submission, Timing, Trouble, TroubleKind};
use file::{
    FORMATS, SCHEMA_CODES, ScenarioFile, ScenarioTiming, ScenarioTrouble, ScenarioTroubleKind, TWICE,
    UNREADABLE,
};

/// A scenario that was read.
#[derive(Clone, Debug)]
pub struct Scenario {
    file: ScenarioFile,
}

impl Scenario {
    /// Reads a scenario, YAML or JSON.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<Self, Vec<Diagnostic>> {
        let document = Node::parse(source)
            .map_err(|unreadable| vec![Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message)])?;
        let schema = Schema::of::<ScenarioFile>(FORMATS, &[], SCHEMA_CODES);
        let file = schema.read(&document, judge)?;
        Ok(Self { file })
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(ScenarioFile)
    }

    /// Returns when the account is opened, where the scenario says so.
    pub const fn start(&self) -> Option<Timestamp> {
        self.file.start
    }

    /// Returns the name of the spot market, as `backtest --spot` takes it.
    pub fn spot(&self) -> Option<&str> {
        self.file.spot.as_deref()
    }

    /// Returns the name of the workload, as `backtest --workload` takes it.
    pub fn workload(&self) -> Option<&str> {
        self.file
            .workload
            .as_ref()
            .map(|workload| workload.tasks.as_str())
    }

    /// Returns the faults of the wire.
    pub const fn http(&self) -> &HttpFaults {
        &self.file.http
    }

    /// Returns the pools that are there at the start.
    pub fn pools(&self) -> &[ScenarioPool] {
        &self.file.pools
    }

    /// Returns the jobs that are there at the start: those written down, and the workload's where it is not among them.
    pub fn jobs(&self) -> Vec<ScenarioJob> {
        let mut jobs = self.file.jobs.clone();
        if let Some(workload) = &self.file.workload
            && !jobs
                .iter()
                .any(|job| job.id.as_str().eq_ignore_ascii_case(workload.job.as_str()))
            && let Some(pool) = self.file.pools.first()
        {
            jobs.push(ScenarioJob {
                id: workload.job.clone(),
                pool: pool.id.clone(),
                priority: 0,
            });
        }
        jobs
    }

    /// Returns what an account is made of that is opened at a moment; market and workload were read by their names.
    pub fn setup(&self, opened: Timestamp, spot: SpotMarket, workload: Option<Workload>) -> Setup {
        let usual = Setup::at(opened);
        let opened = usual.start;
        let file = &self.file;
        let submission = file.workload.as_ref().zip(workload);
        Setup {
            seed: file.seed,
            account: self.account(&usual.account),
            timing: timing(&file.timing, &usual.timing),
            spot,
            run_time: file.timing.task.map_or(usual.run_time, |times| times.0),
            troubles: file.troubles.iter().map(|trouble| trouble.at(opened)).collect(),
            workload: submission.map(|(named, workload)| Submission {
                job: named.job.to_string(),
                tasks: shifted(workload, opened),
            }),
            foreign: self.foreign(opened),
            ..usual
        }
    }

    fn account(&self, usual: &Account) -> Account {
        let given = &self.file.account;
        Account {
            name: given.name.clone().unwrap_or_else(|| usual.name.clone()),
            dedicated_cores: given.dedicated_cores.unwrap_or(usual.dedicated_cores),
            spot_cores: given.spot_cores.unwrap_or(usual.spot_cores),
            family_cores: given.family_cores.clone(),
            pools_max: given.pools.unwrap_or(usual.pools_max),
            jobs_max: given.active_jobs.unwrap_or(usual.jobs_max),
            is_user_subscription: given.user_subscription,
            // "Accounts of mode UserSubscription take Entra ID only" (Batch accounts and authentication).
            tokens_only: given.tokens_only || given.user_subscription,
        }
    }

    fn foreign(&self, opened: Timestamp) -> Vec<ForeignResize> {
        let each = self.file.resizes.iter();
        let resize = |resize: &file::ScenarioResize| ForeignResize {
            at: (opened + resize.at).whole_milliseconds(),
            pool: resize.pool.clone(),
            dedicated: resize.dedicated,
            spot: resize.spot,
        };
        each.map(resize).collect()
    }
}

/// Returns the tasks of a workload as if its log began when the account is opened.
fn shifted(workload: Workload, opened: Timestamp) -> Vec<crate::sim::workload::Task> {
    let start = workload.start;
    let mut tasks = workload.tasks;
    for task in &mut tasks {
        task.submit = opened + (task.submit - start);
    }
    tasks
}

fn timing(given: &ScenarioTiming, usual: &Timing) -> Timing {
    let spread = |given: Option<text::SpreadText>, usual| given.map_or(usual, |given| given.0);
    Timing {
        allocation: spread(given.allocation, usual.allocation),
        creating: spread(given.creating, usual.creating),
        starting: spread(given.starting, usual.starting),
        start_task: spread(given.start_task, usual.start_task),
        leaving: spread(given.leaving, usual.leaving),
        stopping: spread(given.stopping, usual.stopping),
        job: spread(given.job, usual.job),
        start_task_fails: given.start_task_fails,
        boot_sticks: given.boot_sticks,
        breaks_hourly: given.breaks_hourly,
        evictions_hourly: given.evictions_hourly,
        retry: given.retry.unwrap_or(usual.retry),
        restored_within: given.restored_within.or(usual.restored_within),
    }
}

impl ScenarioTrouble {
    fn at(&self, opened: Timestamp) -> Trouble {
        let from = opened + self.from;
        let forever = Span::days(36_525);
        let every = || "*".parse().expect("a star is a pattern");
        let pools: PoolPattern = self.pools.clone().map_or_else(every, |pattern| pattern.0);
        Trouble {
            from,
            until: from + self.lasts.unwrap_or(forever),
            pools,
            kind: match self.kind {
                ScenarioTroubleKind::SlowAllocation => TroubleKind::SlowAllocation(self.times.unwrap_or(5.0)),
                ScenarioTroubleKind::NoCapacity => TroubleKind::NoCapacity,
                ScenarioTroubleKind::StuckResize => TroubleKind::StuckResize,
                ScenarioTroubleKind::StartTasksFail => {
                    TroubleKind::StartTasksFail(self.chance.unwrap_or(1.0))
                }
                ScenarioTroubleKind::NodesUnusable => TroubleKind::NodesUnusable(self.chance.unwrap_or(1.0)),
            },
        }
    }
}

/// Returns what no schema can see: numbers out of range, names that stand twice or for nothing.
fn judge(file: &ScenarioFile, document: &Node) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let place = |path: &[&str]| {
        document
            .at(path)
            .map_or(document.span.clone(), |node| node.span.clone())
    };
    let value = |span: Range<usize>, message: String, help: &str| {
        Diagnostic::error(SCHEMA_CODES.wrong_value, span, message).help(help)
    };
    let timing = &file.timing;
    for (name, chance) in [
        ("startTaskFails", timing.start_task_fails),
        ("bootSticks", timing.boot_sticks),
    ] {
        if !(0.0..=1.0).contains(&chance) {
            let span = place(&["timing", name]);
            faults.push(value(
                span,
                format!("{chance} is no chance"),
                "write a number from 0 to 1",
            ));
        }
    }
    for (name, hourly) in [
        ("breaksHourly", timing.breaks_hourly),
        ("evictionsHourly", timing.evictions_hourly),
    ] {
        if !(0.0..=3600.0).contains(&hourly) {
            let span = place(&["timing", name]);
            faults.push(value(
                span,
                format!("{hourly} an hour cannot be"),
                "write a number from 0 to 3600",
            ));
        }
    }
    for (index, trouble) in file.troubles.iter().enumerate() {
        let index = index.to_string();
        if trouble
            .chance
            .is_some_and(|chance| !(0.0..=1.0).contains(&chance))
        {
            let span = place(&["troubles", &index, "chance"]);
            faults.push(value(
                span,
                "this is no chance".to_owned(),
                "write a number from 0 to 1",
            ));
        }
        if trouble
            .times
            .is_some_and(|times| !(1.0..=1000.0).contains(&times))
        {
            let span = place(&["troubles", &index, "times"]);
            faults.push(value(
                span,
                "machines cannot take so many times as long".to_owned(),
                "write a number from 1 to 1000",
            ));
        }
    }
    for (name, reason) in file.http.problems() {
        let path: Vec<&str> = name
            .split(['.', '[', ']'])
            .filter(|part| !part.is_empty())
            .collect();
        let path: Vec<&str> = std::iter::once("http").chain(path).collect();
        faults.push(Diagnostic::error(SCHEMA_CODES.wrong_value, place(&path), reason));
    }
    let mut seen: Vec<&PoolId> = Vec::new();
    for (index, pool) in file.pools.iter().enumerate() {
        if seen
            .iter()
            .any(|other| other.as_str().eq_ignore_ascii_case(pool.id.as_str()))
        {
            let span = place(&["pools", &index.to_string(), "id"]);
            let fault = Diagnostic::error(TWICE, span, format!("pool `{}` stands twice", pool.id));
            faults.push(fault.help("ids that differ in case only are one id for the service"));
        }
        seen.push(&pool.id);
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Spread;

    #[test]
    fn what_is_not_given_is_as_usual() {
        let scenario = Scenario::parse("version: 1\n").unwrap();
        let at = Timestamp::from_unix_seconds(0);
        assert_eq!(scenario.setup(at, SpotMarket::Unlimited, None), Setup::at(at));
    }

    #[test]
    fn a_scenario_counts_from_the_opening() {
        let text = "version: 1\nseed: 3\naccount: { dedicatedCores: 8, familyCores: { standardDSv5Family: 4 } }\n\
                    timing: { starting: 1m..3m, task: \"exp:5m\" }\ntroubles: [{ kind: noCapacity, from: 1h, for: 30m, pools: a-* }]\n\
                    resizes: [{ at: 10m, pool: a-1, dedicated: 3 }]\nworkload: { job: w, tasks: \"builtin:ci-day\" }\n\
                    pools: [{ id: a-1, vmSize: standard_d2s_v5 }]\n";
        let scenario = Scenario::parse(text).unwrap();
        let at = Timestamp::from_unix_seconds(1000);
        let workload = Workload::new("w", Timestamp::EPOCH, vec![]);
        let setup = scenario.setup(at, SpotMarket::Unlimited, Some(workload));
        assert_eq!(
            setup.timing.starting,
            Spread {
                least: Span::minutes(1),
                most: Span::minutes(3)
            }
        );
        assert_eq!(setup.troubles[0].until, at + Span::minutes(90));
        assert_eq!(setup.foreign[0].at, at + Span::minutes(10));
        assert_eq!(setup.account.family_cores["standardDSv5Family"], 4);
        assert_eq!(scenario.jobs()[0].pool.as_str(), "a-1");
    }

    #[test]
    fn all_faults_come_at_once_with_their_places() {
        let text = "version: 1\naccont: {}\ntiming: { starting: 3m..1m, bootSticks: 2 }\n\
                    pools: [{ id: a, vmSize: x }, { id: A, vmSize: x, nodes: 3 }]\nhttp: { faults: [{ kind: slow, share: 3 }] }\n";
        let faults = Scenario::parse(text).unwrap_err();
        let said: Vec<_> = faults
            .iter()
            .map(|fault| (fault.code.0, &text[fault.span.clone()]))
            .collect();
        assert_eq!(
            said,
            [
                ("E002", "accont"),
                ("E006", "3m..1m"),
                ("E006", "2"),
                ("E007", "A"),
                ("E002", "nodes"),
                ("E006", "3"),
            ]
        );
    }
}
