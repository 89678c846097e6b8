//! Why a pool is left alone that somebody halted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::{Halt, HaltScope};

/// Somebody halted the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Halted(pub Halt);

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Halt {
            scope,
            until,
            why,
            by,
        } = &self.0;
        f.write_str("halted")?;
        if let Some(by) = by {
            write!(f, " by {by}")?;
        }
        f.write_str(match scope {
            HaltScope::In => ": no nodes are taken away",
            HaltScope::Out => ": no nodes are added",
            HaltScope::All => ": nothing is ordered",
        })?;
        match until {
            Some(until) => write!(f, " until {until}")?,
            None => f.write_str(" until somebody resumes it")?,
        }
        if why.is_empty() {
            Ok(())
        } else {
            write!(f, " ({why})")
        }
    }
}
