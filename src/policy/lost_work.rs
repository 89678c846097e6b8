//! What an eviction destroys of a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use crate::base::Span;
use crate::market::{Checkpoint, LostWork};

/// What an eviction destroys of a task; learned from how long those run that lost their node when left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LostWorkFile {
    /// How tasks save their state: learned when left out.
    #[serde(default)]
    pub checkpoint: Saves,
}

/// How tasks save their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Saves {
    /// They do not, or it is not known whether they do.
    Word(SavesWord),
    /// From time to time.
    Every(SavesEvery),
}

/// Tasks that start anew when they lose their node, or of which it is learned whether they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SavesWord {
    /// They start anew.
    None,
    /// It is learned: a task that lost its node and ends sooner than it had run before saves its work.
    Learned,
}

/// How often tasks save their state, and what that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavesEvery {
    /// The work between two saves.
    pub every: Span,
    /// How long a save takes; nothing when left out.
    #[serde(default)]
    pub cost: Span,
    /// How long it takes to load one after an eviction, the boot of the node aside; nothing when left out.
    #[serde(default)]
    pub restart: Span,
}

impl Default for Saves {
    fn default() -> Self {
        Self::Word(SavesWord::Learned)
    }
}

/// Work saved more often than this is saved all the time; the longest task the service runs takes a week.
const EVERY: [Span; 2] = [Span::seconds(1), Span::days(7)];

impl LostWorkFile {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let Saves::Every(saves) = self.checkpoint else {
            return Vec::new();
        };
        let mut complaints = Vec::new();
        if !(EVERY[0]..=EVERY[1]).contains(&saves.every) {
            let message = format!("no task saves its state every {}", saves.every.in_short());
            complaints.push(Complaint::new(&["checkpoint", "every"], message, "take 1s to 7d"));
        }
        for (key, span) in [("cost", saves.cost), ("restart", saves.restart)] {
            if span < Span::ZERO || span > EVERY[1] {
                let message = format!("a checkpoint cannot have a {key} of {}", span.in_short());
                complaints.push(Complaint::new(&["checkpoint", key], message, "take 0s to 7d"));
            }
        }
        complaints
    }

    /// Returns the rule; nothing where it is learned.
    pub const fn rule(&self) -> Option<LostWork> {
        match self.checkpoint {
            Saves::Word(SavesWord::Learned) => None,
            Saves::Word(SavesWord::None) => Some(LostWork::All),
            Saves::Every(SavesEvery { every, cost, restart }) => {
                Some(LostWork::SinceCheckpoint(Checkpoint { every, cost, restart }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Option<LostWork> {
        let source = format!(
            "version: 1\npool: p\ndemand: [{{ queue: {{ metric: $PendingTasks }} }}]\nmix: {{ lostWork: {text} }}\n"
        );
        let (policy, findings) = crate::policy::read("p", &source, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{findings:?}")).lost_work
    }

    #[test]
    fn tasks_start_anew_or_save_their_state_or_it_is_learned() {
        assert_eq!(rule("{}"), None);
        assert_eq!(rule("{ checkpoint: learned }"), None);
        assert_eq!(rule("{ checkpoint: none }"), Some(LostWork::All));
        let checkpoint = Checkpoint {
            every: Span::minutes(10),
            cost: Span::seconds(30),
            restart: Span::ZERO,
        };
        assert_eq!(
            rule("{ checkpoint: { every: 10m, cost: 30s } }"),
            Some(LostWork::SinceCheckpoint(checkpoint))
        );
    }
}
