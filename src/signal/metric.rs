//! The sampled metrics of the service, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! metrics {
    ($($variant:ident $name:literal $retired:literal $doc:literal;)*) => {
        /// A metric that the Batch service samples for formulas.
        ///
        /// Source: "Create a formula to automatically scale compute nodes", read-only service-defined variables; the
        /// metrics marked retired hold no data since 31 March 2024.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric { $(#[doc = $doc] $variant,)* }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that formulas use, with its `$`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Says whether the service no longer fills this metric.
            pub const fn is_retired(self) -> bool {
                match self { $(Self::$variant => $retired,)* }
            }

            /// Returns one line on what is counted.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

metrics! {
    ActiveTasks "$ActiveTasks" false "tasks that are ready to run and not yet running";
    RunningTasks "$RunningTasks" false "tasks that run";
    PendingTasks "$PendingTasks" false "active and running tasks together";
    SucceededTasks "$SucceededTasks" false "tasks that finished well";
    FailedTasks "$FailedTasks" false "tasks that failed";
    CpuPercent "$CPUPercent" true "average CPU use of the nodes";
    WallClockSeconds "$WallClockSeconds" true "seconds consumed";
    MemoryBytes "$MemoryBytes" true "average memory in use, in megabytes whatever the name says";
    DiskBytes "$DiskBytes" true "average disk in use, in gigabytes whatever the name says";
    DiskReadBytes "$DiskReadBytes" true "bytes read from disk";
    DiskWriteBytes "$DiskWriteBytes" true "bytes written to disk";
    DiskReadOps "$DiskReadOps" true "disk reads";
    DiskWriteOps "$DiskWriteOps" true "disk writes";
    NetworkInBytes "$NetworkInBytes" true "bytes received";
    NetworkOutBytes "$NetworkOutBytes" true "bytes sent";
    SampleNodeCount "$SampleNodeCount" true "count of nodes";
    PreemptedNodeCount "$PreemptedNodeCount" false "spot nodes that are preempted";
    UsableNodeCount "$UsableNodeCount" false "nodes that can run tasks";
    CurrentDedicatedNodes "$CurrentDedicatedNodes" false "dedicated nodes in the pool now";
    CurrentLowPriorityNodes "$CurrentLowPriorityNodes" false "spot nodes in the pool now, preempted ones included";
    TaskSlotsPerNode "$TaskSlotsPerNode" false "tasks that one node runs at the same time";
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a metric's name with its `$`, exactly as formulas write it.
impl FromStr for Metric {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|metric| metric.name() == name)
            .ok_or(())
    }
}

impl serde::Serialize for Metric {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Metric {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|()| {
            let meant = crate::base::did_you_mean(&name, Self::ALL.iter().map(|metric| metric.name()));
            let way_out = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            serde::de::Error::custom(format!("`{name}` is not a metric{way_out}"))
        })
    }
}

impl schemars::JsonSchema for Metric {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Metric".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = Self::ALL.iter().map(|metric| metric.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}
