//! What the language brings along: one row for each function, sample method, timestamp member, constant and variable.
//!
//! The rows are the reference that `lowtide reference formula` prints; their examples run as tests.
//! Source: "Create a formula to automatically scale compute nodes" (service documentation), read in the editions of
//! 2015, 2016, 2017, 2019 and 2021; `ceil`, `floor` and `round` arrived after November 2022.

use crate::base::{Lane, Span};
use crate::signal::Metric;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A number; also the truth values 1 and 0.
    Double,
    /// A vector of numbers.
    DoubleVec,
    /// An instant in UTC.
    Timestamp,
    /// A length of time.
    TimeInterval,
    /// A string, such as a node deallocation option.
    Text,
    /// A sampled variable such as `$PendingTasks`: it has methods and no value of its own.
    DataSet,
    /// One of two types, known only when it is evaluated: `test ? 1 : $X.GetSample(1)`.
    Either,
    /// No value: `stop()`, or an expression that is already known to fail.
    Never,
}

impl Type {
    /// Returns the name that the service's documentation uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::DoubleVec => "doubleVec",
            Self::Timestamp => "timestamp",
            Self::TimeInterval => "timeinterval",
            Self::Text => "string",
            Self::DataSet => "data set",
            Self::Either => "one of two types",
            Self::Never => "nothing",
        }
    }
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Any mix of numbers and vectors, flattened in order into one vector (doubleVecList).
    List,
    /// One number gives a number; anything else is a list and gives a vector.
    Elementwise,
    /// A vector and a number.
    VectorAndNumber,
    /// A string, or nothing.
    OptionalText,
    /// Nothing.
    Nothing,
}

/// One function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionRow {
    /// Which function it is.
    pub function: Function,
    /// Its name in formulas.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it takes.
    pub parameters: Parameters,
    /// One line on what it gives.
    pub doc: &'static str,
    /// Statements for `x` and what `x` then prints.
    pub examples: &'static [(&'static str, &'static str)],
}

macro_rules! functions {
    ($($variant:ident $name:literal $signature:literal $parameters:ident $doc:literal [$($example:literal => $printed:literal),*];)*) => {
        /// A function of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function { $(#[doc = $doc] $variant,)* }

        /// Every function, in alphabetical order.
        pub const FUNCTIONS: &[FunctionRow] = &[$(FunctionRow {
            function: Function::$variant,
            name: $name,
            signature: $signature,
            parameters: Parameters::$parameters,
            doc: $doc,
            examples: &[$(($example, $printed)),*],
        },)*];
    };
}

