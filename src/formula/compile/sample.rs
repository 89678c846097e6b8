//! The sample methods: windows are borrowed from the history, never copied.

use std::cell::RefCell;

use super::number::{Operand, computed};
use super::times::age;
use super::{Compiler, Instant, Interval, Number};
use crate::base::Span;
use crate::formula::ast::Place;
use crate::formula::builtin::{Method, Type};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::formula::print_value::write_number;
use crate::formula::run::{Found, Halt, RawFault, Run, WindowId};
use crate::formula::{FaultCode, Lean, SampleRead};
use crate::signal::{Metric, Window};

/// Finds samples, oldest first.
pub(super) enum Samples {
    /// The newest ones, however old.
    Latest { metric: Metric, count: Count },
    /// Those of a window, or a fault where too few of them are there.
    Window(Sufficient),
}

impl Samples {
    /// Finds samples of which each will be touched.
    #[inline]
    pub(super) fn find_counted<'r>(&self, run: &mut Run<'r>) -> &'r [f64] {
        let values = self.find(run);
        if run.spend(values.len()) { values } else { &[] }
    }

    /// Compiles a look at the newest sample alone, if that is what is asked for.
    pub(super) fn only_newest(
        &self,
    ) -> Option<impl for<'r> Fn(&mut Run<'r>) -> Option<f64> + Copy + Send + Sync + 'static + use<>> {
        let Self::Latest {
            metric,
            count: Count::Constant(1),
        } = self
        else {
            return None;
        };
        let metric = *metric;
        Some(move |run: &mut Run<'_>| {
            if run.trace.is_some() {
                note_newest(run, metric, 1);
            }
            let newest = *run.series(metric)?.values().last()?;
            run.spend(1).then_some(newest)
        })
    }

    #[inline]
    fn find<'r>(&self, run: &mut Run<'r>) -> &'r [f64] {
        match self {
            Self::Latest { metric, count } => {
                let count = match count {
                    Count::Constant(count) => *count,
                    Count::Computed(count) => count.get(run) as usize,
                };
                newest(run, *metric, count)
            }
            Self::Window(sufficient) => sufficient.find(run).values,
        }
    }
}

/// The newest samples, noted.
#[inline]
fn newest<'r>(run: &mut Run<'r>, metric: Metric, count: usize) -> &'r [f64] {
    if run.trace.is_some() {
        note_newest(run, metric, count);
    }
    run.series(metric).map_or(&[], |series| series.latest(count))
}

#[cold]
#[inline(never)]
fn note_newest(run: &mut Run<'_>, metric: Metric, count: usize) {
    let values = run.series(metric).map_or(&[][..], |series| series.latest(count));
    let look = Look {
        metric,
        method: Method::GetSample,
        ages: None,
        possible: u32::try_from(count).unwrap_or(u32::MAX),
        values,
    };
    look.note(run);
}

/// How many samples are asked for, truncated like every count; what is below one or no number finds nothing.
pub(super) enum Count {
    Constant(usize),
    Computed(Operand),
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
    metric: Metric,
    /// The same for all calls that look at this window.
    id: WindowId,
    near: Span,
    possible: u32,
    /// With so many samples the percentage is reached.
    enough: usize,
}

impl Sufficient {
    fn new(window: WindowOf, wanted: Option<Operand>, default: f64, open: usize, windows: &Windows) -> Self {
        let percent = match wanted {
            None => Some(default),
            Some(Operand::Constant(percent)) => Some(percent),
            Some(_) => None,
        };
        let usual = percent.and_then(|percent| window.usual(percent, windows));
        Self {
            window,
            wanted,
            default,
            open,
            usual,
        }
    }

    /// Finds samples of which each counts as touched, though their sum may be known.
    #[inline]
    pub(super) fn find_counted<'r>(&self, run: &mut Run<'r>) -> Found<'r> {
        let found = self.find(run);
        if run.spend(found.values.len()) {
            found
        } else {
            Found::default()
        }
    }

    #[inline]
    fn find<'r>(&self, run: &mut Run<'r>) -> Found<'r> {
        match usual_samples(self.usual.as_ref(), run) {
            Some((usual, found)) if found.values.len() >= usual.enough => found,
            _ => Found {
                values: self.look(run),
                sum: None,
            },
        }
    }

    /// Looks with everything computed, noted and checked.
    #[inline(never)]
    fn look<'r>(&self, run: &mut Run<'r>) -> &'r [f64] {
        let (window, one, other) = self.window.find(run);
        let (open, metric) = (self.open, self.window.metric);
        let call = open..open + 1;
        let wanted = if let Some(wanted) = &self.wanted {
            wanted.get(run)
        } else {
            run.lean(Lean::DefaultPercent, &call);
            self.default
        };
        let ages = Some((one, other));
        let look = Look {
            metric,
            method: Method::GetSample,
            ages,
            possible: window.possible,
            values: window.values,
        };
        look.note(run);
        if (one - other).abs() < Span::SAMPLE_PERIOD {
            run.lean(Lean::WindowBelowPeriod, &call);
        }
        let received = window.percent();
        if received < wanted {
            run.halt(insufficient(open, metric, wanted, received))
        } else {
            window.values
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
    fn usual(&self, wanted: f64, windows: &Windows) -> Option<Usual> {
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
            metric: self.metric,
            id: windows.id(self.metric, near, far),
            possible,
            enough,
        })
    }

    fn find<'r>(&self, run: &mut Run<'r>) -> (Window<'r>, Span, Span) {
        let (one, other) = (self.start.age(run), self.end.age(run));
        let window = match run.series(self.metric) {
            Some(series) => series.window(run.inputs.now, one, other),
            None => Window {
                values: &[],
                // A data set without samples has the usual period.
                possible: Window::possible((one - other).abs(), Span::SAMPLE_PERIOD),
            },
        };
        (window, one, other)
    }

    #[inline(never)]
    fn percent(&self, run: &mut Run<'_>, call: &Place) -> f64 {
        let (window, one, other) = self.find(run);
        let ages = Some((one, other));
        let look = Look {
            metric: self.metric,
            method: Method::GetSamplePercent,
            ages,
            possible: window.possible,
            values: window.values,
        };
        look.note(run);
        if (one - other).abs() < Span::SAMPLE_PERIOD {
            run.lean(Lean::WindowBelowPeriod, call);
        }
        window.percent()
    }
}

