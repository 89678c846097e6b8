//! `lowtide report --table`: its rows as tables for notebooks.

use super::table_file::{Column, count};
use crate::base::Span;
use crate::store::report::{Cost, Savings, Wait};

#[rustfmt::skip] // A table: its rows stay together.
pub(super) fn cost_columns() -> Vec<Column<Cost>> {
    vec![
        Column::text("pool", |cost| Some(cost.pool.to_string())),
        Column::moment("from", |cost| Some(cost.from)),
        Column::moment("to", |cost| Some(cost.to)),
        Column::number("dedicated_node_hours", |cost| Some(cost.dedicated_node_hours)),
        Column::number("spot_node_hours", |cost| Some(cost.spot_node_hours)),
        Column::number("dedicated_usd", |cost| Some(cost.dedicated.0)),
        Column::number("spot_usd", |cost| Some(cost.spot.0)),
        Column::number("total_usd", |cost| Some(cost.total.0)),
        Column::number("unpriced_node_hours", |cost| Some(cost.unpriced_node_hours)),
        Column::number("unseen_hours", |cost| Some(cost.unseen_hours)),
    ]
}

#[rustfmt::skip] // A table: its rows stay together.
pub(super) fn savings_columns() -> Vec<Column<Savings>> {
    vec![
        Column::text("pool", |savings| Some(savings.pool.to_string())),
        Column::number("held_usd", |savings| Some(savings.held.0)),
        Column::number("all_dedicated_usd", |savings| Some(savings.all_dedicated.0)),
        Column::number("formula_usd", |savings| Some(savings.formula.0)),
        Column::whole("formula_faults", |savings| Some(count(savings.formula_faults))),
        Column::number("hours", |savings| Some(savings.hours)),
    ]
}

#[rustfmt::skip] // A table: its rows stay together.
pub(super) fn wait_columns() -> Vec<Column<Wait>> {
    vec![
        Column::text("pool", |wait| Some(wait.pool.to_string())),
        Column::whole("begun_tasks", |wait| Some(count(wait.tasks))),
        Column::number("wait_p50_s", |wait| wait.p50.map(Span::as_seconds)),
        Column::number("wait_p95_s", |wait| wait.p95.map(Span::as_seconds)),
        Column::number("wait_max_s", |wait| wait.most.map(Span::as_seconds)),
        Column::whole("waiting_tasks", |wait| Some(count(wait.waiting))),
        Column::number("waiting_longest_s", |wait| wait.waiting_longest.map(Span::as_seconds)),
        Column::number("mean_waiting_tasks", |wait| wait.mean_waiting),
        Column::text("mean_of", |wait| wait.mean_of.map(str::to_owned)),
    ]
}
