//! The course of a pool as the ledger tells it: what lines are found by for each decision, and one whole line for each point.

use serde::Deserialize;

use super::course::{Course, Frame, Point};
use super::series::GAP;
use super::series_answer::{ForecastAnswer, HistoryAnswer, MarkAnswer, Row, SeriesAnswer};
use crate::account::PoolId;
use crate::base::{Mix, Timestamp};
use crate::decision::ForecastAsk;
use crate::engine::PoolView;
use crate::signal::Metric;
use crate::store::{Glimpsed, Search, Store, StoreError};
use crate::world::{EntryKind, look_of};

/// Decisions that are looked over: a month of a look every 30 seconds and some.
const DECISIONS_MAX: usize = 100_000;

/// What the ledger tells.
pub(super) struct Told {
    pub(super) course: Course,
    pub(super) rows: Vec<Row>,
    /// What was forecast and believed, with the moments of the decisions.
    forecasts: Vec<(Timestamp, ForecastAsk)>,
    whole: bool,
}

/// Reads the course of a pool.
pub(super) fn tell(store: &Store, pool: &PoolId, frame: Frame) -> Result<Told, StoreError> {
    let glimpsed = Glimpsed {
        pool: pool.clone(),
        from: frame.from,
        to: frame.to,
    };
    let mut told = Told::nothing(frame);
    let course = &mut told.course;
    told.whole = store.glimpse(&glimpsed, &mut |glimpse| {
        course.see(glimpse);
        course.decisions < DECISIONS_MAX
    })?;
    let gap = GAP.max(course.step() + course.step());
    let mut before: Option<Timestamp> = None;
    for point in &told.course.points {
        if let Some(before) = before.filter(|before| point.at - *before > gap) {
            told.rows.push(Row::nothing_at(before + GAP));
        }
        before = Some(point.at);
        let look = look(store, pool, point.number)?;
        told.rows.push(look.row(point));
        told.forecasts
            .extend(look.forecast.map(|forecast| (point.at, forecast)));
    }
    Ok(told)
}

impl Told {
    /// Returns what a ledger tells that knows nothing of that time.
    pub(super) fn nothing(frame: Frame) -> Self {
        Self {
            course: Course::new(frame),
            rows: Vec::new(),
            forecasts: Vec::new(),
            whole: true,
        }
    }

    pub(super) fn answer(self, pool: &PoolId, frame: Frame) -> SeriesAnswer {
        let course = &self.course;
        let answer = SeriesAnswer {
            pool: pool.to_string(),
            from: frame.from,
            to: frame.to,
            step_seconds: course.step().as_seconds(),
            decisions: course.decisions,
            price_dedicated: course.price_dedicated,
            whole: self.whole,
            at: Vec::new(),
            dedicated: Vec::new(),
            spot: Vec::new(),
            target_dedicated: Vec::new(),
            target_spot: Vec::new(),
            asked: Vec::new(),
            waiting: Vec::new(),
            running: Vec::new(),
            preempted: Vec::new(),
            cost_hourly: Vec::new(),
            marks: course.marks().into_iter().map(MarkAnswer::from).collect(),
            forecast: ForecastAnswer::of(&self.forecasts, GAP.max(course.step() + course.step())),
            history: HistoryAnswer::ledger(),
        };
        answer.add(&self.rows)
    }
}

/// What one line tells beyond its columns.
#[derive(Default)]
struct Look {
    asked: Option<u32>,
    waiting: Option<f64>,
    running: Option<f64>,
    preempted: Option<u32>,
    forecast: Option<ForecastAsk>,
}

fn look(store: &Store, pool: &PoolId, number: u64) -> Result<Look, StoreError> {
    let page = store.search(&Search {
        pool: Some(pool.clone()),
        kind: Some(EntryKind::Decided),
        after: Some(number.saturating_sub(1)),
        limit: 1,
        ..Search::default()
    })?;
    let found = page.found.first().filter(|found| found.number == number);
    // A line that was pruned meanwhile tells nothing.
    Ok(found.map_or_else(Look::default, |found| Look::read(&found.line)))
}

impl Look {
    fn read(line: &str) -> Self {
        #[derive(Deserialize)]
        struct Line {
            #[serde(default)]
            steps: Vec<Step>,
            #[serde(default)]
            forecast: Option<ForecastAsk>,
        }
        #[derive(Deserialize)]
        struct Step {
            stage: String,
            to: Mix,
            reason: serde_json::Value,
        }
        let told: Option<Line> = serde_json::from_str(line).ok();
        let (steps, beside) = told.map_or((Vec::new(), None), |line| (line.steps, line.forecast));
        let asks = |step: &&Step| step.stage == "propose" || step.stage == "split";
        let asked = steps.iter().rev().find(asks).map(|step| step.to.total().0);
        // The one that led stands in the chain.
        let mut reasons = steps.into_iter().map(|step| step.reason);
        let led = reasons.find(|reason| reason["code"] == "forecast");
        let led = led.and_then(|reason| serde_json::from_value(reason).ok());
        let view = look_of(line).ok().flatten().map(|(_, view)| view);
        let counted = view.as_ref().map(Self::counted).unwrap_or_default();
        Self {
            asked,
            forecast: led.or(beside).filter(|forecast: &ForecastAsk| forecast.trusted),
            ..counted
        }
    }

    fn counted(view: &PoolView) -> Self {
        let newest = |metric: Metric| {
            let samples = view.samples.iter().filter(|sample| sample.metric == metric);
            samples
                .max_by_key(|sample| sample.taken)
                .map(|sample| sample.value)
        };
        let work = view.work.as_ref();
        Self {
            asked: None,
            waiting: work
                .map(|work| work.waiting.len() as f64)
                .or(newest(Metric::ActiveTasks)),
            running: work
                .map(|work| work.running.len() as f64)
                .or(newest(Metric::RunningTasks)),
            preempted: Some(view.state.nodes.preempted.0),
            forecast: None,
        }
    }

    fn row(&self, point: &Point) -> Row {
        Row {
            at: point.at.unix_seconds(),
            dedicated: point.held.map(|held| held.dedicated.0),
            spot: point.held.map(|held| held.spot.0),
            target_dedicated: Some(point.target.dedicated.0),
            target_spot: Some(point.target.spot.0),
            asked: self.asked,
            waiting: self.waiting,
            running: self.running,
            preempted: self.preempted,
            cost_hourly: point.cost_hourly,
        }
    }
}
