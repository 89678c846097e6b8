//! The market that nodes come from: what they cost, when the provider takes them away, and what has been learned of it.
//!
//! An [`EvictionModel`] answers what follows from a way in which evictions come about: survival over a span, work done
//! again, the price of an hour that counts, the chance that enough nodes stay. A [`Learner`] makes such a model out of what
//! is observed. Everything is arithmetic on what it is given: no clock, no file, no chance.

mod assumptions;
mod fit;
mod hazard;
mod learner;
mod life;
mod lifetime;
mod model;
mod numeric;
mod piecewise;
mod posterior;
mod price;
pub mod recorded;
mod regime;
mod rework;
mod rhythm;
mod study;
mod usable;

pub use assumptions::Assumptions;
pub use fit::{Family, Fit, log_likelihood, score_per_end};
pub use hazard::{Band, Hazard};
pub use learner::{Capacity, Estimate, Evidence, Learner, Look, ModelKind, Seen, Toll};
pub use life::{AgeHazard, Life, SurvivalStep, hazards_by_age, hold_out, kaplan_meier};
pub use lifetime::{Bathtub, BathtubEnd, Lifetime};
pub use model::{EvictionModel, Outset};
pub use piecewise::Piecewise;
pub use posterior::{Prior, Rate};
pub use price::{PricePath, PriceStep};
pub use regime::{Regime, Shock};
pub use rework::{
    Checkpoint, Expected, LENGTH_MAX, LostWork, Work, break_even_exponent, break_even_hazard, break_even_of,
    daly_interval, young_interval,
};
pub use rhythm::Rhythm;
pub use study::{Studied, Study};
pub use usable::{Outlook, beta_binomial_tail};
