//! A decision as people and programs read it.

use schemars::JsonSchema;
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::{Decision, Stage, Step, Told};
use crate::account::{LeaseOrder, NodeDeallocationOption, Removal, Replacement};
use crate::base::Mix;

/// What a decision comes to, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// More nodes are ordered, none of a lane taken away.
    Out,
    /// Nodes are taken away and none added.
    In,
    /// One lane grows and the other shrinks.
    Shift,
    /// The pool has what it needs.
    Steady,
    /// Nothing is done, for a reason that is worth knowing.
    Hold,
}

impl Verdict {
    /// Returns what a chain from one mix to another comes to.
    pub fn of(from: Mix, to: Mix, holds: bool) -> Self {
        let grows = to.dedicated > from.dedicated || to.spot > from.spot;
        let shrinks = to.dedicated < from.dedicated || to.spot < from.spot;
        match (grows, shrinks) {
            _ if holds => Self::Hold,
            (true, true) => Self::Shift,
            (true, false) => Self::Out,
            (false, true) => Self::In,
            (false, false) => Self::Steady,
        }
    }

    /// Returns the word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Shift => "shift",
            Self::Steady => "steady",
            Self::Hold => "hold",
        }
    }
}

impl Decision {
    /// Returns what the decision comes to.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.start, self.outcome(), self.hold().is_some())
    }

    /// Returns the JSON object that `plan -o json` and the ledger write, on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a decision is made of numbers and text")
    }

    /// Returns the chain as a few lines for a terminal, without colour; the last line has a line end.
    pub fn to_text(&self) -> String {
        Told::from(self).to_text()
    }
}

impl Stage {
    /// Returns the stage's word as JSON writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Split => "split",
            Self::Allocate => "allocate",
            Self::Restrain => "restrain",
            Self::Order => "order",
            Self::Hold => "hold",
        }
    }
}

/// Writes the object of INTERFACES.md, "Plan and ledger lines".
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.order().map(|order| OrderLine {
            mix: order.target,
            node_deallocation_option: order.option,
            removal: order.removal,
            cordon: order.cordon,
            retake: order.retake,
            release: order.release,
            lease: order.lease,
            replace: order.replace,
        });
        let beside = usize::from(!self.signals.is_empty()) + usize::from(self.forecast.is_some());
        let mut object = serializer.serialize_struct("Decision", 8 + beside)?;
        object.serialize_field("pool", &self.pool)?;
        object.serialize_field("at", &self.at)?;
        object.serialize_field("policy", &*self.policy)?;
        object.serialize_field("current", &self.current)?;
        object.serialize_field("target", &self.start)?;
        object.serialize_field("order", &order)?;
        object.serialize_field("steps", self.steps())?;
        object.serialize_field("hold", &self.hold())?;
        if !self.signals.is_empty() {
            object.serialize_field("signals", &self.signals)?;
        }
        if let Some(forecast) = &self.forecast {
            object.serialize_field("forecast", forecast)?;
        }
        object.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderLine {
    #[serde(flatten)]
    mix: Mix,
    node_deallocation_option: NodeDeallocationOption,
    #[serde(skip_serializing_if = "is_usual")]
    removal: Removal,
    #[serde(skip_serializing_if = "is_usual")]
    cordon: Mix,
    #[serde(skip_serializing_if = "is_usual")]
    retake: bool,
    #[serde(skip_serializing_if = "is_usual")]
    release: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<Replacement>,
}

/// Says whether a part of an order need not be written.
fn is_usual<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Step", 4)?;
        object.serialize_field("stage", &self.stage)?;
        object.serialize_field("to", &self.to)?;
        object.serialize_field("reason", &self.reason)?;
        object.serialize_field("text", &self.reason.text())?;
        object.end()
    }
}
