//! Guards that keep a pool steady: against eviction storms, large steps, haste and flapping.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Percent;
use super::complaint::Complaint;
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::decision::{Cooldown, Flapping, GuardMemory, SpotStorm, StepLimit};

/// When spot is left alone because too much of it was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StormGuard {
    /// The share of the spot nodes; of those that were left and those that were lost.
    pub evictions: Percent,
    /// The time in which they were taken away.
    pub within: Span,
    /// How long no further spot nodes are then asked for, counted from the latest loss.
    pub pause_spot_for: Span,
}

/// How much may change at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StepGuard {
    /// The most nodes that are added at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<Nodes>,
    /// The largest share of the target that is taken away at a time, though always one node.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub inward: Option<Percent>,
}

/// How long a pool is left as it is after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CooldownGuard {
    /// How long no nodes are added after some were added; no time when left out.
    pub out: Span,
    /// How long no nodes are taken away after the target changed either way; no time when left out.
    #[serde(rename = "in")]
    pub inward: Span,
}

/// When a pool goes up and down too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlapGuard {
    /// How many turns from growing to shrinking, or back, are too many.
    #[schemars(range(min = 1))]
    pub reversals: u32,
    /// In how long.
    pub within: Span,
    /// What follows; holdHigh when left out.
    #[serde(default)]
    pub then: FlapThen,
}

/// What follows from flapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FlapThen {
    /// No nodes are taken away until the turns are long enough ago; nodes may be added.
    #[default]
    HoldHigh,
}

/// The guards that keep a pool steady, those that the policy has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SteadyGuards {
    /// Against eviction storms.
    pub storm: Option<StormGuard>,
    /// Against large steps.
    pub step: Option<StepGuard>,
    /// Against haste.
    pub cooldown: Option<CooldownGuard>,
    /// Against flapping.
    pub flap: Option<FlapGuard>,
}

impl StormGuard {
    /// A single node that is taken away says nothing about the others.
    const LOST_MIN: u32 = 2;

    /// Returns the storm that still keeps spot paused, if there was one.
    pub fn storm(&self, memory: &GuardMemory, now: Timestamp) -> Option<SpotStorm> {
        let losses = &memory.losses;
        losses.iter().enumerate().rev().find_map(|(index, latest)| {
            let until = latest.at + self.pause_spot_for;
            if now >= until {
                return None;
            }
            let since = latest.at - self.within;
            let recent = losses[..=index].iter().filter(|loss| loss.at > since);
            let lost: Nodes = recent.map(|loss| loss.lost).sum();
            let of = lost + latest.left;
            let share = 100.0 * lost.as_f64() / of.as_f64();
            (lost.0 >= Self::LOST_MIN && share >= self.evictions.0).then_some(SpotStorm {
                lost,
                of,
                within: self.within,
                until,
            })
        })
    }

    /// Returns a mix without further spot nodes than there are; dedicated ones take the place of the others.
    pub(super) fn shelter(asked: Mix, there: Nodes) -> Mix {
        let spot = asked.spot.min(there);
        Mix {
            dedicated: asked.dedicated + asked.spot.saturating_sub(spot),
            spot,
        }
    }
}

impl StepGuard {
    /// Returns the outcome after a step of the size that is allowed, and the reason when that is less than asked.
    pub fn limit(&self, from: Mix, to: Mix) -> Option<(Mix, StepLimit)> {
        let (more, fewer) = (
            to.total().saturating_sub(from.total()),
            from.total().saturating_sub(to.total()),
        );
        let out = self.out.filter(|most| more > *most);
        let inward = self
            .inward
            .map(|share| Nodes(((from.total().as_f64() * share.0 / 100.0).floor() as u32).max(1)))
            .filter(|most| fewer > *most);
        match (out, inward) {
            (Some(most), _) => Some((
                grow(from, to, from.total() + most),
                StepLimit {
                    out: true,
                    most,
                    asked: more,
                },
            )),
            (None, Some(most)) => Some((
                shrink(from, to, from.total().saturating_sub(most)),
                StepLimit {
                    out: false,
                    most,
                    asked: fewer,
                },
            )),
            (None, None) => None,
        }
    }
}

