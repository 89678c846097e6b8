//! Contenders over many cases: each workload on each spot market at each price, and what that comes to.

use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::bound::{Ask, Tolerance};
use super::cluster::SetupError;
use super::report::Run;
use super::workload::Workload;
use super::{Contender, Options, backtest, end};
use crate::base::{Span, Usd, UsdHourly};
use crate::policy::Prices;

/// One workload on one market at one price with one seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The tasks.
    pub workload: Arc<Workload>,
    /// The pool, the market, the limit and the seed.
    pub options: Options,
    /// What a spot node costs, as a share of a dedicated one, which costs a dollar an hour.
    pub price_ratio: f64,
}

/// What one contender did in one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// Task slots of a node.
    pub slots: u32,
    /// The spot market.
    pub spot: String,
    /// The seed.
    pub seed: u64,
    /// The price of spot as a share of the price of dedicated.
    pub price_ratio: f64,
    /// The contender.
    pub contender: String,
    /// The bill in hours of a dedicated node.
    pub cost: f64,
    /// Whether all tasks ended, no more of them late than is tolerated.
    pub met: bool,
    /// No plan without misses costs less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The bill as a multiple of that, where the limit was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound: Option<f64>,
    /// No plan with the misses that are tolerated costs less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_with_misses: Option<f64>,
    /// The bill as a multiple of that, where the limit was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound_with_misses: Option<f64>,
    /// 95 of 100 tasks waited no longer, in seconds.
    pub wait_p95: f64,
    /// 95 of 100 tasks ended no later than this after they could have, in seconds.
    pub delay_p95: f64,
    /// The share of tasks that were late.
    pub misses: f64,
    /// Their share of the work.
    pub work_misses: f64,
    /// Accepted orders a day.
    pub orders_daily: f64,
    /// Accepted orders a day that went against the one before.
    pub reversals_daily: f64,
}

/// What a contender comes to over all cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The contender.
    pub contender: String,
    /// How many cases there are.
    pub cases: usize,
    /// In how many it met the limit.
    pub met: usize,
    /// In how many the reference met it.
    pub reference_met: usize,
    /// In how many of those this contender met it, too.
    pub met_with_reference: usize,
    /// The geometric mean of cost to bound over the cases in which it met the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The greatest cost to bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<f64>,
    /// The geometric mean of cost to the bound with misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_with_misses: Option<f64>,
    /// The greatest cost to the bound with misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_with_misses: Option<f64>,
}

/// All rows, case by case, and the summaries, contender by contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// One for each case and contender.
    pub rows: Vec<Row>,
    /// One for each contender.
    pub summaries: Vec<Summary>,
}

/// How long a comparison goes on after the last task may end: a long task that is late may start again several times before it
/// ends.
const AFTERWARDS: Span = Span::days(1);

/// Runs contenders over cases, on all cores; rows are in the order of both. The last contender is the reference by which cases
/// are told that can be met at all. `on_case` is called from any thread whenever a case is done.
///
/// # Errors
/// When a case cannot be simulated.
pub fn compare(
    contenders: &[Contender],
    cases: &[Case],
    tolerance: Tolerance,
    on_case: &(dyn Fn() + Sync),
) -> Result<Comparison, SetupError> {
    let rows = cases
        .par_iter()
        .map(|case| {
            let rows = run_case(contenders, case, tolerance);
            on_case();
            rows
        })
        .collect::<Result<Vec<_>, _>>()?;
    let summaries = (0..contenders.len())
        .map(|contender| summary(&rows, contender))
        .collect();
    Ok(Comparison {
        rows: rows.into_iter().flatten().collect(),
        summaries,
    })
}

fn run_case(contenders: &[Contender], case: &Case, tolerance: Tolerance) -> Result<Vec<Row>, SetupError> {
    let prices = Prices {
        dedicated: UsdHourly(1.0),
        spot: UsdHourly(case.price_ratio),
    };
    let contenders: Vec<_> = contenders.iter().map(|one| one.at(prices)).collect();
    let longest = case.workload.tasks.iter().map(|task| task.run).max();
    let options = Options {
        tail: case.options.limit.of(longest.unwrap_or(Span::ZERO)) + AFTERWARDS,
        bound: match case.options.bound {
            Ask::No => Ask::No,
            _ => Ask::AlsoWith(tolerance),
        },
        ..case.options.clone()
    };
    let days = (end(&case.workload, options.tail) - case.workload.start).as_hours() / 24.0;
    let report = backtest(&contenders, &case.workload, &options, &|_| {})?;
    let row = |run: &Run| row(run, case, tolerance, days);
    Ok(report.runs.iter().map(row).collect())
}

