//! The tuner: the cheapest setting that keeps to the limit on the first part of a log, proven on the rest or not proposed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::{Setting, SweepError, SweepPoint, SweepReport, mark_front, split};
use crate::base::Timestamp;
use crate::policy::Policy;
use crate::sim::condition::Condition;
use crate::sim::report::Run;
use crate::sim::sim_world::OnProgress;
use crate::sim::workload::Workload;
use crate::sim::{Contender, Options, SpotMarket, backtest, end};

/// A setting of the policy that is tuned.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The setting.
    pub setting: Setting,
    /// The policy with it.
    pub policy: Policy,
}

/// How a policy is tuned.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// The policy as it stands.
    pub current: Policy,
    /// What it is to be chosen from.
    pub candidates: Vec<Candidate>,
    /// What the result is set beside.
    pub others: Vec<Contender>,
    /// The share of the log's time that settings are chosen on, between 0 and 1.
    pub train: f64,
    /// What must not hold for any run of a setting that is proposed.
    pub conditions: Vec<Condition>,
}

/// A contender on both parts of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// On the part that settings are chosen on.
    pub train: SweepPoint,
    /// On the part that they are not chosen on.
    pub held_out: SweepPoint,
}

/// Why nothing is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum Refusal {
    /// No setting keeps to the limit on the first part.
    NoneMeets,
    /// The cheapest that does breaks it on the rest.
    HeldOutFails {
        /// The conditions that hold there.
        fails: Vec<String>,
    },
    /// On the rest the policy as it stands keeps to the limit, and costs no more.
    NoCheaper,
}

/// Everything that the tuner found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TuneReport {
    /// Where the log was cut.
    pub cut: Timestamp,
    /// What is proposed.
    pub proposal: Option<BTreeMap<String, String>>,
    /// Why nothing is.
    pub refusal: Option<Refusal>,
    /// The cheapest setting that keeps to the limit on the first part.
    pub chosen: Option<Judgement>,
    /// The policy as it stands.
    pub current: Judgement,
    /// Every setting on the first part.
    pub candidates: Vec<SweepPoint>,
    /// What the policy was to be set beside.
    pub others: Vec<Judgement>,
    /// How long it took; the only thing that differs when it is run again.
    pub wall_seconds: f64,
}

/// Tunes a policy: runs every candidate on the first part of the workload, and the one that is chosen on the rest.
///
/// The spot market goes on from part to part. Nothing of the rest is seen before the choice is made, and when it breaks the
/// limit there, nothing else is tried: a second choice would have been made with what was held out.
///
/// # Errors
/// When a part has no task, or the setup cannot be simulated.
pub fn tune(
    tuning: &Tuning,
    workload: &Workload,
    options: &Options,
    on_progress: &OnProgress<'_>,
) -> Result<TuneReport, SweepError> {
    let began = Instant::now();
    let (first, rest) = split(workload, tuning.train)?;
    let cut = rest.start;
    let trial = Trial {
        tuning,
        whole: workload,
        options,
        on_progress,
    };
    let current = Contender::Policy(tuning.current.clone());
    let beside: Vec<_> = [current]
        .into_iter()
        .chain(tuning.others.iter().cloned())
        .collect();
    let nothing = Setting::default();
    let mut entries: Vec<_> = beside
        .iter()
        .map(|contender| (contender.clone(), &nothing))
        .collect();
    let candidates = tuning.candidates.iter();
    entries.extend(candidates.map(|one| (Contender::Policy(one.policy.clone()), &one.setting)));
    let mut trained = trial.points(&entries, &Arc::new(first))?;
    let candidates = trained.split_off(beside.len());
    let chosen = cheapest(&candidates);

    entries.truncate(beside.len());
    if let Some(chosen) = chosen {
        let candidate = &tuning.candidates[chosen];
        entries.push((Contender::Policy(candidate.policy.clone()), &candidate.setting));
    }
    let mut proven = trial.points(&entries, &Arc::new(rest))?;
    let chosen = chosen.and_then(|chosen| {
        Some(Judgement {
            train: candidates[chosen].clone(),
            held_out: proven.pop()?,
        })
    });
    let mut judged = trained
        .into_iter()
        .zip(proven)
        .map(|(train, held_out)| Judgement { train, held_out });
    let current = judged.next().expect("the policy as it stands comes first");
    let refusal = refusal(chosen.as_ref(), &current);
    Ok(TuneReport {
        cut,
        proposal: chosen
            .as_ref()
            .filter(|_| refusal.is_none())
            .map(|chosen| chosen.train.set.clone()),
        refusal,
        chosen,
        current,
        candidates,
        others: judged.collect(),
        wall_seconds: began.elapsed().as_secs_f64(),
    })
}

