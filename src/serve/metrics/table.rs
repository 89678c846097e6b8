//! The table of the metrics: what is exported, and what `lowtide reference metrics` prints.

/// A metric that the sidecar exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricRow {
    /// Its name.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// The labels that tell its series apart.
    pub labels: &'static [&'static str],
    /// The values that a label can have, where there are few.
    pub values: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A number that goes up and down.
    Gauge,
    /// A number that only grows, and begins anew with the process.
    Counter,
    /// How often a number fell below each of some limits.
    Histogram,
}

impl MetricKind {
    /// Returns the word of the exposition format.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($variant:ident $kind:ident $name:literal $labels:expr, $values:literal, $doc:literal;)*) => {
        /// A metric, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Family { $($variant,)* }

        /// Every metric.
        pub const METRICS: &[MetricRow] = &[$(
            MetricRow { name: $name, kind: MetricKind::$kind, labels: &$labels, values: $values, doc: $doc },
        )*];

        impl Family {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    };
}

impl Family {
    pub(super) const fn row(self) -> &'static MetricRow {
        &METRICS[self as usize]
    }
}

#[rustfmt::skip] // A table: its rows stay together.
metrics! {
    Nodes Gauge "lowtide_nodes" ["pool", "class", "state"],
        "class: dedicated spot, any where nodes of both are not told apart; state: idle running starting preempted unusable leaving",
        "Nodes by lane and by what they do; usable are idle and running ones.";
    TargetNodes Gauge "lowtide_target_nodes" ["pool", "class", "stage"],
        "class: dedicated spot; stage: current start propose split allocate restrain outcome",
        "Nodes of a lane at each stage of the latest decision: what is there, what was the target, each step, and where the chain ends.";
    BoundNodes Gauge "lowtide_bound_nodes" ["pool", "class", "bound"],
        "class: dedicated spot total; bound: min max",
        "What the policy allows.";
    Tasks Gauge "lowtide_tasks" ["pool", "state"],
        "state: waiting running",
        "Tasks of the pool's jobs that wait for a slot or run.";
    Slots Gauge "lowtide_slots" ["pool", "state"],
        "state: free busy",
        "Task slots of usable nodes.";
    Decisions Counter "lowtide_decisions_total" ["pool", "direction", "reason"],
        "direction: out in same hold; reason: the code of a reason",
        "Decisions by where they lead and by the code of the reason of their last step.";
    Clamps Counter "lowtide_clamps_total" ["pool", "guard"],
        "guard: the code of a reason",
        "Decisions in which a guard, a bound or the account changed what was asked for.";
    Holds Counter "lowtide_holds_total" ["pool", "reason"],
        "reason: the code of a reason",
        "Decisions that end in a hold, by why.";
    Apply Counter "lowtide_apply_total" ["pool", "result"],
        "result: accepted withheld changed resizing quota missing forbidden throttled unreachable invalid",
        "Orders by what became of them; a refusal tells its kind.";
    ApplyDuration Histogram "lowtide_apply_duration_seconds" [],
        "",
        "How long an order took to be answered.";
    SignalAge Gauge "lowtide_signal_age_seconds" ["pool", "signal"],
        "signal: the metric with its $, or the outside signal by name",
        "Age of the newest sample of what a policy reads.";
    NodeBoot Histogram "lowtide_node_boot_seconds" ["pool", "class"],
        "class: dedicated spot",
        "From the grant of a machine to the first moment at which its node can take tasks.";
    QueueWait Histogram "lowtide_queue_wait_seconds" ["pool"],
        "",
        "From the submission of a task to its first start.";
    Evictions Counter "lowtide_evictions_total" ["pool"],
        "",
        "Spot nodes that were taken away.";
    EvictionHazard Gauge "lowtide_eviction_hazard_per_hour" ["pool"],
        "",
        "Evictions of a spot node in an hour, as learned.";
    FallbackActive Gauge "lowtide_fallback_active" ["pool"],
        "",
        "1 while dedicated nodes stand in for spot nodes that do not come.";
    BreakerOpen Gauge "lowtide_breaker_open" ["pool"],
        "",
        "1 while broken nodes are no longer replaced, because that did not help.";
    Cost Counter "lowtide_cost_usd_total" ["pool", "class"],
        "class: dedicated spot",
        "What nodes have cost since the process began, at the prices of the policies.";
    Savings Gauge "lowtide_savings_usd" ["pool", "baseline"],
        "baseline: allDedicated formula",
        "What as many nodes, all dedicated, or those of the service's documented formula would have cost more since the process began; below zero where they would have cost less.";
    Price Gauge "lowtide_price_usd_per_hour" ["sku", "class"],
        "class: dedicated spot",
        "Price of a node, as the policies state it.";
    BudgetLimit Gauge "lowtide_budget_limit_usd" ["scope", "window"],
        "scope: the policy or the shared budget; window: hour month",
        "What a budget allows.";
    BudgetSpent Gauge "lowtide_budget_spent_usd" ["scope", "window"],
        "scope: the policy or the shared budget; window: hour month",
        "What is spent of it: what the nodes that are there cost in an hour, and what was spent this month.";
    QuotaCores Gauge "lowtide_quota_cores" ["family", "kind"],
        "family: the family, or all; kind: dedicated spot",
        "Cores that the account may have.";
    QuotaUsedCores Gauge "lowtide_quota_used_cores" ["family", "kind"],
        "family: the family, or all; kind: dedicated spot",
        "Cores that its pools hold, the larger of target and nodes.";
    Reversals Counter "lowtide_reversals_total" ["pool"],
        "",
        "Orders that go against the one before.";
    PolicyInfo Gauge "lowtide_policy_info" ["pool", "policy", "hash", "mode"],
        "mode: full outOnly shadow paused",
        "1 for the policy that decides for a pool.";
    HaltActive Gauge "lowtide_halt_active" ["pool", "scope"],
        "scope: in out all",
        "1 while a person or the kill switch has halted the pool in that direction.";
    ForeignChanges Counter "lowtide_foreign_changes_total" ["pool"],
        "",
        "Targets that someone else changed.";
    ReloadSuccess Gauge "lowtide_reload_success" [],
        "",
        "1 when all policies were whole when they were last read, 0 while a file keeps what it was before.";
    ReloadTimestamp Gauge "lowtide_reload_timestamp_seconds" [],
        "",
        "When the policies were last all whole, in seconds since 1970.";
    Ready Gauge "lowtide_ready" [],
        "",
        "1 when /readyz says so.";
    Leader Gauge "lowtide_leader" [],
        "",
        "1 on the instance that decides; a sidecar without a lease leads always.";
    LedgerWritable Gauge "lowtide_ledger_writable" [],
        "",
        "1 when the latest line was kept, 0 while lines are refused and orders stop.";
    LastTick Gauge "lowtide_last_tick_timestamp_seconds" [],
        "",
        "When the latest look ended, in seconds since 1970.";
    TickDuration Histogram "lowtide_tick_duration_seconds" [],
        "",
        "How long a look with its decisions and orders took.";
    BuildInfo Gauge "lowtide_build_info" ["version"],
        "",
        "1; says what runs.";
}
