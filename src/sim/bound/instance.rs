//! The question in plain numbers: jobs, when spot nodes can be ready, and what nodes cost.
//!
//! Times are seconds from the start of the log; money is in units of the dearer lane's price for a node and second.

/// A task, or a piece of one, that runs without a break on slots of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Job {
    /// When it can start.
    pub(super) earliest: f64,
    /// When it must start.
    pub(super) latest: f64,
    /// How long it runs.
    pub(super) run: f64,
    /// The share of a node that its slots are, or the sum of the shares where like jobs are taken together.
    pub(super) weight: f64,
    /// How many tasks are late when all of the job is late.
    pub(super) tasks: f64,
}

/// A time through which a spot node can be ready without a break.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) from: f64,
    pub(super) until: f64,
}

/// How much may be late; see [`super::Misses`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Late {
    /// How many tasks, as a number.
    pub(super) tasks: f64,
    /// How much work, in node-seconds.
    pub(super) work: f64,
}

/// Everything that a bound depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instance {
    pub(super) jobs: Vec<Job>,
    /// In order, and none within another.
    pub(super) windows: Vec<Window>,
    /// How long a node boots, billed.
    pub(super) boot: f64,
    /// The price of a dedicated and of a spot node.
    pub(super) prices: [f64; 2],
    /// Nodes that are there at the start, and need no boot.
    pub(super) initial: [f64; 2],
    /// `None`: nothing may be late.
    pub(super) late: Option<Late>,
    /// Jobs that run at some time, and no matter when.
    pub(super) whenever: Vec<Job>,
}

/// The lanes as they index prices and the like.
pub(super) const DEDICATED: usize = 0;
pub(super) const SPOT: usize = 1;

impl Instance {
    /// Returns when the last job ends at the latest.
    pub(super) fn horizon(&self) -> f64 {
        let ends = self.jobs.iter().map(|job| job.latest + job.run);
        ends.fold(0.0, f64::max)
    }

    /// Returns the node-seconds of all jobs.
    pub(super) fn work(&self) -> f64 {
        self.jobs.iter().map(|job| job.weight * job.run).sum()
    }

    /// Returns the windows that end after a moment and begin before another.
    pub(super) fn windows_between(&self, from: f64, until: f64) -> &[Window] {
        let first = self.windows.partition_point(|window| window.until <= from);
        let last = self.windows.partition_point(|window| window.from < until);
        &self.windows[first..last.max(first)]
    }

    /// Returns the spans of time, in order and apart, in which a job can start on a lane.
    pub(super) fn starts(&self, job: &Job, lane: usize, into: &mut Vec<Window>) {
        into.clear();
        if lane == DEDICATED {
            into.push(Window {
                from: job.earliest,
                until: job.latest,
            });
            return;
        }
        for window in self.windows_between(job.earliest, job.latest + job.run) {
            let span = Window {
                from: window.from.max(job.earliest),
                until: (window.until - job.run).min(job.latest),
            };
            match into.last_mut() {
                _ if span.from > span.until => {}
                Some(last) if last.until >= span.from => last.until = last.until.max(span.until),
                _ => into.push(span),
            }
        }
    }

    /// Says whether any window is long enough for a run of a length.
    pub(super) fn fits_spot(&self, run: f64) -> bool {
        self.windows
            .iter()
            .any(|window| window.until - window.from >= run)
    }
}

/// Returns windows in order, without those that lie within another: what fits there fits in the other.
pub(super) fn outermost(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by(|a, b| a.from.total_cmp(&b.from).then(b.until.total_cmp(&a.until)));
    let mut kept: Vec<Window> = Vec::new();
    for window in windows {
        if kept.last().is_none_or(|last| last.until < window.until) {
            kept.push(window);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: f64, until: f64) -> Window {
        Window { from, until }
    }

    #[test]
    fn a_run_starts_where_one_window_holds_all_of_it() {
        let windows = vec![
            window(50.0, 60.0),
            window(0.0, 30.0),
            window(20.0, 55.0),
            window(5.0, 25.0),
        ];
        let instance = Instance {
            jobs: Vec::new(),
            windows: outermost(windows),
            boot: 0.0,
            prices: [1.0, 0.2],
            initial: [0.0; 2],
            late: None,
            whenever: Vec::new(),
        };
        assert_eq!(
            instance.windows,
            [window(0.0, 30.0), window(20.0, 55.0), window(50.0, 60.0)]
        );
        let starts = |earliest, latest, run| {
            let mut spans = Vec::new();
            let job = Job {
                earliest,
                latest,
                run,
                weight: 1.0,
                tasks: 1.0,
            };
            instance.starts(&job, SPOT, &mut spans);
            spans
        };
        // [0, 30) to 20, and [20, 55) from there to 45: one span; [50, 60) leaves one moment.
        assert_eq!(starts(0.0, 100.0, 10.0), [window(0.0, 45.0), window(50.0, 50.0)]);
        assert_eq!(starts(12.0, 21.0, 20.0), [window(20.0, 21.0)]);
        assert_eq!(starts(0.0, 100.0, 36.0), []);
        assert!(instance.fits_spot(35.0) && !instance.fits_spot(36.0));
    }
}
