//! What is answered about the course of a pool: columns of equal length, made of rows.

use serde::Serialize;
use utoipa::ToSchema;

use super::answers::NodesByLane;
use super::course::Mark;
use crate::base::{Span, Timestamp};
use crate::decision::ForecastAsk;

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
    /// What an hour of a dedicated node costs, in US dollars: the latest that the ledger tells, or what the policy says.
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
    /// What was forecast and believed, where a policy forecasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastAnswer>,
    /// Where the points come from.
    pub history: HistoryAnswer,
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

/// Where the points of a course come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct HistoryAnswer {
    /// `ledger`, `prometheus`, or `both`. The decisions are the ledger's always.
    pub of: &'static str,
    /// The first moment that the ledger tells, where Prometheus tells what was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Why Prometheus told nothing, where it was asked and the ledger stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What was forecast, each value at the moment for which it was, and not at that of the decision: columns of equal length, null where
/// nothing was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct ForecastAnswer {
    /// The metric, with its `$`.
    pub metric: String,
    /// The moments, in seconds since 1970; the latest lie ahead.
    pub at: Vec<f64>,
    /// What is forecast of the metric.
    pub value: Vec<Option<f64>>,
    /// The nodes that it needs.
    pub nodes: Vec<Option<u32>>,
}

/// One point; what is not known is a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// In seconds since 1970.
    pub(super) at: f64,
    pub(super) dedicated: Option<u32>,
    pub(super) spot: Option<u32>,
    pub(super) target_dedicated: Option<u32>,
    pub(super) target_spot: Option<u32>,
    pub(super) asked: Option<u32>,
    pub(super) waiting: Option<f64>,
    pub(super) running: Option<f64>,
    pub(super) preempted: Option<u32>,
    pub(super) cost_hourly: Option<f64>,
}

impl Row {
    /// Returns a gap.
    pub(super) fn nothing_at(at: Timestamp) -> Self {
        Self {
            at: at.unix_seconds(),
            ..Self::default()
        }
    }

    pub(super) fn moment(&self) -> Timestamp {
        Timestamp::from_unix_seconds(0) + Span::from_seconds(self.at)
    }
}

impl ForecastAnswer {
    /// Returns what decisions forecast, of the metric that the latest is about; `gap` is how far apart two may be that belong together.
    pub(super) fn of(forecasts: &[(Timestamp, ForecastAsk)], gap: Span) -> Option<Self> {
        let (_, last) = forecasts.last()?;
        let mut told = Self {
            metric: last.metric.clone(),
            ..Self::default()
        };
        let same = forecasts.iter().filter(|(_, ask)| ask.metric == last.metric);
        let mut ahead: Vec<_> = same.map(|(at, ask)| (*at + ask.horizon, ask)).collect();
        ahead.sort_by_key(|(at, _)| *at);
        let mut before: Option<Timestamp> = None;
        for (at, ask) in ahead {
            if let Some(before) = before.filter(|before| at - *before > gap) {
                told.add(before + gap, None);
            }
            told.add(at, Some(ask));
            before = Some(at);
        }
        Some(told)
    }

    fn add(&mut self, at: Timestamp, ask: Option<&ForecastAsk>) {
        self.at.push(at.unix_seconds());
        self.value.push(ask.and_then(|ask| ask.value));
        self.nodes.push(ask.map(|ask| ask.nodes.0));
    }
}

impl HistoryAnswer {
    /// Returns that the ledger tells all.
    pub(super) const fn ledger() -> Self {
        Self {
            of: "ledger",
            until: None,
            fault: None,
        }
    }
}

impl SeriesAnswer {
    /// Adds rows to the columns.
    pub(super) fn add(mut self, rows: &[Row]) -> Self {
        self.at.extend(rows.iter().map(|row| row.at));
        self.dedicated.extend(rows.iter().map(|row| row.dedicated));
        self.spot.extend(rows.iter().map(|row| row.spot));
        self.target_dedicated
            .extend(rows.iter().map(|row| row.target_dedicated));
        self.target_spot.extend(rows.iter().map(|row| row.target_spot));
        self.asked.extend(rows.iter().map(|row| row.asked));
        self.waiting.extend(rows.iter().map(|row| row.waiting));
        self.running.extend(rows.iter().map(|row| row.running));
        self.preempted.extend(rows.iter().map(|row| row.preempted));
        self.cost_hourly.extend(rows.iter().map(|row| row.cost_hourly));
        self
    }
}

impl From<Mark> for MarkAnswer {
    fn from(mark: Mark) -> Self {
        Self {
            number: mark.number,
            at: mark.at,
            verdict: mark.verdict,
            target: NodesByLane::from(mark.target),
            count: mark.count,
        }
    }
}