impl CooldownGuard {
    /// Returns the outcome while the pool cools down, and the reason; `None` when nothing is held back.
    pub fn hold(
        &self,
        (from, to): (Mix, Mix),
        memory: &GuardMemory,
        now: Timestamp,
    ) -> Option<(Mix, Cooldown)> {
        let out = to.total() > from.total();
        let lasts = if out { self.out } else { self.inward };
        let counts = |change: &&crate::decision::TargetChange| !out || change.to > change.from;
        let changed = memory.changes.iter().rev().find(counts)?.at;
        let until = changed + lasts;
        let held = match to.total().cmp(&from.total()) {
            _ if now >= until => return None,
            std::cmp::Ordering::Greater => grow(from, to, from.total()),
            std::cmp::Ordering::Less => shrink(from, to, from.total()),
            std::cmp::Ordering::Equal => return None,
        };
        Some((held, Cooldown { out, changed, until }))
    }
}

impl FlapGuard {
    /// Returns the reason when the target turned too often.
    pub fn flapping(&self, memory: &GuardMemory, now: Timestamp) -> Option<Flapping> {
        let since = now - self.within;
        let moves: Vec<_> = memory
            .changes
            .iter()
            .filter(|change| change.at > since && change.from != change.to)
            .map(|change| change.to > change.from)
            .collect();
        let reversals = moves.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let reversals = u32::try_from(reversals).unwrap_or(u32::MAX);
        (reversals >= self.reversals).then_some(Flapping {
            reversals,
            within: self.within,
        })
    }
}

/// Takes growth back, spot first, until both lanes have `total` together.
pub(super) fn grow(from: Mix, to: Mix, total: Nodes) -> Mix {
    let mut to = to;
    for lane in [Lane::Spot, Lane::Dedicated] {
        let excess = to.total().saturating_sub(total);
        let growth = to.get(lane).saturating_sub(from.get(lane));
        to = to.with(lane, to.get(lane).saturating_sub(excess.min(growth)));
    }
    to
}

/// Keeps nodes that would be taken away, dedicated first, until both lanes have `total` together.
pub(super) fn shrink(from: Mix, to: Mix, total: Nodes) -> Mix {
    let mut to = to;
    for lane in Lane::ALL {
        let lack = total.saturating_sub(to.total());
        let loss = from.get(lane).saturating_sub(to.get(lane));
        to = to.with(lane, to.get(lane) + lack.min(loss));
    }
    to
}

