//! The page about the course of a pool: nodes, targets, queue and cost over time, and the decisions, in a bounded number of points.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answers::NodesByLane;
use super::course::{Course, Frame, Point};
use super::decisions::moment;
use super::extract::{Params, PoolInPath};
use super::problem::{Kind, Problem};
use super::site::Site;
use crate::account::PoolId;
use crate::base::{Mix, Span, Timestamp};
use crate::engine::PoolView;
use crate::signal::Metric;
use crate::store::{Glimpsed, Search, Store, StoreError};
use crate::world::{EntryKind, look_of};

/// Which time is told, in how many points.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Told {
    /// Not before this moment: `2026-11-22T09:00:00Z`, or how long ago, such as `6h`; at most 31 days before the end. 6h when left out.
    from: Option<String>,
    /// Not after this moment, written alike; now when left out.
    to: Option<String>,
    /// At most so many points, 2 to 600; 300 when left out.
    points: Option<usize>,
}

/// Points of a course when nobody says how many: more than a phone has pixels across.
const POINTS_USUAL: usize = 300;
/// The most: each reads one line of the ledger, a second together.
const POINTS_MAX: usize = 600;
/// The longest time: the month that a budget is about.
const LENGTH_MAX: Span = Span::days(31);
/// Decisions that are looked over: a month of a look every 30 seconds and some.
const DECISIONS_MAX: usize = 100_000;
/// A pause between two looks that is longer than this is shown as a gap: nobody knows what was there.
const GAP: Span = Span::minutes(15);

/// The course of a pool over some time: nodes, targets, queue and cost, and the decisions that changed something.
///
/// Each point is the last decision of its stretch; what nodes cost is the mean of it.
#[utoipa::path(
    get,
    path = "/api/v1/pools/{id}/series",
    tag = "reads",
    params(("id" = String, Path, description = "The pool"), Told),
    responses(
        (status = 200, description = "The course", body = SeriesAnswer),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger cannot be searched", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn series(
    State(site): State<Site>,
    PoolInPath(pool): PoolInPath,
    Params(told): Params<Told>,
) -> Result<Json<SeriesAnswer>, Problem> {
    let now = site.now();
    let given = |text: &Option<String>| text.as_deref().map(|text| moment(text, now)).transpose();
    let to = given(&told.to)?.unwrap_or(now);
    let from = given(&told.from)?.unwrap_or(to - Span::hours(6));
    if to <= from || to - from > LENGTH_MAX {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("from {from} to {to} is no time of up to 31 days"),
            "leave `to` out and say how long ago, such as from=6h or from=30d",
        ));
    }
    let points = told.points.unwrap_or(POINTS_USUAL).clamp(2, POINTS_MAX);
    let frame = Frame { from, to, points };
    Ok(Json(site.memory(move |store| tell(store, &pool, frame)).await?))
}

/// The course of a pool over some time: columns of equal length, one place for each point; null where something is not known.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeriesAnswer {
    /// The pool.
    pub pool: String,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// How long a stretch is that one point stands for, in seconds.
    pub step_seconds: f64,
    /// How many decisions were looked over.
    pub decisions: usize,
    /// What an hour of a dedicated node costs, in US dollars, where the ledger tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_dedicated: Option<f64>,
    /// Whether all of them were; false where there are too many.
    pub whole: bool,
    /// The moments, in seconds since 1970.
    pub at: Vec<f64>,
    /// Dedicated nodes that are paid for.
    pub dedicated: Vec<Option<u32>>,
    /// Spot nodes that are paid for.
    pub spot: Vec<Option<u32>>,
    /// Dedicated nodes where the decision ends.
    pub target_dedicated: Vec<Option<u32>>,
    /// Spot nodes where the decision ends.
    pub target_spot: Vec<Option<u32>>,
    /// Nodes that were asked for, before bounds and guards.
    pub asked: Vec<Option<u32>>,
    /// Tasks that wait.
    pub waiting: Vec<Option<f64>>,
    /// Tasks that run.
    pub running: Vec<Option<f64>>,
    /// Spot nodes that are taken away.
    pub preempted: Vec<Option<u32>>,
    /// What an hour of the nodes costs, in US dollars; the mean of the stretch.
    pub cost_hourly: Vec<Option<f64>>,
    /// The decisions: all of them where they are few, those that changed something else.
    pub marks: Vec<MarkAnswer>,
}