/// The samples of a window that is known beforehand; a trace wants the whole story instead.
#[inline]
fn usual_samples<'a, 'r>(usual: Option<&'a Usual>, run: &mut Run<'r>) -> Option<(&'a Usual, Found<'r>)> {
    let usual = usual?;
    let is_there = run.window.0 == usual.id || usual.look(run);
    is_there.then_some((usual, run.window.1))
}

impl Usual {
    /// Looks into the history, for this call and for the next one that asks for the same; `false` where the whole story
    /// is wanted.
    #[inline(never)]
    fn look(&self, run: &mut Run<'_>) -> bool {
        let Some(series) = run.series(self.metric) else {
            return false;
        };
        if run.trace.is_some() || series.period() != Span::SAMPLE_PERIOD {
            return false;
        }
        let (values, sum) = series.between_with_sum(run.inputs.now, self.near, self.far);
        let found = Found { values, sum };
        run.window = (self.id, found);
        true
    }
}

/// The windows of a formula whose bounds are constants, each with its number.
#[derive(Default)]
pub(super) struct Windows(RefCell<Vec<(Metric, Span, Span)>>);

impl Windows {
    fn id(&self, metric: Metric, near: Span, far: Span) -> WindowId {
        let mut windows = self.0.borrow_mut();
        let window = (metric, near, far);
        let known = windows.iter().position(|other| *other == window);
        let id = known.unwrap_or_else(|| {
            windows.push(window);
            windows.len() - 1
        });
        WindowId::try_from(id).expect("8,192 characters hold fewer windows")
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
    fn age(&self, run: &mut Run<'_>) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Interval(interval) => interval(run),
            Self::Instant(instant) => age(run.inputs.now, instant(run)),
        }
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

    /// Compiles a node if it is a call of `GetSample` with a window; looks before it compiles, for what is compiled in
    /// vain is compiled again and again where calls are nested.
    pub(super) fn window_of(&self, node: &Node) -> Option<Sufficient> {
        match &node.kind {
            Kind::Sample(sample) if sample.method == Method::GetSample => self.sufficient(sample),
            _ => None,
        }
    }

    /// Compiles `GetSample`.
    pub(super) fn samples(&self, sample: &Sample) -> Samples {
        if let Some(Selection::Latest(count)) = &sample.selection {
            let count = match self.operand(count) {
                Operand::Constant(count) => Count::Constant(count as usize),
                count => Count::Computed(count),
            };
            let metric = sample.metric;
            return Samples::Latest { metric, count };
        }
        Samples::Window(self.sufficient(sample).expect("GetSample takes arguments"))
    }

    fn sufficient(&self, sample: &Sample) -> Option<Sufficient> {
        let Some(Selection::Window { start, end, percent }) = &sample.selection else {
            return None;
        };
        let window = self.window(sample.metric, start, end.as_deref());
        let wanted = percent.as_ref().map(|percent| self.operand(percent));
        Some(Sufficient::new(
            window,
            wanted,
            self.scope.default_sample_percent,
            sample.open,
            &self.windows,
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
            (Method::Count, _) => computed(move |run| {
                let count = run.series(metric).map_or(0, |series| series.values().len());
                count as f64
            }),
            (Method::GetSamplePercent, Some(Selection::Window { start, end, .. })) => {
                let window = self.window(metric, start, end.as_deref());
                let usual = window.usual(0.0, &self.windows);
                let call = sample.open..sample.open + 1;
                computed(move |run| {
                    if let Some((usual, found)) = usual_samples(usual.as_ref(), run) {
                        return Window::share(found.values.len(), usual.possible);
                    }
                    window.percent(run, &call)
                })
            }
            (method, _) => unreachable!("{} gives no number", method.name()),
        }
    }
}

#[cold]
fn insufficient(open: usize, metric: Metric, wanted: f64, received: f64) -> Halt {
    let mut message = format!("Insufficient data from data set: {metric} wanted ");
    write_number(&mut message, wanted).expect("a string takes everything");
    message.push_str("%, received ");
    write_number(&mut message, received).expect("a string takes everything");
    message.push('%');
    Halt::Fault(Box::new(RawFault {
        code: FaultCode::InsufficientSampleData,
        offset: open,
        message,
    }))
}

/// One look at the samples, as a trace tells of it.
struct Look<'v> {
    metric: Metric,
    method: Method,
    /// The window's bounds as ages; `None` where the newest samples were asked for.
    ages: Option<(Span, Span)>,
    possible: u32,
    values: &'v [f64],
}

impl Look<'_> {
    fn note(&self, run: &mut Run<'_>) {
        let now = run.inputs.now;
        let Some(trace) = &mut run.trace else { return };
        trace.reads.push(SampleRead {
            metric: self.metric,
            method: self.method,
            window: self
                .ages
                .map(|(one, other)| (now - one.max(other), now - one.min(other))),
            possible: self.possible,
            values: self
                .values
                .iter()
                .rev()
                .take(TRACED_SAMPLES_MAX)
                .copied()
                .collect(),
            present: self.values.len(),
        });
    }
}