/// Returns the place of the cheapest setting that keeps to the limit; the one that waits less among equals, then the first.
fn cheapest(candidates: &[SweepPoint]) -> Option<usize> {
    let fit = candidates
        .iter()
        .enumerate()
        .filter(|(_, point)| point.fails.is_empty());
    let key = |point: &SweepPoint| (point.cost.0, point.wait_p95);
    fit.min_by(|(_, one), (_, two)| {
        let ((cost_one, wait_one), (cost_two, wait_two)) = (key(one), key(two));
        cost_one.total_cmp(&cost_two).then(wait_one.total_cmp(&wait_two))
    })
    .map(|(place, _)| place)
}

fn refusal(chosen: Option<&Judgement>, current: &Judgement) -> Option<Refusal> {
    let Some(chosen) = chosen else {
        return Some(Refusal::NoneMeets);
    };
    let proof = &chosen.held_out;
    if !proof.fails.is_empty() {
        let fails = proof.fails.clone();
        return Some(Refusal::HeldOutFails { fails });
    }
    let stands = &current.held_out;
    (stands.fails.is_empty() && stands.cost <= proof.cost).then_some(Refusal::NoCheaper)
}

/// What all runs of a tuner share.
struct Trial<'a> {
    tuning: &'a Tuning,
    whole: &'a Workload,
    options: &'a Options,
    on_progress: &'a OnProgress<'a>,
}

impl Trial<'_> {
    /// Runs contenders on a part of the workload.
    fn points(
        &self,
        entries: &[(Contender, &Setting)],
        part: &Arc<Workload>,
    ) -> Result<Vec<SweepPoint>, SweepError> {
        let contenders: Vec<_> = entries.iter().map(|(contender, _)| contender.clone()).collect();
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); contenders.len()];
        for seed in &self.options.seeds {
            let whole_end = end(self.whole, self.options.tail);
            let supply = self.options.spot.supply(self.whole.start, whole_end, *seed);
            let options = Options {
                spot: supply.map_or(SpotMarket::Unlimited, SpotMarket::Supply),
                seeds: vec![*seed],
                ..self.options.clone()
            };
            let report = backtest(&contenders, part, &options, self.on_progress)
                .map_err(|error| SweepError(error.to_string()))?;
            runs.iter_mut()
                .zip(report.runs)
                .for_each(|(runs, run)| runs.push(run));
        }
        let points = entries.iter().zip(runs).map(|((contender, setting), runs)| {
            let name = match contender {
                Contender::Policy(_) => self.tuning.current.name.to_string(),
                other => other.name(),
            };
            SweepPoint::new(&name, setting, runs, &self.tuning.conditions)
        });
        let mut points: Vec<_> = points.collect();
        mark_front(&mut points);
        Ok(points)
    }
}

impl TuneReport {
    /// Returns what was found as tables and sentences; no colour, each line ended.
    pub fn to_text(&self) -> String {
        let table = |points: Vec<SweepPoint>| {
            let report = SweepReport {
                points,
                others: Vec::new(),
                wall_seconds: 0.0,
            };
            report.to_table()
        };
        let judged = || [&self.current].into_iter().chain(&self.others);
        let mut trained = self.candidates.clone();
        trained.extend(judged().map(|judgement| judgement.train.clone()));
        let mut proven: Vec<_> = judged().map(|judgement| judgement.held_out.clone()).collect();
        proven.extend(self.chosen.iter().map(|chosen| chosen.held_out.clone()));
        let mut text = format!(
            "chosen on what was submitted before {}\n\n{}\nproven on the rest\n\n{}\n",
            self.cut,
            table(trained),
            table(proven)
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", self.verdict());
        text
    }

    /// Returns the result in a sentence.
    pub fn verdict(&self) -> String {
        let setting = |judgement: &Judgement| {
            let parts = judgement
                .train
                .set
                .iter()
                .map(|(path, value)| format!("{path}={value}"));
            parts.collect::<Vec<_>>().join(" ")
        };
        match (&self.refusal, &self.chosen) {
            (None, Some(chosen)) => {
                let change = 100.0 * (chosen.held_out.cost.0 / self.current.held_out.cost.0 - 1.0);
                let sign = if change > 0.0 { "more" } else { "less" };
                let stands = if self.current.held_out.fails.is_empty() {
                    "the policy as it stands"
                } else {
                    "the policy as it stands, which breaks the limit there"
                };
                format!(
                    "proposed: {}; on the rest it keeps to the limit and costs {:.0} % {sign} than {stands}",
                    setting(chosen),
                    change.abs()
                )
            }
            (Some(Refusal::HeldOutFails { fails }), Some(chosen)) => format!(
                "nothing proposed: {} was the cheapest that kept to the limit, and on the rest {}",
                setting(chosen),
                fails.join(", ")
            ),
            (Some(Refusal::NoCheaper), Some(chosen)) => format!(
                "nothing proposed: on the rest {} costs no less than the policy as it stands, which keeps to the limit",
                setting(chosen)
            ),
            _ => "nothing proposed: no setting keeps to the limit on the first part".to_owned(),
        }
    }
}
