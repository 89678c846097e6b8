//! What a number is made of: which samples, counts and targets push it up, pull it down or only decide about it.

use std::ops::{BitOr, BitOrAssign};

use crate::base::Lane;
use crate::signal::Metric;

/// A set of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources(u32);

impl Sources {
    pub(super) const NONE: Self = Self(0);
    /// Task counts as they were sampled.
    pub(super) const ACTIVE: Self = Self(1);
    pub(super) const RUNNING: Self = Self(1 << 1);
    pub(super) const PENDING: Self = Self(1 << 2);
    /// Task counts after a division or a factor that is no whole number.
    const SCALED_BY: u32 = 3;
    pub(super) const CURRENT_DEDICATED: Self = Self(1 << 6);
    pub(super) const CURRENT_SPOT: Self = Self(1 << 7);
    pub(super) const TARGET_DEDICATED: Self = Self(1 << 8);
    pub(super) const TARGET_SPOT: Self = Self(1 << 9);
    pub(super) const SLOTS: Self = Self(1 << 10);
    pub(super) const USABLE: Self = Self(1 << 11);
    pub(super) const PREEMPTED: Self = Self(1 << 12);
    pub(super) const OTHER_SAMPLES: Self = Self(1 << 13);
    pub(super) const PERCENT: Self = Self(1 << 14);
    pub(super) const TIME: Self = Self(1 << 15);
    pub(super) const CHANCE: Self = Self(1 << 16);
    pub(super) const RAW_TASKS: Self = Self(0b111);
    pub(super) const TASKS: Self = Self(0b11_1111);

    pub(super) const fn of_metric(metric: Metric) -> Self {
        match metric {
            Metric::ActiveTasks => Self::ACTIVE,
            Metric::RunningTasks => Self::RUNNING,
            Metric::PendingTasks => Self::PENDING,
            Metric::CurrentDedicatedNodes => Self::CURRENT_DEDICATED,
            Metric::CurrentLowPriorityNodes => Self::CURRENT_SPOT,
            Metric::TaskSlotsPerNode => Self::SLOTS,
            Metric::UsableNodeCount => Self::USABLE,
            Metric::PreemptedNodeCount => Self::PREEMPTED,
            _ => Self::OTHER_SAMPLES,
        }
    }

    /// Returns the nodes of a lane: those there now and those asked for.
    pub(super) const fn nodes_of(lane: Lane) -> Self {
        match lane {
            Lane::Dedicated => Self(Self::CURRENT_DEDICATED.0 | Self::TARGET_DEDICATED.0),
            Lane::Spot => Self(Self::CURRENT_SPOT.0 | Self::TARGET_SPOT.0),
        }
    }

    pub(super) const fn has_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the same task counts, scaled.
    pub(super) const fn scaled(self) -> Self {
        let raw = self.0 & Self::RAW_TASKS.0;
        Self(self.0 & !Self::RAW_TASKS.0 | raw << Self::SCALED_BY)
    }

    /// Returns the same task counts whether they were scaled or not, as the raw ones.
    pub(super) const fn unscaled(self) -> Self {
        let scaled = self.0 & Self::TASKS.0 & !Self::RAW_TASKS.0;
        Self(self.0 & !(Self::RAW_TASKS.0 << Self::SCALED_BY) | scaled >> Self::SCALED_BY)
    }
}

impl BitOr for Sources {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Sources {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The sources of a number by the part they play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves {
    /// More of these makes the number larger.
    pub(super) up: Sources,
    /// More of these makes it smaller.
    pub(super) down: Sources,
    /// These decide between numbers.
    pub(super) control: Sources,
}

impl Leaves {
    pub(super) const fn up(up: Sources) -> Self {
        Self {
            up,
            down: Sources::NONE,
            control: Sources::NONE,
        }
    }

    /// Returns every source, whatever part it plays.
    pub(super) fn all(self) -> Sources {
        self.up | self.down | self.control
    }

    pub(super) fn is_constant(self) -> bool {
        self.all().is_empty()
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            up: self.up | other.up,
            down: self.down | other.down,
            control: self.control | other.control,
        }
    }

    pub(super) const fn flipped(self) -> Self {
        Self {
            up: self.down,
            down: self.up,
            control: self.control,
        }
    }

    pub(super) const fn scaled(self) -> Self {
        Self {
            up: self.up.scaled(),
            down: self.down.scaled(),
            control: self.control,
        }
    }

    pub(super) fn deciding(self) -> Self {
        Self {
            control: self.all(),
            ..Self::default()
        }
    }
}
