//! How samples are asked for: percentages, look-backs and counts.

use super::Room;
use super::flow::{Spot, Wanted, wanted_percent};
use crate::base::{Code, Diagnostic, Span};
use crate::formula::builtin::{Function, Method};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::formula::range::value::{Times, Value};
use crate::signal::Metric;

/// "Samples … may take about a minute to arrive" (automatic scaling guide, "Get sample data").
const DELAY: Span = Span::minutes(1);
/// Half of what the guide's own samples ask for would be 35 %; a tenth is what TES lives with.
const PERCENT_LOW: f64 = 10.0;

/// An expression is looked through so far; names that are used twice each could double it with every statement.
const LOOKS_MAX: usize = 64;

/// A percentage, 0 to 100, compared with a fraction.
pub(super) fn percent_as_fraction(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each_comparison(&mut |spot, side, other, number| {
        let is_fraction = number > 0.0 && number < 1.0;
        if !is_fraction || !is_percentage(room, side, &mut { LOOKS_MAX }) {
            return;
        }
        let message = format!(
            "`{}` compares a percentage, 0 to 100, with the fraction {number}",
            room.text(spot.node)
        );
        let percent = Value::shown(number * 100.0);
        out.push(
            Diagnostic::warning(Code("F224"), spot.node.span.clone(), message)
                .label(other.span.clone(), format!("less than one percent; {percent} %?"))
                .help(format!("write {percent}")),
        );
    });
}

/// Says whether an expression is a share of samples or a reduction of `$CPUPercent`.
fn is_percentage<'a>(room: &Room<'a>, spot: Spot<'a>, looks: &mut usize) -> bool {
    let Some(left) = looks.checked_sub(1) else {
        return false;
    };
    *looks = left;
    let spot = room.flow.resolve(spot);
    match &spot.node.kind {
        Kind::Sample(sample) => {
            sample.method == Method::GetSamplePercent
                || (sample.method == Method::GetSample && sample.metric == Metric::CpuPercent)
        }
        Kind::Conditional(_, then, otherwise) => [then, otherwise]
            .into_iter()
            .any(|node| is_percentage(room, Spot { node, ..spot }, looks)),
        Kind::Call {
            function, arguments, ..
        } => {
            let keeps_unit = matches!(
                function,
                Function::Avg | Function::Min | Function::Max | Function::Val | Function::Percentile
            );
            keeps_unit
                && arguments
                    .iter()
                    .any(|node| is_percentage(room, Spot { node, ..spot }, looks))
        }
        _ => false,
    }
}

/// A demanded share of samples that can never be met, is a fraction, or is next to nothing.
pub(super) fn wanted_percents(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    each_sample(room, &mut |_, node, sample| {
        let Wanted::Written(percent) = wanted_percent(sample) else {
            return;
        };
        let Some(number) = room.constant(percent) else {
            return;
        };
        let text = room.text(node);
        let place = percent.span.clone();
        if number > 100.0 {
            let message =
                format!("`{text}` wants {number} % of the samples, and there are never more than 100 %");
            out.push(Diagnostic::warning(Code("F225"), place, message).help("ask for 70 or less"));
        } else if number > 0.0 && number < 1.0 {
            let message =
                format!("`{text}` wants {number} % of the samples: a percentage, 0 to 100, is expected");
            out.push(
                Diagnostic::warning(Code("F224"), place, message)
                    .help(format!("write {}", Value::shown(number * 100.0))),
            );
        } else if number > 0.0 && number < PERCENT_LOW {
            let message = format!(
                "`{text}` is content with {number} % of the samples, so that one stray sample decides"
            );
            out.push(
                Diagnostic::warning(Code("F226"), place, message)
                    .help("ask for 70, and fall back on the newest sample where GetSamplePercent says less"),
            );
        }
    });
}

/// Windows that end before the first sample can have arrived, or that reach into the future.
pub(super) fn look_backs(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    each_sample(room, &mut |_, node, sample| {
        let Some((near, far)) = ages(room, sample) else {
            return;
        };
        let text = room.text(node);
        if far.is_negative() || near.is_negative() {
            let message = format!("`{text}` looks into the future, where no sample is");
            out.push(
                Diagnostic::warning(Code("F253"), node.span.clone(), message)
                    .help("a look-back is a positive interval: 5 * TimeInterval_Minute"),
            );
        } else if far < DELAY {
            let seconds = far.as_seconds();
            let message =
                format!("`{text}` looks back {seconds} seconds, and samples take about 60 to arrive");
            out.push(
                Diagnostic::warning(Code("F227"), node.span.clone(), message)
                    .help("look back at least two minutes, better five"),
            );
        }
    });
}

/// Returns the least and the largest age of a window, where both are known.
pub(super) fn ages(room: &Room<'_>, sample: &Sample) -> Option<(Span, Span)> {
    let Some(Selection::Window { start, end, .. }) = &sample.selection else {
        return None;
    };
    let age = |node: &Node| match room.analysis.facts.value(node) {
        Value::Span(spans) => spans.only(),
        Value::Time(Times {
            after_now: true,
            low,
            high,
        }) if low == high => Some(-Span::from_ticks(low)),
        _ => None,
    };
    let one = age(start)?;
    let other = end.as_ref().map_or(Some(Span::ZERO), |end| age(end))?;
    Some((one.min(other), one.max(other)))
}

/// Returns how far back a formula looks at the most; `None` where that cannot be told from its text.
pub(super) fn farthest(room: &Room<'_>) -> Option<Span> {
    let mut farthest = Some(Span::ZERO);
    each_sample(room, &mut |_, _, sample| {
        let age = match &sample.selection {
            Some(Selection::Window { .. }) => ages(room, sample).map(|(_, far)| far),
            Some(Selection::Latest(count)) => room
                .constant(count)
                .map(|count| Span::from_seconds(count.max(1.0) * Span::SAMPLE_PERIOD.as_seconds())),
            None if sample.method == Method::GetSamplePeriod => Some(Span::ZERO),
            // How many samples there are, and since when, is what is kept.
            None => None,
        };
        farthest = farthest.zip(age).map(|(one, other)| one.max(other));
    });
    farthest
}

/// A number of samples that is none.
pub(super) fn counts(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    each_sample(room, &mut |_, _, sample| {
        let Some(Selection::Latest(count)) = &sample.selection else {
            return;
        };
        let Some(number) = room.constant(count) else {
            return;
        };
        if number < 1.0 || number.fract() != 0.0 {
            let message = format!("GetSample({number}) asks for {number} samples");
            out.push(Diagnostic::warning(Code("F252"), count.span.clone(), message)
                .help("a plain number is how many samples: 1, 2, 3, ...; a look-back is an interval, a share comes last"));
        }
    });
}

/// Calls `visit` on each sample method with its statement and node.
pub(super) fn each_sample<'a>(room: &Room<'a>, visit: &mut dyn FnMut(usize, &'a Node, &'a Sample)) {
    room.each(&mut |spot| {
        if let Kind::Sample(sample) = &spot.node.kind {
            visit(spot.statement, spot.node, sample);
        }
    });
}
