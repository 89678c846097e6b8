//! What one line of a ledger says was seen.

use super::line::{Head, Kind};
use super::replay::{Line, ReplayError, see};
use crate::base::Timestamp;
use crate::engine::{Observation, PoolView};

/// Returns what a decided line says was seen of its pool, and when; nothing for other lines, and for holds of what was not seen.
///
/// # Errors
/// When it is not a line that an engine wrote; its number is told as 1.
pub fn look_of(line: &str) -> Result<Option<(Timestamp, PoolView)>, ReplayError> {
    let head: Head = serde_json::from_str(line).map_err(|error| ReplayError::Unreadable {
        line: 1,
        why: error.to_string(),
    })?;
    if head.kind != Kind::Decided || line.ends_with(r#""seen":null}"#) {
        return Ok(None);
    }
    let line = Line {
        number: 1,
        text: line,
        head,
    };
    let mut seen = Observation::default();
    see([&line], &mut seen)?;
    let view = seen.pools().first().cloned();
    Ok(view.map(|view| (head.at, view)))
}
