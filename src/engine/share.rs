//! What each pool of an account may have beside the others: the step between what a policy allows and what its guards let pass.
//!
//! ```text
//! seats (this tick) ── asked, held ─┐                               ┌─ own, now ─► a step for each seat
//! resting with a policy ── asked ───┼─► claims ─► mix::allocate ────┤
//! all others ── held ───► taken off the quotas and budgets          └─ beyond its own: given back, softly
//! ```
//!
//! What a pool holds, the larger of its target and its nodes, nobody else is promised before it is gone. So orders never pass a
//! quota or a budget of an hour, whichever of them are refused or late; where one is passed already, they move no further.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::AccountView;
use super::decide::Seat;
use crate::account::{CoreQuotas, Holding, NodeDeallocationOption, PoolId, Removal, VmSize, vm_size};
use crate::base::{Lane, Mix, Usd, UsdHourly};
use crate::decision::{
    AccountShare, AccountUnseen, PaidFrom, PoolMemory, Reason, SharedMonth, SizeUnknown, Snapshot, Stage,
};
use crate::mix::{Claim, Cores, LanePrices, Share, Shared, allocate};
use crate::policy::{AccountPolicy, Mode, Policies, Policy, SharedBudget};

/// A pool of the account that is not decided for in this tick.
pub(super) struct Resting<'a> {
    pub(super) holding: &'a Holding,
    /// The policy that decides for it at other times.
    pub(super) policy: Option<&'a Policy>,
    /// What is remembered of it.
    pub(super) memory: Option<&'a PoolMemory>,
}

/// What one node of a pool counts against.
struct Size {
    cores: u32,
    /// The family with a quota of its own.
    family: Option<(Arc<str>, u32)>,
}

/// Takes a step for each seat: what of the account it may have beside all others.
pub(super) fn share(
    policies: &Policies,
    account: &AccountView,
    seats: &mut [Seat<'_>],
    resting: &[Resting<'_>],
) {
    for seat in seats.iter_mut().filter(|seat| seat.moves()) {
        seat.asked = Some(seat.decision.outcome());
    }
    if let Some(error) = &account.fault {
        hold_growth(seats, &|_| {
            Some(Reason::AccountUnseen(AccountUnseen {
                retry: error.retry,
                message: error.message.clone(),
            }))
        });
        return;
    }
    let table = Table::new(policies, account, seats, resting);
    table.soften(seats, resting);
    if table.is_unsure(seats, resting) {
        return;
    }
    let (claims, shared) = table.claims(seats, resting);
    match allocate(&claims, &shared) {
        Ok(shares) => {
            for seat in seats.iter_mut().filter(|seat| seat.moves()) {
                let id = &seat.snapshot.pool.id;
                let (claim, share) = (&claims[id], &shares[id]);
                table.settle(seat, claim, share);
            }
        }
        Err(error) => hold_growth(seats, &|_| {
            Some(Reason::AccountUnseen(AccountUnseen {
                retry: false,
                message: error.to_string(),
            }))
        }),
    }
}

/// Holds the pools that would add nodes of some lane, where there is a reason.
fn hold_growth(seats: &mut [Seat<'_>], reason: &dyn Fn(&Seat<'_>) -> Option<Reason>) {
    for seat in seats.iter_mut().filter(|seat| seat.moves() && seat.grows()) {
        if let Some(reason) = reason(seat) {
            seat.decision.hold_because(reason);
        }
    }
}

impl Seat<'_> {
    /// Says whether an order may come of it.
    fn moves(&self) -> bool {
        let Snapshot { pool, ours, .. } = self.snapshot;
        let orders = matches!(self.policy.mode, Mode::Full | Mode::OutOnly) && self.policy.steers(pool, ours);
        orders && self.caps.is_some() && self.decision.hold().is_none()
    }

    fn grows(&self) -> bool {
        let (start, to) = (self.decision.start, self.decision.outcome());
        to.dedicated > start.dedicated || to.spot > start.spot
    }
}

impl<'a> Resting<'a> {
    /// Returns its policy and what it last asked for, when it can be asked to give something back at its next look.
    fn asks(&self) -> Option<(&'a Policy, Mix)> {
        let policy = self
            .policy
            .filter(|policy| matches!(policy.mode, Mode::Full | Mode::OutOnly))?;
        Some((policy, self.memory?.asked?))
    }
}

/// A pool that keeps what it holds, whatever others need.
struct Kept<'a> {
    pool: &'a PoolId,
    vm_size: Option<&'a Arc<str>>,
    held: Mix,
    policy: Option<&'a Policy>,
}

