//! The sample methods: windows are borrowed from the history, never copied.

use super::number::Operand;
use super::times::age;
use super::{Compiler, Instant, Interval, Number};
use crate::base::{Span, Timestamp};
use crate::formula::ast::Place;
use crate::formula::builtin::{Method, Type};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::formula::print_value::write_number;
use crate::formula::run::{Halt, RawFault, Run};
use crate::formula::{FaultCode, Lean, SampleRead};
use crate::signal::{Metric, Window};

/// Finds samples, oldest first.
pub(super) enum Samples {
    /// The newest ones, however old.
    Latest { metric: Metric, count: Operand },
    /// Those of a window, or a fault where too few of them are there.
    Window(Sufficient),
}

impl Samples {
    /// Finds samples of which each will be touched.
    #[inline]
    pub(super) fn find_counted<'r>(&self, run: &mut Run<'r>) -> Result<&'r [f64], Halt> {
        let values = self.find(run)?;
        run.spend(values.len())?;
        Ok(values)
    }

    #[inline]
    pub(super) fn find<'r>(&self, run: &mut Run<'r>) -> Result<&'r [f64], Halt> {
        match self {
            Self::Latest { metric, count } => {
                // Truncated like every count; what is below one or no number finds nothing.
                let count = count.get(run)? as usize;
                let values = run.series(*metric).map_or(&[][..], |series| series.latest(count));
                let possible = u32::try_from(count).unwrap_or(u32::MAX);
                trace(run, *metric, Method::GetSample, None, possible, values);
                Ok(values)
            }
            Self::Window(sufficient) => sufficient.find(run),
        }
    }
}

/// A window that must hold enough of its samples.
pub(super) struct Sufficient {
    window: WindowOf,
    /// The samplePercent as written.
    wanted: Option<Operand>,
    default: f64,
    open: usize,
    usual: Option<Usual>,
}

/// What is known of a window before any run: both bounds and the percentage are constants, the period is the usual one.
struct Usual {
    /// Older samples are outside.
    far: Span,
    near: Span,
    possible: u32,
    /// With so many samples the percentage is reached.
    enough: usize,
}

impl Sufficient {
    fn new(window: WindowOf, wanted: Option<Operand>, default: f64, open: usize) -> Self {
        let percent = match wanted {
            None => Some(default),
            Some(Operand::Constant(percent)) => Some(percent),
            Some(_) => None,
        };
        let usual = percent.and_then(|percent| window.usual(percent));
        Self {
            window,
            wanted,
            default,
            open,
            usual,
        }
    }

    #[inline]
    fn find<'r>(&self, run: &mut Run<'r>) -> Result<&'r [f64], Halt> {
        match self.window.usual_samples(self.usual.as_ref(), run) {
            Some((usual, values)) if values.len() >= usual.enough => Ok(values),
            _ => self.look(run),
        }
    }

    /// Looks with everything computed, noted and checked.
    #[inline(never)]
    fn look<'r>(&self, run: &mut Run<'r>) -> Result<&'r [f64], Halt> {
        let (window, one, other) = self.window.find(run)?;
        let (open, metric) = (self.open, self.window.metric);
        let call = open..open + 1;
        let wanted = if let Some(wanted) = &self.wanted {
            wanted.get(run)?
        } else {
            run.lean(Lean::DefaultPercent, &call);
            self.default
        };
        let ages = Some((one, other));
        trace(
            run,
            metric,
            Method::GetSample,
            ages,
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
    }
}

/// A window of a data set.
struct WindowOf {
    metric: Metric,
    start: Bound,
    end: Bound,
}

impl WindowOf {
    /// What is known of a window of constant bounds; the percentage grows with the samples, so a count stands for it.
    fn usual(&self, wanted: f64) -> Option<Usual> {
        let (Bound::Constant(one), Bound::Constant(other)) = (&self.start, &self.end) else {
            return None;
        };
        let (near, far) = (*one.min(other), *one.max(other));
        let possible = Window::possible(far - near, Span::SAMPLE_PERIOD);
        // The time between samples is looked at in every run: only the usual one was counted with here.
        let falls_short = |present: usize| Window::share(present, possible) < wanted;
        let (mut enough, mut most) = (0, possible as usize);
        if falls_short(most) {
            return None;
        }
        while enough < most {
            let middle = enough.midpoint(most);
            if falls_short(middle) {
                enough = middle + 1;
            } else {
                most = middle;
            }
        }
        Some(Usual {
            far,
            near,
            possible,
            enough,
        })
    }

    /// The samples of a window that is known beforehand; a trace wants the whole story instead.
    #[inline]
    fn usual_samples<'a, 'r>(
        &self,
        usual: Option<&'a Usual>,
        run: &Run<'r>,
    ) -> Option<(&'a Usual, &'r [f64])> {
        let usual = usual?;
        let series = run.series(self.metric)?;
        if run.trace.is_some() || series.period() != Span::SAMPLE_PERIOD {
            return None;
        }
        Some((usual, series.between(run.now, usual.near, usual.far)))
    }

    fn find<'r>(&self, run: &mut Run<'r>) -> Result<(Window<'r>, Span, Span), Halt> {
        let (one, other) = (self.start.age(run)?, self.end.age(run)?);
        let window = match run.series(self.metric) {
            Some(series) => series.window(run.now, one, other),
            None => Window {
                values: &[],
                // A data set without samples has the usual period.
                possible: Window::possible((one - other).abs(), Span::SAMPLE_PERIOD),
            },
        };
        Ok((window, one, other))
    }

    #[inline(never)]
    fn percent(&self, run: &mut Run<'_>, call: &Place) -> Result<f64, Halt> {
        let (window, one, other) = self.find(run)?;
        let ages = Some((one, other));
        trace(
            run,
            self.metric,
            Method::GetSamplePercent,
            ages,
            window.possible,
            window.values,
        );
        if (one - other).abs() < Span::SAMPLE_PERIOD {
            run.lean(Lean::WindowBelowPeriod, call);
        }
        Ok(window.percent())
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
    /// Compiles a node if it is a call of `GetSample`.
    pub(super) fn samples_of(&self, node: &Node) -> Option<Samples> {
        match &node.kind {
            Kind::Sample(sample) if sample.method == Method::GetSample => Some(self.samples(sample)),
            _ => None,
        }
    }

    /// Compiles `GetSample`.
    pub(super) fn samples(&self, sample: &Sample) -> Samples {
        let metric = sample.metric;
        let (start, end, percent) = match sample.selection.as_ref().expect("GetSample takes arguments") {
            Selection::Latest(count) => {
                let count = self.operand(count);
                return Samples::Latest { metric, count };
            }
            Selection::Window { start, end, percent } => (start, end, percent),
        };
        let window = self.window(metric, start, end.as_deref());
        let wanted = percent.as_ref().map(|percent| self.operand(percent));
        Samples::Window(Sufficient::new(
            window,
            wanted,
            self.scope.default_sample_percent,
            sample.open,
        ))
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
                let usual = window.usual(0.0);
                let call = sample.open..sample.open + 1;
                Box::new(move |run| {
                    if let Some((usual, values)) = window.usual_samples(usual.as_ref(), run) {
                        return Ok(Window::share(values.len(), usual.possible));
                    }
                    window.percent(run, &call)
                })
            }
            (method, _) => unreachable!("{} gives no number", method.name()),
        }
    }
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

#[inline]
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
