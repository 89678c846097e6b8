//! A decision as its line tells it, to be read by people: the same layout, whether it was just made or read out of a ledger.

use serde::Deserialize;

use super::{Decision, SignalSeen, Verdict};
use crate::account::{NodeDeallocationOption, PoolId, Replacement};
use crate::base::{Mix, Nodes, Timestamp};

/// A decision in words.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Told {
    pool: PoolId,
    at: Timestamp,
    policy: String,
    current: Mix,
    target: Mix,
    order: Option<ToldOrder>,
    #[serde(default)]
    signals: Vec<SignalSeen>,
    steps: Vec<ToldStep>,
    hold: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldOrder {
    dedicated: Nodes,
    spot: Nodes,
    node_deallocation_option: NodeDeallocationOption,
    #[serde(default)]
    release: bool,
    #[serde(default)]
    lease: Option<ToldLease>,
    #[serde(default)]
    replace: Option<Replacement>,
}

/// A formula of ours, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct ToldLease {
    until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct ToldStep {
    stage: super::Stage,
    to: Mix,
    text: String,
}

impl From<&Decision> for Told {
    fn from(decision: &Decision) -> Self {
        let steps = decision.steps().iter().map(|step| ToldStep {
            stage: step.stage,
            to: step.to,
            text: step.reason.text(),
        });
        Self {
            pool: decision.pool.clone(),
            at: decision.at,
            policy: decision.policy.to_string(),
            current: decision.current,
            target: decision.start,
            order: decision.order().map(|order| ToldOrder {
                dedicated: order.target.dedicated,
                spot: order.target.spot,
                node_deallocation_option: order.option,
                release: order.release,
                lease: order.lease.map(|lease| ToldLease {
                    until: lease.lease.until,
                }),
                replace: order.replace,
            }),
            signals: decision.signals.clone(),
            steps: steps.collect(),
            hold: decision.hold().map(|_| serde::de::IgnoredAny),
        }
    }
}

impl Told {
    /// Returns what the decision comes to.
    pub fn verdict(&self) -> Verdict {
        let to = self.steps.last().map_or(self.target, |step| step.to);
        Verdict::of(self.target, to, self.hold.is_some())
    }

    /// Says whether something is ordered.
    pub fn has_order(&self) -> bool {
        self.order.is_some()
    }

    /// Returns the chain as a few lines for a terminal, without colour; the last line has a line end.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let headline = match &self.order {
            Some(order) => order.headline(self.target),
            None if self.hold.is_some() => format!("hold at {}", self.target),
            None => format!("no order, {} is right", self.target),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {headline}", self.pool);
        let _ = writeln!(text, "  {} by policy {}", self.at, self.policy);
        let there = format!("where it stands; {} there now", self.current);
        let first = [("target", self.target.to_string(), there)];
        let steps = self
            .steps
            .iter()
            .map(|step| (step.stage.word(), step.to.to_string(), step.text.clone()));
        let signals = self.signals.iter().map(|seen| {
            let (number, what) = seen.row();
            ("signal", number, what)
        });
        let rows: Vec<_> = first.into_iter().chain(signals).chain(steps).collect();
        let width = rows.iter().map(|(_, mix, _)| mix.len()).max().unwrap_or(0);
        for (stage, mix, reason) in rows {
            let _ = writeln!(text, "  {stage:<8}  {mix:<width$}  {reason}");
        }
        text
    }
}

impl ToldOrder {
    /// Returns what is ordered, in a few words.
    fn headline(&self, start: Mix) -> String {
        let target = Mix {
            dedicated: self.dedicated,
            spot: self.spot,
        };
        let option = self.node_deallocation_option;
        let mut text = match &self.lease {
            Some(lease) if target == start => format!("renew {target} until {}", lease.until),
            Some(lease) => format!("lease {start} → {target} until {} ({option})", lease.until),
            None => format!("order {start} → {target} ({option})"),
        };
        if self.release {
            text += ", without its formula";
        }
        if let Some(replace) = &self.replace {
            let nodes = (replace.broken + replace.away).to_string();
            text += ", ";
            text += &nodes;
            text += " nodes replaced";
        }
        text
    }
}
