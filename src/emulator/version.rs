//! Versions of entities, which follow from when they changed.

use crate::base::Timestamp;

/// Ticks of 100 ns from the year 1 to 1970: the service counts from there.
const TICKS_TO_1970: i64 = 621_355_968_000_000_000;

/// Returns the version of what changed at a moment, as the service writes it: `0x8DE2900AA11BB22`, never quoted.
pub(super) fn etag(modified: Timestamp) -> String {
    format!("0x{:X}", modified.ticks() + TICKS_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::etag;
    use crate::base::Timestamp;

    #[test]
    fn a_version_is_a_time_in_hexadecimal() {
        let at: Timestamp = "2023-03-14T00:00:00Z".parse().unwrap();
        assert_eq!(etag(at), "0x8DB241F0DF80000");
    }
}
