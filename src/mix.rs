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
//! # Why few looks find the best
//!
//! Write m = N - d for what spot must give and f(d, s) for E(N - C)+.
//!
//! 1. The least s that keeps the risk, s(m), rises by at least one with m: C(s) <= C(s - 1) + 1, so that P(C(s) >= m + 1) <=
//!    P(C(s - 1) >= m). Hence a count of dedicated nodes below one that fails fails too.
//! 2. For a given d the cost is convex in s: given the chance p of the urn, one more spot node lowers f by p P(C < N), which
//!    falls as s rises, and mixtures keep that; churn is convex too. So the best s is the larger of s(m) and the one at which one
//!    more node does not pay. Both are found by Newton's steps, as the tail tells how it changes (`first`, `tail`).
//! 3. From any mix (d, s) a plane lies below f: with x dedicated nodes more and y of spot less, f is at least
//!    `f(d, s) - x P(C < N) + y E[S; C < N]/s`, since `(u + v)+` is at least `u+ + v [u > 0]` and every spot node has the same part in
//!    `E[S; C < N]`; with y of spot more, at least f(d, s) - x P(C < N) - y times what one more node lowers it by.
//! 4. So between two counts of dedicated nodes no mix costs less than the planes of its ends over the spot that 1 demands.
//!    A stretch whose bound is above the best known is left out, another is halved, a short one is walked through (`branch`).
//!
//! Nothing is assumed of the cost along the frontier, which need not be unimodal. The tests hold the answer to plain enumeration,
//! and on large pools to a look at each count of dedicated nodes. A tail is summed afresh in tens to hundreds of terms however
//! many nodes there are (`urn`), so that an answer takes some dozens of such sums; where many mixes cost the same, as at the
//! break-even rate, it comes down to a walk past all of them.
//!
//! # When the answer would change
//!
//! The break-even rate is found between secants of what spot saves, all chances to last taken to the same power. A count of dedicated
//! nodes is followed from rate to rate, each from the place of the last, until it saves nothing; then another one that still saves,
//! until there is none. In a large pool that one is found among two dozen looks, by what is saved for each node at work, and the rate
//! is told to within a few nodes of the bill. Where no spot node is
//! forced the best cost without spot does not depend on the rate and the best cost with it never falls, so there is one rate.
//!
//! Sources: Pólya's urn and the beta-binomial distribution (Johnson, Kemp, Kotz: Univariate Discrete Distributions, 3rd ed., 6.2);
//! monotone comparative statics (Topkis: Supermodularity and Complementarity); restarts and checkpoints (Daly, Future Generation
//! Computer Systems 22, 2006; see `market`); spare spot nodes instead of dedicated ones as in
//! `SkyServe` (arXiv 2411.01438), revocations that come together as in `ExoSphere` (arXiv 1704.08738).

mod allocate;
mod at_hazard;
mod bill;
mod branch;
mod break_even;
mod course;
mod crossing;
mod dwell;
mod fallback;
mod first;
mod from_market;
mod frontier;
mod probe;
mod problem;
mod ray;
mod search;
mod solution;
mod solve;
mod supply;
mod tail;
mod terms;
mod urn;

pub use allocate::{Claim, Cores, LanePrices, Limit, Share, Shared, Short, allocate};
pub use bill::{Bill, Line};
pub use dwell::{Band, Held, Settled, Settling, settle};
pub use fallback::{EndsWithin, ErrorBudget, Wait, WaitEnd, WaitPlan, wait};
pub use probe::{Probe, ProbePlan, probe};
pub use problem::{Between, Booting, LaneTerms, Problem, ProblemError, ShareRule};
pub use solution::{BreakEven, Change, Lost, Promise, RunnerUp, Solution};
pub use solve::{Evaluation, cheapest, evaluate, solve};
