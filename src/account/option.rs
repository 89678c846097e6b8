//! What happens to running tasks when their node goes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to the running tasks of a node that is taken away (`nodeDeallocationOption` of Pool - Resize).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeDeallocationOption {
    /// End them and put them back in the queue: work is lost, tasks are not.
    #[default]
    Requeue,
    /// End them for good.
    Terminate,
    /// Let them finish first.
    TaskCompletion,
    /// Let them finish and wait until the data they retain has expired.
    RetainedData,
}

impl NodeDeallocationOption {
    /// Every option, the default first.
    pub const ALL: [Self; 4] = [
        Self::Requeue,
        Self::Terminate,
        Self::TaskCompletion,
        Self::RetainedData,
    ];

    /// Returns the word that formulas, results and requests use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Terminate => "terminate",
            Self::TaskCompletion => "taskcompletion",
            Self::RetainedData => "retaineddata",
        }
    }
}

impl fmt::Display for NodeDeallocationOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Reads the word in lower case, as formulas write it.
impl FromStr for NodeDeallocationOption {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|option| option.word() == word)
            .ok_or(())
    }
}
