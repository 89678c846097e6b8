//! Keeps a mix from swinging: a better one is taken when it must be, or when it has been better by enough for long enough.
//!
//! ```text
//!            held mix breaks the promise, or the limits
//!   hold ────────────────────────────────────────────────► change at once
//!    ▲ │      dwell over, and the saving above the band          │
//!    │ └─────────────────────────────────────────────────────────┤
//!    └──────────────────── dwell starts anew ◄────────────────────┘
//! ```
//!
//! Under a constant problem the mix changes at most once, for the best mix is then held and saves nothing on itself. Under noise
//! within the band it is raised when it must be and stays: what keeps the promise of the larger demand keeps that of the smaller,
//! and the saving of going back is below the band.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evaluation, Problem, ProblemError, Promise, evaluate};
use crate::base::{Mix, Probability, Span, Timestamp, UsdHourly};

/// The mix that is held, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Held {
    /// The mix.
    pub mix: Mix,
    /// When it was chosen.
    pub since: Timestamp,
}

/// What a change must be worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// How long a mix is kept at least, unless it breaks its promise.
    pub dwell: Span,
    /// The saving, as a share of the bill of the held mix, below which it stays.
    pub saving: Probability,
}

/// What became of a solution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settled {
    /// The mix to hold from now on, and since when.
    pub held: Held,
    /// Why.
    pub why: Settling,
}

/// Why a mix was kept or changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "settling", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Settling {
    /// None was held.
    First,
    /// The held mix is the best.
    Same,
    /// The held mix does not keep what can be promised.
    Broken {
        /// What can be promised.
        promise: Promise,
    },
    /// It has not been held for long enough.
    Dwelling {
        /// How long it is kept still.
        left: Span,
    },
    /// The best mix saves too little.
    WithinBand {
        /// What it would save.
        saves: UsdHourly,
        /// What it must save.
        needed: UsdHourly,
    },
    /// The best mix saves enough.
    Cheaper {
        /// What it saves.
        saves: UsdHourly,
    },
}

/// Returns the mix to hold, given the best one, as [`super::cheapest`] tells it, and the one held so far.
///
/// # Errors
///
/// The first fault of the problem, with the way out.
pub fn settle(
    problem: &Problem,
    best: &Evaluation,
    held: Option<Held>,
    (now, band): (Timestamp, &Band),
) -> Result<Settled, ProblemError> {
    let changed = |why: Settling| Settled {
        held: Held {
            mix: best.mix,
            since: now,
        },
        why,
    };
    let Some(held) = held else {
        return Ok(changed(Settling::First));
    };
    let stays = |why: Settling| Settled { held, why };
    if held.mix == best.mix {
        return Ok(stays(Settling::Same));
    }
    let Evaluation { kept, bill, .. } = evaluate(problem, held.mix, best.promise)?;
    if !kept {
        return Ok(changed(Settling::Broken {
            promise: best.promise,
        }));
    }
    let left = band.dwell - now.since(held.since);
    if left > Span::ZERO {
        return Ok(stays(Settling::Dwelling { left }));
    }
    let saves = UsdHourly(bill.total().0 - best.bill.total().0);
    let needed = UsdHourly(bill.total().0 * band.saving.get());
    if saves <= needed {
        return Ok(stays(Settling::WithinBand { saves, needed }));
    }
    Ok(changed(Settling::Cheaper { saves }))
}