functions! {
    Avg "avg" "double avg(doubleVecList)" List "arithmetic mean" ["x = avg(1, vec(2, 3), 6)" => "3"];
    Ceil "ceil" "double ceil(double), doubleVec ceil(doubleVecList)" Elementwise "smallest whole number that is not less" ["x = ceil(2.1)" => "3", "x = ceil(1.5, -1.5)" => "[2,-1]"];
    Floor "floor" "double floor(double), doubleVec floor(doubleVecList)" Elementwise "largest whole number that is not more" ["x = floor(2.9)" => "2", "x = floor(1.5, -1.5)" => "[1,-2]"];
    Len "len" "double len(doubleVecList)" List "how many numbers the vector holds" ["x = len(vec(7, 8), 9)" => "3"];
    Lg "lg" "double lg(double), doubleVec lg(doubleVecList)" Elementwise "logarithm to base 2" ["x = lg(8)" => "3", "x = lg(vec(2, 16))" => "[1,4]"];
    Ln "ln" "double ln(double), doubleVec ln(doubleVecList)" Elementwise "natural logarithm" ["x = ln(1)" => "0", "x = ln(vec(1, 1))" => "[0,0]"];
    Log "log" "double log(double), doubleVec log(doubleVecList)" Elementwise "logarithm to base 10" ["x = log(1000)" => "3", "x = log(10, 100)" => "[1,2]"];
    Max "max" "double max(doubleVecList)" List "largest number" ["x = max(1, vec(5, 2))" => "5"];
    Min "min" "double min(doubleVecList)" List "smallest number" ["x = min(4, vec(5, 2))" => "2"];
    Norm "norm" "double norm(doubleVecList)" List "two-norm: the square root of the sum of squares" ["x = norm(3, 4)" => "5"];
    Percentile "percentile" "double percentile(doubleVec v, double p)" VectorAndNumber "the element at the p-th percentile, p from 0 to 100, by nearest rank" ["x = percentile(vec(15, 20, 35, 40, 50), 40)" => "20"];
    Rand "rand" "double rand()" Nothing "random number from 0.0 up to 1.0, from the seed of the evaluation" ["x = rand() < 1" => "1"];
    Range "range" "double range(doubleVecList)" List "largest number less the smallest" ["x = range(4, 9, 6)" => "5"];
    Round "round" "double round(double), doubleVec round(doubleVecList)" Elementwise "nearest whole number, halves away from zero" ["x = round(2.5)" => "3", "x = round(-2.5, 1.4)" => "[-3,1]"];
    Std "std" "double std(doubleVecList)" List "sample standard deviation (n − 1)" ["x = std(2, 4, 4, 4, 5, 5, 7, 9)" => "2.13809"];
    Stop "stop" "stop()" Nothing "ends the evaluation; what was assigned so far stands" ["x = 1; stop(); x = 2" => "1"];
    Sum "sum" "double sum(doubleVecList)" List "sum of the numbers" ["x = sum(1, vec(2, 3))" => "6"];
    Time "time" "timestamp time(string dateTime=\"\")" OptionalText "now in UTC, or the instant that the string names (W3C-DTF or RFC 1123)" ["x = time(\"2026-11-22\").weekday" => "0"];
    Val "val" "double val(doubleVec v, double i)" VectorAndNumber "element i of the vector, counted from 0" ["x = val(vec(7, 8, 9), 1)" => "8"];
    Vec "vec" "doubleVec vec(doubleVecList)" List "one vector of all the numbers" ["x = vec(1, vec(2, 3))" => "[1,2,3]"];
}

/// One sample method of a data set.
#[derive(Clone, Copy, Debug)]
pub struct MethodRow {
    /// Which method it is.
    pub method: Method,
    /// Its name in formulas.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// One line on what it gives.
    pub doc: &'static str,
}

/// A sample method of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GetSample`
    GetSample,
    /// `GetSamplePercent`
    GetSamplePercent,
    /// `GetSamplePeriod`
    GetSamplePeriod,
    /// `Count`
    Count,
    /// `HistoryBeginTime`
    HistoryBeginTime,
}

/// Every sample method.
pub const METHODS: &[MethodRow] = &[
    MethodRow {
        method: Method::GetSample,
        name: "GetSample",
        signature: "doubleVec GetSample(double count), GetSample((timestamp|timeinterval) start [, end] [, double samplePercent])",
        doc: "the newest samples, or those of a window; fails when fewer than samplePercent (70 when not given) arrived",
    },
    MethodRow {
        method: Method::GetSamplePercent,
        name: "GetSamplePercent",
        signature: "double GetSamplePercent((timestamp|timeinterval) start [, end])",
        doc: "how many percent of the possible samples of a window arrived, 0 to 100",
    },
    MethodRow {
        method: Method::GetSamplePeriod,
        name: "GetSamplePeriod",
        signature: "timeinterval GetSamplePeriod()",
        doc: "time between two samples",
    },
    MethodRow {
        method: Method::Count,
        name: "Count",
        signature: "double Count()",
        doc: "how many samples the history holds",
    },
    MethodRow {
        method: Method::HistoryBeginTime,
        name: "HistoryBeginTime",
        signature: "timestamp HistoryBeginTime()",
        doc: "when the oldest sample was taken",
    },
];

/// A member of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// The year.
    Year,
    /// The month, 1 to 12.
    Month,
    /// The day of the month, 1 to 31.
    Day,
    /// The day of the week: 1 is Monday, 6 is Saturday, 0 is Sunday.
    Weekday,
    /// The hour in UTC, 0 to 23.
    Hour,
    /// The minute, 0 to 59.
    Minute,
    /// The second, 0 to 59.
    Second,
}