/// Returns the pools that keep what they hold.
fn kept<'a>(seats: &'a [Seat<'_>], resting: &'a [Resting<'_>]) -> impl Iterator<Item = Kept<'a>> {
    let seats = seats.iter().filter(|seat| !seat.moves()).map(|seat| Kept {
        pool: &seat.snapshot.pool.id,
        vm_size: seat.snapshot.pool.vm_size.as_ref(),
        held: seat.snapshot.pool.held(),
        policy: Some(seat.policy),
    });
    let resting = resting.iter().filter(|rests| rests.asks().is_none());
    seats.chain(resting.map(|rests| Kept {
        pool: &rests.holding.pool,
        vm_size: rests.holding.vm_size.as_ref(),
        held: rests.holding.held(),
        policy: rests.policy,
    }))
}

/// What there is to share.
struct Table<'a> {
    stated: Option<&'a AccountPolicy>,
    quotas: Cow<'a, CoreQuotas>,
    /// What is known of each size of machines that pools have.
    sizes: BTreeMap<Arc<str>, Option<VmSize>>,
}

impl<'a> Table<'a> {
    fn new(
        policies: &'a Policies,
        account: &'a AccountView,
        seats: &[Seat<'_>],
        resting: &[Resting<'_>],
    ) -> Self {
        let of_seats = seats.iter().map(|seat| &seat.snapshot.pool.vm_size);
        let of_resting = resting.iter().map(|rests| &rests.holding.vm_size);
        let mut sizes = BTreeMap::new();
        for name in of_seats.chain(of_resting).flatten() {
            if !sizes.contains_key(name) {
                let size = match &policies.account {
                    Some(stated) => stated.size(name),
                    None => vm_size(name),
                };
                sizes.insert(name.clone(), size);
            }
        }
        Self {
            stated: policies.account.as_ref(),
            quotas: policies.quotas(account.quotas.as_ref()),
            sizes,
        }
    }

    fn budgets(&self) -> &'a [SharedBudget] {
        self.stated.map_or(&[], |stated| &stated.budgets)
    }

    /// Returns what a node counts against: by the policy, by what is stated of its size, or by the size's name.
    fn size(&self, policy: Option<&Policy>, name: Option<&Arc<str>>) -> Option<Size> {
        let by_name = name.and_then(|name| self.sizes.get(name)?.as_ref());
        let by_policy = policy.and_then(|policy| policy.quota.cores_per_node);
        let cores = by_policy.or(by_name.map(|size| size.cores))?;
        let family = by_name.and_then(|size| {
            let (name, cores) = self.quotas.of_family(&size.family)?;
            Some((name.into(), cores))
        });
        Some(Size { cores, family })
    }

    /// Lowers what pools ask for whose month is paid for already.
    fn soften(&self, seats: &mut [Seat<'_>], resting: &[Resting<'_>]) {
        for shared in self.budgets() {
            let Some(limit) = shared.budget.per_month.map(Usd) else {
                continue;
            };
            let of_seats = seats.iter().filter(|seat| shared.pays(&seat.snapshot.pool.id));
            let of_seats = of_seats.map(|seat| {
                let Snapshot { guards, now, .. } = &seat.snapshot;
                seat.policy.prices.month(guards, *now)
            });
            let Some(now) = seats.first().map(|seat| seat.snapshot.now) else {
                return;
            };
            let of_resting = resting.iter().filter(|rests| shared.pays(&rests.holding.pool));
            let of_resting = of_resting.filter_map(|rests| {
                let guards = &rests.memory?.guards;
                Some(rests.policy?.prices.month(guards, now))
            });
            let spent: Usd = of_seats.chain(of_resting).sum();
            if spent < limit {
                continue;
            }
            for seat in seats.iter_mut().filter(|seat| seat.moves()) {
                if shared.pays(&seat.snapshot.pool.id) {
                    soften(seat, shared, (limit, spent));
                }
            }
        }
    }

    /// Holds growth where the cores of nodes are not known; says whether those of others are not, so that nothing can be divided.
    fn is_unsure(&self, seats: &mut [Seat<'_>], resting: &[Resting<'_>]) -> bool {
        if self.quotas.is_empty() {
            return false;
        }
        let unknown = |policy: Option<&Policy>, size: Option<&Arc<str>>| self.size(policy, size).is_none();
        let told = |pool: &PoolId, size: Option<&Arc<str>>| {
            Reason::SizeUnknown(SizeUnknown {
                pool: pool.clone(),
                vm_size: size.cloned(),
            })
        };
        let of_seats = seats.iter().map(|seat| {
            let pool = seat.snapshot.pool;
            (&pool.id, pool.vm_size.as_ref(), pool.held(), Some(seat.policy))
        });
        let of_resting = resting.iter().map(|rests| {
            let Holding { pool, vm_size, .. } = rests.holding;
            (pool, vm_size.as_ref(), rests.holding.held(), rests.policy)
        });
        let holder = of_seats
            .chain(of_resting)
            .find(|(_, size, held, policy)| *held != Mix::ZERO && unknown(*policy, *size))
            .map(|(pool, size, ..)| told(pool, size));
        hold_growth(seats, &|seat| {
            let pool = seat.snapshot.pool;
            holder.clone().or_else(|| {
                unknown(Some(seat.policy), pool.vm_size.as_ref())
                    .then(|| told(&pool.id, pool.vm_size.as_ref()))
            })
        });
        holder.is_some()
    }

    /// Returns what each pool asks that can be asked to give back, and what is left for them.
    fn claims(&self, seats: &[Seat<'_>], resting: &[Resting<'_>]) -> (BTreeMap<PoolId, Claim>, Shared) {
        let mut claims = BTreeMap::new();
        for seat in seats.iter().filter(|seat| seat.moves()) {
            let pool = seat.snapshot.pool;
            let size = self.size(Some(seat.policy), pool.vm_size.as_ref());
            let nodes = (seat.decision.outcome(), pool.held());
            claims.insert(pool.id.clone(), self.claim(seat.policy, &pool.id, size, nodes));
        }
        for (rests, (policy, asked)) in resting.iter().filter_map(|rests| Some((rests, rests.asks()?))) {
            let Holding { pool, vm_size, .. } = rests.holding;
            let size = self.size(Some(policy), vm_size.as_ref());
            let nodes = (asked, rests.holding.held());
            claims.insert(pool.clone(), self.claim(policy, pool, size, nodes));
        }
        (claims, self.left_by(seats, resting))
    }

    fn claim(&self, policy: &Policy, pool: &PoolId, size: Option<Size>, (wants, holds): (Mix, Mix)) -> Claim {
        // Where nobody knows the cores of a node, none are limited, or no such node is there or comes.
        let Size { cores, family } = size.unwrap_or(Size {
            cores: 1,
            family: None,
        });
        let cores = cores.max(1);
        let guaranteed = policy.quota.guaranteed_cores.unwrap_or(0);
        // Dedicated nodes first, for they are those that a pool can count on.
        let dedicated = (guaranteed / cores).min(wants.dedicated.0).saturating_mul(cores);
        let paying = self.budgets().iter().filter(|shared| shared.pays(pool));
        Claim {
            wants,
            holds,
            cores_per_node: cores,
            family: family.map(|(name, _)| name),
            budgets: paying.map(|shared| shared.name.clone()).collect(),
            prices: LanePrices {
                dedicated: policy.prices.dedicated,
                spot: policy.prices.spot,
            },
            guarantee: Cores {
                dedicated,
                spot: guaranteed.saturating_sub(dedicated),
            },
            priority: policy.quota.priority.unwrap_or(0),
        }
    }

    /// Returns what is left of quotas and budgets by the pools that keep what they hold.
    fn left_by(&self, seats: &[Seat<'_>], resting: &[Resting<'_>]) -> Shared {
        let mut left = Shared {
            dedicated_cores: self.quotas.dedicated_cores,
            spot_cores: self.quotas.spot_cores,
            families: self
                .quotas
                .families
                .iter()
                .map(|(name, cores)| (name.as_str().into(), *cores))
                .collect(),
            budgets: self
                .budgets()
                .iter()
                .filter_map(|shared| Some((shared.name.clone(), UsdHourly(shared.budget.per_hour?))))
                .collect(),
        };
        for kept in kept(seats, resting).filter(|kept| kept.held != Mix::ZERO) {
            if let Some(size) = self.size(kept.policy, kept.vm_size) {
                let family = size
                    .family
                    .as_ref()
                    .and_then(|(name, _)| left.families.get_mut(name));
                for (left, nodes) in [
                    (left.dedicated_cores.as_mut(), kept.held.dedicated),
                    (left.spot_cores.as_mut(), kept.held.spot),
                    (family, kept.held.dedicated),
                ] {
                    let Some(left) = left else { continue };
                    *left = left.saturating_sub(nodes.0.saturating_mul(size.cores));
                }
            }
            let Some(prices) = kept.policy.map(|policy| policy.prices) else {
                continue;
            };
            let cost: f64 = Lane::ALL
                .iter()
                .map(|lane| kept.held.get(*lane).as_f64() * prices.get(*lane).0)
                .sum();
            for shared in self.budgets().iter().filter(|shared| shared.pays(kept.pool)) {
                if let Some(left) = left.budgets.get_mut(&shared.name) {
                    left.0 = (left.0 - cost).max(0.0);
                }
            }
        }
        left
    }

    /// Takes the step of one pool.
    fn settle(&self, seat: &mut Seat<'_>, claim: &Claim, share: &Share) {
        let (start, asked) = (seat.decision.start, seat.decision.outcome());
        let least = least_kept(seat, share.now);
        for lane in Lane::ALL {
            if least.get(lane) < asked.get(lane).min(start.get(lane)) {
                give_back(seat, lane, least);
            }
        }
        let pool = seat.snapshot.pool;
        let guaranteed_cores = seat.policy.quota.guaranteed_cores.unwrap_or(0);
        let used = share.guaranteed.total().0.saturating_mul(claim.cores_per_node);
        let size = self.size(Some(seat.policy), pool.vm_size.as_ref());
        let rate = |mix: Mix| {
            let cost = |lane: Lane| mix.get(lane).as_f64() * claim.price(lane).0;
            UsdHourly(Lane::ALL.into_iter().map(cost).sum())
        };
        let paid = self
            .budgets()
            .iter()
            .filter(|shared| claim.budgets.contains(&shared.name));
        let why = AccountShare {
            asked,
            share: share.nodes,
            granted: share.now,
            kept: least.saturating_sub(share.now),
            guaranteed_cores,
            guaranteed: share.guaranteed,
            lent_cores: guaranteed_cores.saturating_sub(used),
            priority: claim.priority,
            cores_per_node: size.as_ref().map(|size| size.cores),
            dedicated_cores: self.quotas.dedicated_cores,
            spot_cores: self.quotas.spot_cores,
            family_cores: size.and_then(|size| size.family).map(|(_, cores)| cores),
            paid_from: paid
                .filter_map(|shared| {
                    Some(PaidFrom {
                        budget: shared.name.clone(),
                        per_hour: UsdHourly(shared.budget.per_hour?),
                        granted: rate(least),
                    })
                })
                .collect(),
            short: share.short.clone(),
        };
        seat.decision
            .step(Stage::Allocate, least, Reason::Share(Box::new(why)));
    }
}

/// Lowers what a pool asks for as a budget says whose month is spent.
fn soften(seat: &mut Seat<'_>, shared: &SharedBudget, (limit, spent): (Usd, Usd)) {
    let Some(caps) = &mut seat.caps else { return };
    let asked = seat.decision.outcome();
    let left = shared.budget.soften(caps, asked);
    if left != asked {
        let why = SharedMonth {
            budget: shared.name.clone(),
            limit,
            spent,
            then: shared.budget.on_soft.word().to_owned(),
        };
        seat.decision
            .step(Stage::Allocate, left, Reason::SharedMonth(why));
    }
    seat.asked = Some(left);
}

/// Returns what a pool goes to: what it may have now, though not below the least of its bounds as far as it has that.
fn least_kept(seat: &Seat<'_>, now: Mix) -> Mix {
    let (start, bounds) = (seat.decision.start, &seat.policy.bounds);
    let mut kept = Lane::ALL.into_iter().fold(now, |kept, lane| {
        let least = bounds.lane(lane).min.min(start.get(lane));
        kept.with(lane, kept.get(lane).max(least))
    });
    let total = bounds.total.min.min(start.total());
    for lane in Lane::ALL {
        let lack = total.saturating_sub(kept.total());
        let room = start.get(lane).saturating_sub(kept.get(lane));
        kept = kept.with(lane, kept.get(lane) + lack.min(room));
    }
    kept
}

/// Lets nodes of a lane go that are not the pool's own: their tasks end first, unless the policy says otherwise.
fn give_back(seat: &mut Seat<'_>, lane: Lane, to: Mix) {
    let decision = &mut seat.decision;
    if seat.policy.scale_in.deallocation.is_none() {
        decision.option = NodeDeallocationOption::TaskCompletion;
    }
    if decision.removal == Removal::Idle {
        // Only idle nodes go, so that these must become idle.
        let leaving = decision.current.get(lane).saturating_sub(to.get(lane));
        decision.cordon = decision.cordon.with(lane, decision.cordon.get(lane).max(leaving));
    }
}