impl SteadyGuards {
    /// Returns what cannot be meant.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut span = |path: &[&str], span: Option<Span>, least: Span| {
            if let Some(span) = span.filter(|span| *span < least || *span > GuardMemory::KEPT) {
                let message = format!("a guard cannot look {} back", span.in_short());
                let help = format!("take {} to 24h, which is what guards remember", least.in_short());
                complaints.push(Complaint::new(path, message, help));
            }
        };
        let second = Span::seconds(1);
        let (storm, cooldown, flap) = (self.storm, self.cooldown, self.flap);
        span(&["storm", "within"], storm.map(|guard| guard.within), second);
        span(
            &["storm", "pauseSpotFor"],
            storm.map(|guard| guard.pause_spot_for),
            second,
        );
        span(&["cooldown", "out"], cooldown.map(|guard| guard.out), Span::ZERO);
        span(
            &["cooldown", "in"],
            cooldown.map(|guard| guard.inward),
            Span::ZERO,
        );
        span(&["flap", "within"], flap.map(|guard| guard.within), second);
        if storm.is_some_and(|guard| guard.within + guard.pause_spot_for > GuardMemory::KEPT) {
            let message = "within and pauseSpotFor together are longer than guards remember";
            complaints.push(Complaint::new(
                &["storm"],
                message,
                "take no more than 24h for both",
            ));
        }
        if storm.is_some_and(|guard| guard.evictions.0 <= 0.0) {
            let message = "no share at all would be a storm all the time";
            complaints.push(Complaint::new(
                &["storm", "evictions"],
                message,
                "take a share above 0%, like 20%",
            ));
        }
        if self
            .step
            .and_then(|step| step.out)
            .is_some_and(|out| out == Nodes::ZERO)
        {
            let message = "steps of no node would never let the pool grow";
            complaints.push(Complaint::new(
                &["step", "out"],
                message,
                "take 1 or more, or mode: paused",
            ));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{SpotLoss, TargetChange};

    fn minute(minute: i64) -> Timestamp {
        Timestamp::EPOCH + Span::minutes(minute)
    }

    fn changes(totals: &[(i64, u32)]) -> GuardMemory {
        let changes = totals.windows(2).map(|pair| TargetChange {
            at: minute(pair[1].0),
            from: Nodes(pair[0].1),
            to: Nodes(pair[1].1),
        });
        GuardMemory {
            changes: changes.collect(),
            ..GuardMemory::default()
        }
    }

    #[test]
    fn a_storm_is_a_share_of_what_was_there_and_pauses_from_its_latest_loss() {
        let guard = StormGuard {
            evictions: Percent(20.0),
            within: Span::minutes(15),
            pause_spot_for: Span::minutes(30),
        };
        let loss = |at, lost, left| SpotLoss {
            at: minute(at),
            lost: Nodes(lost),
            left: Nodes(left),
        };
        let memory = GuardMemory {
            losses: vec![loss(0, 1, 0), loss(10, 1, 19), loss(20, 4, 16), loss(40, 1, 30)],
            ..GuardMemory::default()
        };
        // One node of one is no storm, 1 of 20 neither; at minute 20 they are 5 of 21.
        assert_eq!(
            guard.storm(&memory, minute(19)).map(|storm| storm.lost),
            Some(Nodes(5))
        );
        let storm = guard.storm(&memory, minute(49)).unwrap();
        assert_eq!(
            (storm.lost, storm.of, storm.until),
            (Nodes(5), Nodes(21), minute(50))
        );
        assert_eq!(guard.storm(&memory, minute(50)), None);
        assert_eq!(StormGuard::shelter(Mix::new(2, 20), Nodes(16)), Mix::new(6, 16));
    }

    #[test]
    fn steps_are_cut_by_lane_and_never_below_one_node() {
        let guard = StepGuard {
            out: Some(Nodes(10)),
            inward: Some(Percent(25.0)),
        };
        for (from, to, expected) in [
            (Mix::new(2, 2), Mix::new(8, 40), Mix::new(8, 6)),
            (Mix::new(2, 2), Mix::new(30, 2), Mix::new(12, 2)),
            (Mix::new(10, 30), Mix::new(2, 0), Mix::new(10, 20)),
            (Mix::new(0, 2), Mix::new(0, 0), Mix::new(0, 1)),
            // More of one lane and fewer of the other: together it is a small step.
            (Mix::new(20, 0), Mix::new(0, 22), Mix::new(0, 22)),
        ] {
            let limited = guard.limit(from, to).map_or(to, |(limited, _)| limited);
            assert_eq!(limited, expected, "{from} to {to}");
        }
    }

    #[test]
    fn in_waits_for_any_change_and_out_for_growth() {
        let guard = CooldownGuard {
            out: Span::minutes(5),
            inward: Span::minutes(10),
        };
        let memory = changes(&[(0, 4), (10, 8), (20, 6)]);
        let hold = |from, to, at| {
            let held = guard.hold((from, to), &memory, minute(at));
            held.map(|(mix, why)| (mix, why.until))
        };
        let six = Mix::new(6, 0);
        assert_eq!(hold(six, Mix::new(9, 0), 21), None, "it shrank since");
        assert_eq!(hold(six, Mix::new(9, 0), 14), Some((six, minute(15))));
        assert_eq!(hold(six, Mix::new(3, 0), 29), Some((six, minute(30))));
        assert_eq!(hold(six, Mix::new(3, 0), 30), None);
        assert_eq!(
            hold(six, Mix::new(3, 3), 21),
            None,
            "a shift is no change of size"
        );
        assert_eq!(
            hold(Mix::new(3, 3), Mix::new(0, 5), 21),
            Some((Mix::new(1, 5), minute(30))),
            "the dedicated node that is missing stays"
        );
    }

    #[test]
    fn turns_are_counted_and_shifts_are_none() {
        let guard = FlapGuard {
            reversals: 3,
            within: Span::minutes(60),
            then: FlapThen::HoldHigh,
        };
        let memory = changes(&[(0, 4), (5, 8), (10, 8), (15, 6), (20, 9), (25, 12), (30, 2)]);
        assert_eq!(
            guard.flapping(&memory, minute(40)).map(|why| why.reversals),
            Some(3)
        );
        assert_eq!(
            guard.flapping(&memory, minute(66)),
            None,
            "the first is forgotten"
        );
    }
}