/// A decision in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MarkAnswer {
    /// The number of its line in the ledger.
    pub number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What it comes to: out, in, shift, steady or hold.
    pub verdict: String,
    /// Where it ends.
    pub target: NodesByLane,
    /// How many decisions of its stretch it stands for.
    pub count: u32,
}

fn tell(store: &Store, pool: &PoolId, frame: Frame) -> Result<SeriesAnswer, StoreError> {
    let glimpsed = Glimpsed {
        pool: pool.clone(),
        from: frame.from,
        to: frame.to,
    };
    let mut course = Course::new(frame);
    let whole = store.glimpse(&glimpsed, &mut |glimpse| {
        course.see(glimpse);
        course.decisions < DECISIONS_MAX
    })?;
    let mut answer = SeriesAnswer::of(pool, frame, &course);
    answer.whole = whole;
    let gap = GAP.max(course.step() + course.step());
    let mut before: Option<Timestamp> = None;
    for point in &course.points {
        if let Some(before) = before.filter(|before| point.at - *before > gap) {
            answer.gap(before + GAP);
        }
        before = Some(point.at);
        answer.add(point, &look(store, pool, point.number)?);
    }
    Ok(answer)
}

/// What one line tells beyond its columns.
#[derive(Default)]
struct Look {
    asked: Option<u32>,
    waiting: Option<f64>,
    running: Option<f64>,
    preempted: Option<u32>,
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
        }
        #[derive(Deserialize)]
        struct Step {
            stage: String,
            to: Mix,
        }
        let line_read: Option<Line> = serde_json::from_str(line).ok();
        let asks = |step: &&Step| step.stage == "propose" || step.stage == "split";
        let asked =
            line_read.and_then(|line| line.steps.iter().rev().find(asks).map(|step| step.to.total().0));
        let view = look_of(line).ok().flatten().map(|(_, view)| view);
        let counted = view.as_ref().map(Self::counted).unwrap_or_default();
        Self { asked, ..counted }
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
        }
    }
}

impl SeriesAnswer {
    /// Returns the answer without its points.
    fn of(pool: &PoolId, frame: Frame, course: &Course) -> Self {
        Self {
            pool: pool.to_string(),
            from: frame.from,
            to: frame.to,
            step_seconds: course.step().as_seconds(),
            decisions: course.decisions,
            price_dedicated: course.price_dedicated,
            whole: true,
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
        }
    }

    fn add(&mut self, point: &Point, look: &Look) {
        self.at.push(point.at.unix_seconds());
        self.dedicated.push(point.held.map(|held| held.dedicated.0));
        self.spot.push(point.held.map(|held| held.spot.0));
        self.target_dedicated.push(Some(point.target.dedicated.0));
        self.target_spot.push(Some(point.target.spot.0));
        self.cost_hourly.push(point.cost_hourly);
        self.asked.push(look.asked);
        self.waiting.push(look.waiting);
        self.running.push(look.running);
        self.preempted.push(look.preempted);
    }

    /// Adds a point at which nothing is known.
    fn gap(&mut self, at: Timestamp) {
        self.at.push(at.unix_seconds());
        for nodes in [
            &mut self.dedicated,
            &mut self.spot,
            &mut self.target_dedicated,
            &mut self.target_spot,
            &mut self.asked,
            &mut self.preempted,
        ] {
            nodes.push(None);
        }
        for numbers in [&mut self.cost_hourly, &mut self.waiting, &mut self.running] {
            numbers.push(None);
        }
    }
}

impl From<super::course::Mark> for MarkAnswer {
    fn from(mark: super::course::Mark) -> Self {
        Self {
            number: mark.number,
            at: mark.at,
            verdict: mark.verdict,
            target: NodesByLane::from(mark.target),
            count: mark.count,
        }
    }
}
