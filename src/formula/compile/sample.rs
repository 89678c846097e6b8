//! The sample methods: windows are borrowed from the history, never copied.

use super::times::age;
use super::{Compiler, Instant, Interval, Number};
use crate::base::{Span, Timestamp};
use crate::formula::builtin::{Method, Type};
use crate::formula::checked::{Node, Sample, Selection};
use crate::formula::print_value::write_number;
use crate::formula::run::{Halt, RawFault, Run};
use crate::formula::{FaultCode, Lean, SampleRead};
use crate::signal::{Metric, Window};

/// Finds samples, oldest first.
pub(super) type Samples = Box<dyn for<'r> Fn(&mut Run<'r>) -> Result<&'r [f64], Halt> + Send + Sync>;

/// A window of a data set.
struct WindowOf {
    metric: Metric,
    start: Bound,
    end: Bound,
}

impl WindowOf {
    #[inline]
    fn find<'r>(&self, run: &mut Run<'r>) -> Result<(Window<'r>, Span, Span), Halt> {
        let (one, other) = (self.start.age(run)?, self.end.age(run)?);
        let window = match run.series(self.metric) {
            Some(series) => series.window(run.now, one, other),
            None => Window {
                values: &[],
                possible: possible(one, other),
            },
        };
        Ok((window, one, other))
    }
}

/// The trace shows so many samples of each read; the count tells of the others.
const TRACED_SAMPLES_MAX: usize = 32;

/// A bound of a window as an age: how long before now.
enum Bound {
    Constant(Span),
    Interval(Interval),
    Instant(Instant),
}

impl Bound {
    #[inline]
    fn age(&self, run: &mut Run<'_>) -> Result<Span, Halt> {
        Ok(match self {
            Self::Constant(span) => *span,
            Self::Interval(interval) => interval(run)?,
            Self::Instant(instant) => age(run.now, instant(run)?),
        })
    }
}

impl Compiler<'_> {
    /// Compiles `GetSample`.
    pub(super) fn samples(&self, sample: &Sample) -> Samples {
        let metric = sample.metric;
        let (start, end, percent) = match sample.selection.as_ref().expect("GetSample takes arguments") {
            Selection::Latest(count) => return self.latest(metric, count),
            Selection::Window { start, end, percent } => (start, end, percent),
        };
        let window = self.window(metric, start, end.as_deref());
        let wanted = percent.as_ref().map(|percent| self.operand(percent));
        let (open, default) = (sample.open, self.scope.default_sample_percent);
        let call = sample.open..sample.open + 1;
        Box::new(move |run| {
            let (window, one, other) = window.find(run)?;
            let wanted = match &wanted {
                Some(wanted) => wanted.get(run)?,
                None => {
                    run.lean(Lean::DefaultPercent, &call);
                    default
                }
            };
            trace(
                run,
                metric,
                Method::GetSample,
                Some((one, other)),
                window.possible,
                window.values,
            );
            if (one - other).abs() < Span::SAMPLE_PERIOD {
                run.lean(Lean::WindowBelowPeriod, &call);
            }
            let received = window.percent();
            if received < wanted {
                insufficient(open, metric, wanted, received)
            } else {
                Ok(window.values)
            }
        })
    }

    fn latest(&self, metric: Metric, count: &Node) -> Samples {
        let count = self.operand(count);
        Box::new(move |run| {
            // Truncated like every count; what is below one or no number finds nothing.
            let count = count.get(run)? as usize;
            let values = run.series(metric).map_or(&[][..], |series| series.latest(count));
            trace(
                run,
                metric,
                Method::GetSample,
                None,
                u32::try_from(count).unwrap_or(u32::MAX),
                values,
            );
            Ok(values)
        })
    }

    fn window(&self, metric: Metric, start: &Node, end: Option<&Node>) -> WindowOf {
        let start = self.bound(start);
        let end = end.map_or(Bound::Constant(Span::ZERO), |end| self.bound(end));
        WindowOf { metric, start, end }
    }

    fn bound(&self, node: &Node) -> Bound {
        match super::times::constant_interval(node) {
            Some(span) => Bound::Constant(span),
            None if node.ty == Type::TimeInterval => Bound::Interval(self.interval(node)),
            None => Bound::Instant(self.instant(node)),
        }
    }

    /// Compiles the methods that give a number.
    pub(super) fn sample_number(&self, sample: &Sample) -> Number {
        let metric = sample.metric;
        match (sample.method, &sample.selection) {
            (Method::Count, _) => Box::new(move |run| {
                let count = run.series(metric).map_or(0, |series| series.values().len());
                Ok(count as f64)
            }),
            (Method::GetSamplePercent, Some(Selection::Window { start, end, .. })) => {
                let window = self.window(metric, start, end.as_deref());
                let call = sample.open..sample.open + 1;
                Box::new(move |run| {
                    let (window, one, other) = window.find(run)?;
                    trace(
                        run,
                        metric,
                        Method::GetSamplePercent,
                        Some((one, other)),
                        window.possible,
                        window.values,
                    );
                    if (one - other).abs() < Span::SAMPLE_PERIOD {
                        run.lean(Lean::WindowBelowPeriod, &call);
                    }
                    Ok(window.percent())
                })
            }
            (method, _) => unreachable!("{} gives no number", method.name()),
        }
    }
}

/// The possible samples of a window of a data set that has none.
fn possible(one: Span, other: Span) -> u32 {
    ((one - other).abs() / Span::SAMPLE_PERIOD)
        .round()
        .clamp(1.0, f64::from(u32::MAX)) as u32
}

fn insufficient<T>(open: usize, metric: Metric, wanted: f64, received: f64) -> Result<T, Halt> {
    let mut message = format!("Insufficient data from data set: {metric} wanted ");
    write_number(&mut message, wanted).expect("a string takes everything");
    message.push_str("%, received ");
    write_number(&mut message, received).expect("a string takes everything");
    message.push('%');
    Err(Halt::Fault(Box::new(RawFault {
        code: FaultCode::InsufficientSampleData,
        offset: open,
        message,
    })))
}

fn trace(
    run: &mut Run<'_>,
    metric: Metric,
    method: Method,
    ages: Option<(Span, Span)>,
    possible: u32,
    values: &[f64],
) {
    let now: Timestamp = run.now;
    run.read(|| SampleRead {
        metric,
        method,
        window: ages.map(|(one, other)| (now - one.max(other), now - one.min(other))),
        possible,
        values: values.iter().rev().take(TRACED_SAMPLES_MAX).copied().collect(),
        present: values.len(),
    });
}
