//! What can go wrong, by name: on the wire, with the clocks, with the ledger, and with us.

use std::fmt;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// No answer within the deadline; the request never arrived.
    TimeoutBefore,
    /// No answer within the deadline; the request took effect.
    TimeoutAfter,
    /// No answer within the deadline; the request arrives minutes after we gave it up.
    Late,
    /// 429 without `Retry-After`.
    Throttled,
    /// 429 with `Retry-After`.
    ThrottledFor,
    /// 503.
    Busy,
    /// 409 for no reason that we can see.
    Conflict,
    /// 412 although nothing changed.
    Changed,
    /// 500 without effect.
    Failed,
    /// 500, but the request took effect.
    FailedAfter,
    /// The answer breaks off; the request took effect.
    Torn,
    /// 200 with what is no JSON, or JSON of another shape.
    Unreadable,
    /// A list in which one element cannot be read.
    Partial,
    /// No connection.
    Unreachable,
    /// The answer takes its time.
    Slow,
    /// The request arrives twice.
    Twice,
    /// A read is answered as it was answered before.
    Stale,
    /// Our clock is set wrong for a while.
    OwnClock,
    /// The service's clock is set wrong for a while.
    ServiceClock,
    /// The ledger does not take a line.
    Ledger,
    /// The process is killed: before or after a line, before or after an order, at a receipt.
    Kill,
    /// Machines stick, start tasks fail, resizes hang, nothing is granted.
    Machines,
    /// Spot machines are taken in storms.
    Storm,
    /// People resize, stop, make and delete pools, and switch formulas on and off.
    People,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::Late,
        Self::Throttled,
        Self::ThrottledFor,
        Self::Busy,
        Self::Conflict,
        Self::Changed,
        Self::Failed,
        Self::FailedAfter,
        Self::Torn,
        Self::Unreadable,
        Self::Partial,
        Self::Unreachable,
        Self::Slow,
        Self::Twice,
        Self::Stale,
        Self::OwnClock,
        Self::ServiceClock,
        Self::Ledger,
        Self::Kill,
        Self::Machines,
        Self::Storm,
        Self::People,
    ];

    /// Those that strike single calls.
    pub(super) const OF_THE_WIRE: &[Self] = Self::ALL.split_at(17).0;

    /// Returns its name, as `--without` takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TimeoutBefore => "timeoutBefore",
            Self::TimeoutAfter => "timeoutAfter",
            Self::Late => "late",
            Self::Throttled => "throttled",
            Self::ThrottledFor => "throttledFor",
            Self::Busy => "busy",
            Self::Conflict => "conflict",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::FailedAfter => "failedAfter",
            Self::Torn => "torn",
            Self::Unreadable => "unreadable",
            Self::Partial => "partial",
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Twice => "twice",
            Self::Stale => "stale",
            Self::OwnClock => "ownClock",
            Self::ServiceClock => "serviceClock",
            Self::Ledger => "ledger",
            Self::Kill => "kill",
            Self::Machines => "machines",
            Self::Storm => "storm",
            Self::People => "people",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|kind| kind.word()).collect();
            format!("`{text}` is no kind of fault; there are {}", words.join(", "))
        })
    }
}
