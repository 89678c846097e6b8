//! People: they submit tasks, make and end jobs, and, where they are a fault, change pools behind our back.

use serde_json::{Value, json};

use super::account::{PoolPlan, ask, job_body};
use super::dice::Dice;
use super::faults::FaultKind;
use super::plan::Plan;
use crate::base::{Span, Timestamp};
use crate::emulator::Desk;

/// The people of an account.
#[derive(Debug)]
pub(super) struct Crowd {
    dice: Dice,
    plan: Plan,
    /// When somebody does something next.
    next: Timestamp,
    /// The mean time between two deeds.
    pace: Span,
    calm_from: Timestamp,
    n_pools: u32,
    n_jobs: u32,
    n_tasks: u64,
    has_tidied: bool,
}

/// Tasks of a world at the most: the desk keeps every one that ever was.
const TASKS_MAX: u64 = 4000;

/// Tasks that run or can run at the most when some are submitted: each look lists them one by one.
const UNFINISHED_MAX: u64 = 200;

impl Crowd {
    pub(super) fn new(plan: &Plan, mut dice: Dice, n_pools: u32, n_jobs: u32) -> Self {
        let pace = dice.span(Span::minutes(3), Span::hours(2));
        Self {
            dice,
            plan: plan.clone(),
            next: plan.start() + Span::seconds(30),
            pace,
            calm_from: plan.start() + plan.rough(),
            n_pools,
            n_jobs,
            n_tasks: 0,
            has_tidied: false,
        }
    }

    /// Returns how many tasks were submitted.
    pub(super) const fn n_tasks(&self) -> u64 {
        self.n_tasks
    }

    /// Returns when somebody does something next; when all is done, a hundred years later.
    pub(super) fn next_at(&self) -> Timestamp {
        if self.has_tidied {
            self.next.max(self.calm_from) + Span::days(36_500)
        } else {
            self.next.min(self.calm_from)
        }
    }

    /// Does what is to be done by a moment; returns what was done behind our back.
    pub(super) fn act(&mut self, desk: &mut Desk, now: Timestamp) -> Vec<String> {
        let mut deeds = Vec::new();
        while self.next <= now && self.next < self.calm_from {
            deeds.extend(self.deed(desk));
            self.next += self.pace.scale(0.05 + 1.9 * self.dice.share());
        }
        if self.calm_from <= now && !self.has_tidied {
            self.has_tidied = true;
            tidy(desk);
        }
        deeds
    }

    fn deed(&mut self, desk: &mut Desk) -> Option<String> {
        let pool = self.dice.between(0, self.n_pools - 1);
        let job = self.dice.between(0, self.n_jobs - 1);
        let number = self.dice.between(0, 99);
        if number < 60 || !self.plan.has(FaultKind::People) {
            self.submit(desk, job);
            return None;
        }
        match number {
            60..66 => self.new_job(desk, pool),
            66..69 => {
                let verb = self
                    .dice
                    .pick(&["terminate", "disable", "enable", "enable", "enable"]);
                let body = if verb == "disable" {
                    r#"{"disableTasks":"requeue"}"#
                } else {
                    "{}"
                };
                let _ = ask(desk, "POST", &format!("/jobs/job-{job}/{verb}"), body);
            }
            69 => {
                let _ = ask(desk, "DELETE", &format!("/jobs/job-{job}"), "");
            }
            _ => return Some(self.change_pool(desk, pool, number)),
        }
        None
    }

    fn new_job(&mut self, desk: &mut Desk, pool: u32) {
        let body = job_body(self.n_jobs, pool, &mut self.dice);
        if ask(desk, "POST", "/jobs", &body).is_some() {
            self.n_jobs += 1;
        }
    }

