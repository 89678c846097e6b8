//! The series behind the table, in a registry that is handed over.

use std::collections::BTreeSet;

use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry};

use super::table::{Family, MetricKind};

/// One series: a metric and the values of its labels.
pub(super) type Name = (Family, Vec<String>);

/// The series of every metric.
#[derive(Debug)]
pub(super) struct Series {
    made: Vec<Made>,
}

#[derive(Debug)]
enum Made {
    Gauge(GaugeVec),
    Counter(CounterVec),
    Histogram(HistogramVec),
}

/// A boot takes minutes, a wait seconds to hours, an order and a look parts of a second to a minute.
const LIMITS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0,
];

impl Series {
    /// Puts every metric of the table into a registry.
    ///
    /// # Errors
    /// When the registry has one of them already.
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = |family: &Family| {
            let row = family.row();
            let opts = Opts::new(row.name, row.doc);
            let made = match row.kind {
                MetricKind::Gauge => Made::Gauge(GaugeVec::new(opts, row.labels)?),
                MetricKind::Counter => Made::Counter(CounterVec::new(opts, row.labels)?),
                MetricKind::Histogram => {
                    let opts = HistogramOpts::from(opts).buckets(LIMITS.to_vec());
                    Made::Histogram(HistogramVec::new(opts, row.labels)?)
                }
            };
            match &made {
                Made::Gauge(made) => registry.register(Box::new(made.clone()))?,
                Made::Counter(made) => registry.register(Box::new(made.clone()))?,
                Made::Histogram(made) => registry.register(Box::new(made.clone()))?,
            }
            Ok(made)
        };
        let made = Family::ALL.iter().map(make).collect::<prometheus::Result<_>>()?;
        Ok(Self { made })
    }

    /// Sets a gauge.
    pub(super) fn set(&self, family: Family, labels: &[&str], value: f64) {
        match &self.made[family as usize] {
            Made::Gauge(gauge) => gauge.with_label_values(labels).set(value),
            _ => unreachable!("{family:?} is set, and is no gauge"),
        }
    }

    /// Adds to a counter.
    pub(super) fn add(&self, family: Family, labels: &[&str], value: f64) {
        match &self.made[family as usize] {
            Made::Counter(counter) => counter.with_label_values(labels).inc_by(value.max(0.0)),
            _ => unreachable!("{family:?} is added to, and is no counter"),
        }
    }

    /// Adds one number to a histogram.
    pub(super) fn observe(&self, family: Family, labels: &[&str], value: f64) {
        match &self.made[family as usize] {
            Made::Histogram(histogram) => histogram.with_label_values(labels).observe(value.max(0.0)),
            _ => unreachable!("{family:?} is observed, and is no histogram"),
        }
    }

    /// Forgets a series.
    fn remove(&self, (family, labels): &Name) {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        // One that is not there is forgotten already.
        let _ = match &self.made[*family as usize] {
            Made::Gauge(made) => made.remove_label_values(&labels),
            Made::Counter(made) => made.remove_label_values(&labels),
            Made::Histogram(made) => made.remove_label_values(&labels),
        };
    }
}

/// The series of one pool, or of the account: so that those that are not told any more go away, and all of them with the pool.
#[derive(Debug, Default)]
pub(super) struct Told {
    gauges: BTreeSet<Name>,
    others: BTreeSet<Name>,
}

/// Gauges to be set.
pub(super) type Points = Vec<(Name, f64)>;

impl Told {
    /// Sets gauges, and forgets those that were set the time before and are not now.
    pub(super) fn set(&mut self, series: &Series, points: Points) {
        let mut now = BTreeSet::new();
        for (name, value) in points {
            let labels: Vec<&str> = name.1.iter().map(String::as_str).collect();
            series.set(name.0, &labels, value);
            now.insert(name);
        }
        for gone in self.gauges.difference(&now) {
            series.remove(gone);
        }
        self.gauges = now;
    }

    /// Adds to a counter.
    pub(super) fn add(&mut self, series: &Series, family: Family, labels: &[&str], value: f64) {
        series.add(family, labels, value);
        self.keep(family, labels);
    }

    /// Adds one number to a histogram.
    pub(super) fn observe(&mut self, series: &Series, family: Family, labels: &[&str], value: f64) {
        series.observe(family, labels, value);
        self.keep(family, labels);
    }

    fn keep(&mut self, family: Family, labels: &[&str]) {
        let name = (family, labels.iter().map(|&label| label.to_owned()).collect());
        self.others.insert(name);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, series: &Series) {
        for name in self.gauges.iter().chain(&self.others) {
            series.remove(name);
        }
        self.gauges.clear();
        self.others.clear();
    }
}