/// Every member of a timestamp: name, member, one line.
pub const MEMBERS: &[(&str, Member, &str)] = &[
    ("year", Member::Year, "the year"),
    ("month", Member::Month, "the month, 1 to 12"),
    ("day", Member::Day, "the day of the month, 1 to 31"),
    (
        "weekday",
        Member::Weekday,
        "the day of the week: 1 is Monday, 6 is Saturday, 0 is Sunday",
    ),
    ("hour", Member::Hour, "the hour in UTC, 0 to 23"),
    ("minute", Member::Minute, "the minute, 0 to 59"),
    ("second", Member::Second, "the second, 0 to 59"),
];

/// Every interval constant; the documentation does not say how long a year is, 365 days here.
pub const INTERVALS: &[(&str, Span)] = &[
    ("TimeInterval_Zero", Span::ZERO),
    ("TimeInterval_100ns", Span::from_ticks(1)),
    ("TimeInterval_Microsecond", Span::from_ticks(10)),
    ("TimeInterval_Millisecond", Span::from_ticks(10_000)),
    ("TimeInterval_Second", Span::seconds(1)),
    ("TimeInterval_Minute", Span::minutes(1)),
    ("TimeInterval_Hour", Span::hours(1)),
    ("TimeInterval_Day", Span::days(1)),
    ("TimeInterval_Week", Span::days(7)),
    ("TimeInterval_Year", Span::days(365)),
];

/// A variable that the service defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceVariable {
    /// A target to read and write; `alias` marks the short old name.
    Target {
        /// Dedicated or spot.
        lane: Lane,
        /// Whether it is `$TargetDedicated` or `$TargetLowPriority`.
        alias: bool,
    },
    /// `$NodeDeallocationOption`, or `$TVMDeallocationOption` as it was called before mid-2015.
    Option,
    /// A count that reads as a number and has the sample methods too.
    Counter(Metric),
    /// A data set: only its methods can be used.
    Sampled(Metric),
}