    fn submit(&mut self, desk: &mut Desk, job: u32) {
        if self.n_tasks >= TASKS_MAX || self.unfinished(desk) > UNFINISHED_MAX {
            return;
        }
        let most = self.dice.pick(&[1, 5, 30, 100]);
        let count = self.dice.between(1, most);
        let seconds = self
            .dice
            .span(Span::seconds(5), Span::hours(2))
            .as_seconds()
            .round();
        let slots = self.dice.pick(&[1, 1, 1, 2, 4]);
        let tasks: Vec<Value> = (0..count)
            .map(|index| {
                json!({ "id": format!("t{}-{index}", self.n_tasks), "requiredSlots": slots,
                    "commandLine": format!("sleep {seconds}") })
            })
            .collect();
        let body = json!({ "value": tasks }).to_string();
        if ask(desk, "POST", &format!("/jobs/job-{job}/addtaskcollection"), &body).is_some() {
            self.n_tasks += u64::from(count);
        }
    }

    fn unfinished(&self, desk: &Desk) -> u64 {
        let pools = (0..self.n_pools).filter_map(|number| format!("pool-{number}").parse().ok());
        let counts = pools.filter_map(|pool| desk.unfinished(&pool));
        counts.map(|(unfinished, _)| unfinished).sum()
    }

    fn change_pool(&mut self, desk: &mut Desk, pool: u32, number: u32) -> String {
        let path = format!("/pools/pool-{pool}");
        let (verb, path, body) = match number {
            70..82 => {
                let option = self.dice.pick(&["requeue", "terminate", "taskcompletion"]);
                let (dedicated, spot) = (self.dice.between(0, 12), self.dice.between(0, 12));
                let body = json!({ "targetDedicatedNodes": dedicated, "targetLowPriorityNodes": spot,
                    "nodeDeallocationOption": option });
                ("POST", format!("{path}/resize"), body.to_string())
            }
            82..86 => ("POST", format!("{path}/stopresize"), String::new()),
            86..88 => {
                let formula = "$TargetDedicatedNodes = min(3, $PendingTasks.GetSample(1));";
                let body = json!({ "autoScaleFormula": formula, "autoScaleEvaluationInterval": "PT5M" });
                ("POST", format!("{path}/enableautoscale"), body.to_string())
            }
            88..93 => ("POST", format!("{path}/disableautoscale"), String::new()),
            93..95 => ("DELETE", path, String::new()),
            _ => {
                let new = self.dice.chance(0.3) && self.n_pools < 8;
                let number = if new { self.n_pools } else { pool };
                let made = PoolPlan::draw(format!("pool-{number}"), &mut self.dice);
                let done = ask(desk, "POST", "/pools", &made.body()).is_some();
                self.n_pools += u32::from(new && done);
                return format!("POST /pools pool-{number} ({done})");
            }
        };
        let done = ask(desk, verb, &path, &body).is_some();
        format!("{verb} {path} {body} ({done})")
    }
}

/// Puts right what people left behind, so that work can be done: jobs run, formulas are off, broken nodes are gone.
fn tidy(desk: &mut Desk) {
    let list = |desk: &mut Desk, path: &str| -> Vec<Value> {
        let body = ask(desk, "GET", path, "").unwrap_or_default();
        body["value"].as_array().cloned().unwrap_or_default()
    };
    for job in list(desk, "/jobs") {
        let id = job["id"].as_str().unwrap_or_default();
        let _ = ask(desk, "POST", &format!("/jobs/{id}/enable"), "");
    }
    for pool in list(desk, "/pools") {
        let id = pool["id"].as_str().unwrap_or_default().to_owned();
        let _ = ask(desk, "POST", &format!("/pools/{id}/disableautoscale"), "");
        let _ = ask(desk, "POST", &format!("/pools/{id}/stopresize"), "");
        for node in list(desk, &format!("/pools/{id}/nodes")) {
            let is_broken = matches!(
                node["state"].as_str(),
                Some("unusable" | "starttaskfailed" | "startTaskFailed")
            );
            if is_broken {
                let node = node["id"].as_str().unwrap_or_default();
                let _ = ask(desk, "POST", &format!("/pools/{id}/nodes/{node}/reboot"), "{}");
            }
        }
    }
}
