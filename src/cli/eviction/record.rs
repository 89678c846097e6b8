//! What `eviction -o json` writes.

use serde::Serialize;

use super::Eviction;
use super::told::Part;
use crate::base::Span;
use crate::market::recorded::TableFormat;
use crate::market::{AgeHazard, Lifetime, Study, SurvivalStep};

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    file: String,
    format: TableFormat,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<LossRecord>,
    parts: Vec<PartRecord>,
}

/// Steps down of a recorded capacity.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LossRecord {
    pub(super) units: u32,
    pub(super) losses: u32,
    pub(super) lost: u32,
    pub(super) lost_by_halves: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartRecord {
    of: &'static str,
    lives: usize,
    ended: usize,
    hours: f64,
    median_hours: Option<f64>,
    held_out: usize,
    best: Option<&'static str>,
    models: Vec<ModelRecord>,
    hazards: Vec<HazardRecord>,
    survival: Vec<SurvivalStep>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelRecord {
    name: &'static str,
    lifetime: Option<Lifetime>,
    parameters: Option<usize>,
    log_likelihood: Option<f64>,
    aic: Option<f64>,
    held_out_per_end: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    break_even: Vec<BreakEvenRecord>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BreakEvenRecord {
    price_ratio: f64,
    /// `null` when spot is cheaper for every task of up to two months.
    task_hours: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HazardRecord {
    from_hours: f64,
    to_hours: Option<f64>,
    ended: usize,
    hours: f64,
    per_hour: f64,
    low: f64,
    high: f64,
}

impl Record {
    pub(super) fn new(
        verb: &Eviction,
        file: &str,
        format: TableFormat,
        losses: Option<LossRecord>,
        parts: &[Part],
    ) -> Self {
        let part = |part: &Part| PartRecord::new(part, &verb.price_ratio);
        Self {
            file: file.to_owned(),
            format,
            seed: verb.seed,
            losses,
            parts: parts.iter().map(part).collect(),
        }
    }
}

impl PartRecord {
    fn new(part: &Part, ratios: &[f64]) -> Self {
        let study: &Study = &part.study;
        Self {
            of: part.name,
            lives: study.n_lives,
            ended: study.n_ended,
            hours: study.hours,
            median_hours: study.median().map(Span::as_hours),
            held_out: study.n_held_out,
            best: study.best().map(|fit| fit.family.name()),
            models: models(part, ratios),
            hazards: study.hazards.iter().filter_map(HazardRecord::new).collect(),
            survival: study.curve.clone(),
        }
    }
}

fn models(part: &Part, ratios: &[f64]) -> Vec<ModelRecord> {
    let model = |studied: &crate::market::Studied| {
        let fit = studied.fit.as_ref();
        let break_even = |ratio: &f64| BreakEvenRecord {
            price_ratio: *ratio,
            task_hours: fit
                .and_then(|fit| fit.break_even_length(*ratio))
                .map(Span::as_hours),
        };
        let has_price = part.is_of_nodes && fit.is_some();
        ModelRecord {
            name: studied.family.name(),
            lifetime: fit.map(|fit| fit.lifetime.clone()),
            parameters: fit.map(|fit| fit.n_parameters),
            log_likelihood: fit.map(|fit| fit.log_likelihood),
            aic: fit.map(crate::market::Fit::aic),
            held_out_per_end: studied.held_out,
            break_even: if has_price {
                ratios.iter().map(break_even).collect()
            } else {
                Vec::new()
            },
        }
    };
    part.study.families.iter().map(model).collect()
}

impl HazardRecord {
    fn new(hazard: &AgeHazard) -> Option<Self> {
        let (low, high) = hazard.interval(super::told::level())?;
        Some(Self {
            from_hours: hazard.from.as_hours(),
            to_hours: hazard.to.map(Span::as_hours),
            ended: hazard.ended,
            hours: hazard.hours,
            per_hour: hazard.hazard()?.0,
            low: low.0,
            high: high.0,
        })
    }
}