/// Every service-defined variable: name, variable, one line; the names that are no longer documented come last.
pub const SERVICE_VARIABLES: &[(&str, ServiceVariable, &str)] = &[
    (
        "$TargetDedicatedNodes",
        ServiceVariable::Target {
            lane: Lane::Dedicated,
            alias: false,
        },
        "target number of dedicated nodes; reads the pool's target until it is set",
    ),
    (
        "$TargetLowPriorityNodes",
        ServiceVariable::Target {
            lane: Lane::Spot,
            alias: false,
        },
        "target number of spot nodes; reads the pool's target until it is set",
    ),
    (
        "$NodeDeallocationOption",
        ServiceVariable::Option,
        "what happens to running tasks when nodes go: requeue (default), terminate, taskcompletion, retaineddata",
    ),
    (
        "$CurrentDedicatedNodes",
        ServiceVariable::Counter(Metric::CurrentDedicatedNodes),
        "dedicated nodes in the pool now",
    ),
    (
        "$CurrentLowPriorityNodes",
        ServiceVariable::Counter(Metric::CurrentLowPriorityNodes),
        "spot nodes in the pool now, preempted ones included",
    ),
    (
        "$TaskSlotsPerNode",
        ServiceVariable::Counter(Metric::TaskSlotsPerNode),
        "task slots of one node",
    ),
    (
        "$UsableNodeCount",
        ServiceVariable::Counter(Metric::UsableNodeCount),
        "nodes that can run tasks",
    ),
    (
        "$PreemptedNodeCount",
        ServiceVariable::Sampled(Metric::PreemptedNodeCount),
        "spot nodes that are preempted",
    ),
    (
        "$ActiveTasks",
        ServiceVariable::Sampled(Metric::ActiveTasks),
        "tasks that are ready to run and not yet running",
    ),
    (
        "$RunningTasks",
        ServiceVariable::Sampled(Metric::RunningTasks),
        "tasks that run",
    ),
    (
        "$PendingTasks",
        ServiceVariable::Sampled(Metric::PendingTasks),
        "active and running tasks together",
    ),
    (
        "$SucceededTasks",
        ServiceVariable::Sampled(Metric::SucceededTasks),
        "tasks that finished well",
    ),
    (
        "$FailedTasks",
        ServiceVariable::Sampled(Metric::FailedTasks),
        "tasks that failed",
    ),
    (
        "$CPUPercent",
        ServiceVariable::Sampled(Metric::CpuPercent),
        "average CPU use (retired)",
    ),
    (
        "$WallClockSeconds",
        ServiceVariable::Sampled(Metric::WallClockSeconds),
        "seconds consumed (retired)",
    ),
    (
        "$MemoryBytes",
        ServiceVariable::Sampled(Metric::MemoryBytes),
        "average memory in use, in megabytes (retired)",
    ),
    (
        "$DiskBytes",
        ServiceVariable::Sampled(Metric::DiskBytes),
        "average disk in use, in gigabytes (retired)",
    ),
    (
        "$DiskReadBytes",
        ServiceVariable::Sampled(Metric::DiskReadBytes),
        "bytes read from disk (retired)",
    ),
    (
        "$DiskWriteBytes",
        ServiceVariable::Sampled(Metric::DiskWriteBytes),
        "bytes written to disk (retired)",
    ),
    (
        "$DiskReadOps",
        ServiceVariable::Sampled(Metric::DiskReadOps),
        "disk reads (retired)",
    ),
    (
        "$DiskWriteOps",
        ServiceVariable::Sampled(Metric::DiskWriteOps),
        "disk writes (retired)",
    ),
    (
        "$NetworkInBytes",
        ServiceVariable::Sampled(Metric::NetworkInBytes),
        "bytes received (retired)",
    ),
    (
        "$NetworkOutBytes",
        ServiceVariable::Sampled(Metric::NetworkOutBytes),
        "bytes sent (retired)",
    ),
    (
        "$SampleNodeCount",
        ServiceVariable::Sampled(Metric::SampleNodeCount),
        "count of nodes (retired)",
    ),
    (
        "$TargetDedicated",
        ServiceVariable::Target {
            lane: Lane::Dedicated,
            alias: true,
        },
        "old name of $TargetDedicatedNodes; the full name wins when both are set",
    ),
    (
        "$TargetLowPriority",
        ServiceVariable::Target {
            lane: Lane::Spot,
            alias: true,
        },
        "old name of $TargetLowPriorityNodes; the full name wins when both are set",
    ),
    (
        "$CurrentDedicated",
        ServiceVariable::Counter(Metric::CurrentDedicatedNodes),
        "name of $CurrentDedicatedNodes before 2017",
    ),
    (
        "$TVMDeallocationOption",
        ServiceVariable::Option,
        "name of $NodeDeallocationOption before mid-2015",
    ),
];

impl Function {
    /// Returns the row of the function.
    pub fn row(self) -> &'static FunctionRow {
        FUNCTIONS
            .iter()
            .find(|row| row.function == self)
            .expect("every function has a row")
    }

    /// Returns the function of that name.
    pub fn named(name: &str) -> Option<Self> {
        FUNCTIONS
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.function)
    }
}

impl Method {
    /// Returns the name in formulas.
    pub fn name(self) -> &'static str {
        METHODS
            .iter()
            .find(|row| row.method == self)
            .expect("every method has a row")
            .name
    }

    /// Returns the method of that name.
    pub fn named(name: &str) -> Option<Self> {
        METHODS.iter().find(|row| row.name == name).map(|row| row.method)
    }
}

impl Member {
    /// Returns the member of that name.
    pub fn named(name: &str) -> Option<Self> {
        MEMBERS
            .iter()
            .find(|(other, ..)| *other == name)
            .map(|(_, member, _)| *member)
    }
}

impl ServiceVariable {
    /// Returns the variable of that name, with its `$`.
    pub fn named(name: &str) -> Option<Self> {
        if !name.starts_with('$') {
            return None;
        }
        SERVICE_VARIABLES
            .iter()
            .find(|(other, ..)| *other == name)
            .map(|(_, variable, _)| *variable)
    }

    /// Says whether a formula may assign to it.
    pub const fn is_writable(self) -> bool {
        matches!(self, Self::Target { .. } | Self::Option)
    }
}
