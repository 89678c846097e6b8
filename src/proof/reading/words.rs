//! Reads the single words of a script: times, numbers, metrics and facts of the pool.

use std::str::FromStr;

use pest::iterators::Pair;

use super::grammar::Rule;
use super::{fault, range};
use crate::account::NodeDeallocationOption;
use crate::base::{Diagnostic, Nodes, Span, Timestamp};
use crate::formula::PoolFacts;
use crate::signal::Metric;

/// Reads a time, or `+10m` as counted from `start`.
pub(super) fn time(word: &Pair<'_, Rule>, start: Timestamp) -> Result<Timestamp, Diagnostic> {
    match word.as_str().strip_prefix('+') {
        Some(later) => Ok(start + parsed::<Span>(word, later)?),
        None => parsed(word, word.as_str()),
    }
}

/// Reads an instant or an interval.
pub(super) fn parsed<T: FromStr<Err: ToString>>(word: &Pair<'_, Rule>, text: &str) -> Result<T, Diagnostic> {
    text.parse()
        .map_err(|wrong: T::Err| fault::value(range(word), wrong.to_string()))
}

/// Reads the time between two samples.
pub(super) fn period(word: &Pair<'_, Rule>) -> Result<Span, Diagnostic> {
    let span: Span = parsed(word, word.as_str())?;
    if span > Span::ZERO {
        Ok(span)
    } else {
        Err(fault::value(range(word), "the time between two samples is above zero").help("write 30s"))
    }
}

/// Reads a whole number.
pub(super) fn whole<T: FromStr>(word: &Pair<'_, Rule>) -> Result<T, Diagnostic> {
    let text = word.as_str();
    text.parse().map_err(|_| {
        let message = format!("`{text}` is no whole number that fits here");
        fault::value(range(word), message).help("write digits only, such as 3")
    })
}

/// Reads a number.
pub(super) fn number(word: &Pair<'_, Rule>) -> Result<f64, Diagnostic> {
    let text = word.as_str();
    text.parse().map_err(|_| {
        fault::value(range(word), format!("`{text}` is no number")).help("write 3, 0.5, 1e6, inf or nan")
    })
}

/// Reads a metric's name.
pub(super) fn metric(word: &Pair<'_, Rule>) -> Result<Metric, Diagnostic> {
    word.as_str().parse().map_err(|()| {
        let known: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        fault::unknown(range(word), "metric", word.as_str(), &known)
    })
}

/// Reads a node deallocation option.
pub(super) fn option(word: &Pair<'_, Rule>) -> Result<NodeDeallocationOption, Diagnostic> {
    word.as_str().parse().map_err(|()| {
        let known = NodeDeallocationOption::ALL.map(NodeDeallocationOption::word);
        fault::unknown(range(word), "node deallocation option", word.as_str(), &known)
    })
}

/// The facts of a pool, by the names that `eval --inputs` has.
const FACTS: [&str; 8] = [
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "nodeDeallocationOption",
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "usableNodes",
    "preemptedNodes",
    "taskSlotsPerNode",
];

/// Sets one fact of a pool.
pub(super) fn set_fact(
    pool: &mut PoolFacts,
    name: &Pair<'_, Rule>,
    value: &Pair<'_, Rule>,
) -> Result<(), Diagnostic> {
    let nodes = || whole(value).map(Nodes);
    match name.as_str() {
        "targetDedicatedNodes" => pool.target.dedicated = nodes()?,
        "targetLowPriorityNodes" => pool.target.spot = nodes()?,
        "nodeDeallocationOption" => pool.option = option(value)?,
        "currentDedicatedNodes" => pool.current.dedicated = nodes()?,
        "currentLowPriorityNodes" => pool.current.spot = nodes()?,
        "usableNodes" => pool.usable = nodes()?,
        "preemptedNodes" => pool.preempted = nodes()?,
        "taskSlotsPerNode" => pool.task_slots_per_node = whole(value)?,
        other => return Err(fault::unknown(range(name), "fact of a pool", other, &FACTS)),
    }
    Ok(())
}
