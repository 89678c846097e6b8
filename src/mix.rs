//! Dedicated versus spot as an optimisation problem: `solve(problem) -> solution`.
//!
//! # What is minimised
//!
//! A mix is d dedicated and s spot nodes. For each hour it is expected to cost
//!
//! ```text
//! compute    a d + b s                          a, b: the prices of a node
//! redo       b w min(s, (N - d)+)               w: hours done again for each hour that counts
//! lateness   l E(N - C)+                        l: the price of a missing node, C: the usable nodes
//! churn      (boot a (d - d0)+ + stop (d0 - d)+ + the same of spot)/dwell
//! ```
//!
//! with N the demand, d0 and s0 the nodes that are there. Spot is billed as asked: when nodes are away their price is saved, but
//! the work that they leave is done later at no lower one. So no line falls when evictions become more likely, and more risk
//! never makes the best bill cheaper. Work restarted from scratch has w = (e^(hp) - 1)/(hp) - 1 at hazard h and length p, so
//! that the price of a spot hour that counts is b (1 + w) and spot breaks even at the root of (e^x - 1)/x = a/b, x = hp.
//!
//! # What must hold
//!
//! Usable are C = d + S, where S is beta-binomial out of s: with the survival of single nodes while no shock comes, which has
//! the chance u, and with the survival of a shock otherwise. Losses of a fleet are correlated (between 0.4 and 0.9 was measured
//! on recorded spot capacity), so that a pure binomial would promise what no spare node can keep: where a shock takes all and
//! 1 - u is more than the risk, only dedicated nodes help. Wanted is P(C < N) <= risk, bounds and quotas, and the rule of the
//! share. Nodes count when they are usable at the end of the horizon: ready now, or booting for long enough, or new on a lane
//! that boots quickly enough. When no mix is enough, the promise is lowered step by step (see [`Promise`]), never silently.
//!
//! # Why one walk finds the best
//!
//! Write m = N - d for what spot must give and f(d, s) for E(N - C)+.
//!
//! 1. The least s that keeps the risk, s(m), rises by at least one with m: C(s) <= C(s - 1) + 1, so that P(C(s) >= m + 1) <=
//!    P(C(s - 1) >= m). Hence a count of dedicated nodes below one that fails fails too.
//! 2. For a given d the cost is convex in s: given the chance p of the urn, one more spot node lowers f by p P(C < N), which
//!    falls as s rises, and mixtures keep that; churn is convex too. So the best s is the larger of s(m) and the one at which one
//!    more node does not pay.
//! 3. One more spot node lowers f by more when d is smaller: p P(S < m) rises with m. So the best s only rises as d falls.
//!
//! The walk therefore goes once from many dedicated nodes to few, s only rises, and the tail is carried along from step to step
//! (Pólya's urn, see `tail`): O(N + s) multiplications. Nothing is assumed of the cost along the frontier, which need not be
//! unimodal; a bound that is linear in d ends the walk early. The tests hold it to plain enumeration.
//!
//! # When the answer would change
//!
//! The break-even rate is found by bisection on the hazard, all chances to last taken to the same power. Where no spot node is
//! forced the best cost without spot does not depend on the rate and the best cost with it never falls, so there is one rate.
//!
//! Sources: Pólya's urn and the beta-binomial distribution (Johnson, Kemp, Kotz: Univariate Discrete Distributions, 3rd ed., 6.2);
//! monotone comparative statics (Topkis: Supermodularity and Complementarity); restarts and checkpoints (Daly, Future Generation
//! Computer Systems 22, 2006; see `market`); spare spot nodes instead of dedicated ones as in
//! `SkyServe` (arXiv 2411.01438), revocations that come together as in `ExoSphere` (arXiv 1704.08738).

mod allocate;
mod bill;
mod break_even;
mod dwell;
mod fallback;
mod from_market;
mod probe;
mod problem;
mod ray;
mod search;
mod solution;
mod solve;
mod supply;
mod tail;
mod terms;

pub use allocate::{Claim, Cores, LanePrices, Limit, Share, Shared, Short, allocate};
pub use bill::{Bill, Line};
pub use dwell::{Band, Held, Settled, Settling, settle};
pub use fallback::{EndsWithin, ErrorBudget, Wait, WaitEnd, WaitPlan, wait};
pub use probe::{Probe, ProbePlan, probe};
pub use problem::{Between, Booting, LaneTerms, Problem, ProblemError, ShareRule};
pub use solution::{BreakEven, Change, Lost, Promise, RunnerUp, Solution};
pub use solve::{Evaluation, cheapest, evaluate, solve};