fn row(run: &Run, case: &Case, tolerance: Tolerance, days: f64) -> Row {
    let met = run.keeps_to(Some(tolerance));
    let bound = run.hindsight.map(|hindsight| hindsight.bound_cost.0);
    let with_misses = run
        .hindsight
        .and_then(|hindsight| hindsight.bound_cost_with_misses)
        .map(|Usd(cost)| cost);
    let ratio = |bound: f64| Some(run.cost.total.0 / bound).filter(|ratio| met && ratio.is_finite());
    Row {
        workload: run.workload.clone(),
        slots: case.options.setup.task_slots_per_node,
        spot: run.spot.clone(),
        seed: run.seed,
        price_ratio: case.price_ratio,
        contender: run.policy.clone(),
        cost: run.cost.total.0,
        met,
        bound,
        cost_to_bound: bound.and_then(ratio),
        bound_with_misses: with_misses,
        cost_to_bound_with_misses: with_misses.and_then(ratio),
        wait_p95: run.wait.p95,
        delay_p95: run.delay.p95,
        misses: run.misses.share,
        work_misses: run.misses.work_share,
        orders_daily: run.orders as f64 / days,
        reversals_daily: run.reversals as f64 / days,
    }
}

fn summary(cases: &[Vec<Row>], contender: usize) -> Summary {
    let reference_met = |rows: &&Vec<Row>| rows.last().is_some_and(|row| row.met);
    let own = || cases.iter().map(|rows| &rows[contender]);
    let ratios: Vec<f64> = own().filter_map(|row| row.cost_to_bound).collect();
    let with_misses: Vec<f64> = own().filter_map(|row| row.cost_to_bound_with_misses).collect();
    Summary {
        contender: own().next().map_or_else(String::new, |row| row.contender.clone()),
        cases: cases.len(),
        met: own().filter(|row| row.met).count(),
        reference_met: cases.iter().filter(reference_met).count(),
        met_with_reference: cases
            .iter()
            .filter(reference_met)
            .filter(|rows| rows[contender].met)
            .count(),
        mean: geometric_mean(&ratios),
        worst: ratios.iter().copied().reduce(f64::max),
        mean_with_misses: geometric_mean(&with_misses),
        worst_with_misses: with_misses.iter().copied().reduce(f64::max),
    }
}

fn geometric_mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(met: bool, ratio: f64) -> Row {
        Row {
            workload: "w".to_owned(),
            slots: 1,
            spot: "s".to_owned(),
            seed: 0,
            price_ratio: 0.2,
            contender: "c".to_owned(),
            cost: ratio,
            met,
            bound: Some(1.0),
            cost_to_bound: met.then_some(ratio),
            bound_with_misses: None,
            cost_to_bound_with_misses: None,
            wait_p95: 0.0,
            delay_p95: 0.0,
            misses: 0.0,
            work_misses: 0.0,
            orders_daily: 0.0,
            reversals_daily: 0.0,
        }
    }

    #[test]
    fn a_summary_counts_only_cases_that_were_met() {
        // Three cases, the second contender is the reference.
        let cases = [
            vec![row(true, 1.0), row(true, 3.0)],
            vec![row(true, 4.0), row(false, 9.0)],
            vec![row(false, 1.5), row(true, 3.0)],
        ];
        let first = summary(&cases, 0);
        assert_eq!((first.cases, first.met), (3, 2));
        assert_eq!((first.reference_met, first.met_with_reference), (2, 1));
        assert!((first.mean.unwrap() - 2.0).abs() < 1e-12);
        assert_eq!((first.worst, first.mean_with_misses), (Some(4.0), None));
        assert_eq!(summary(&cases, 1).met_with_reference, 2);
    }
}
