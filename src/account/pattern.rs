//! Which pools a policy speaks of: one id, or a pattern with stars.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{PoolId, PoolIdError};

/// A pool id in which `*` stands for any run of characters, such as `genomics-*`; cheap to clone.
///
/// Letters match in either case, because two pools of one account cannot differ in case alone (Pool - Add, REST API).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolPattern(Arc<str>);

impl PoolPattern {
    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether the pattern names one pool and no other.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Says whether a pool is meant.
    pub fn matches(&self, pool: &PoolId) -> bool {
        matches(self.0.as_bytes(), pool.as_str().as_bytes())
    }
}

/// Makes the pattern that means one pool.
impl From<&PoolId> for PoolPattern {
    fn from(pool: &PoolId) -> Self {
        Self(pool.as_str().into())
    }
}

/// Says whether a job is meant by a pattern in which `*` stands for any run of characters; a task without a job is meant by
/// stars alone.
///
/// Letters match in either case, because two jobs of one account cannot differ in case alone (Job - Add, REST API).
pub fn matches_job(pattern: &str, job: Option<&str>) -> bool {
    matches(pattern.as_bytes(), job.unwrap_or("").as_bytes())
}

/// Matches greedily and steps back to the latest star only: time is pattern × text at worst.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Reads a pool id with stars; anything a pool id cannot hold is refused.
impl FromStr for PoolPattern {
    type Err = PoolIdError;
    fn from_str(text: &str) -> Result<Self, PoolIdError> {
        // A star is checked as if it were a letter.
        text.replace('*', "x")
            .parse::<PoolId>()
            .map(|_| Self(text.into()))
            .map_err(|_| PoolIdError(text.to_owned()))
    }
}

impl fmt::Display for PoolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_without_a_job_is_meant_by_stars_alone() {
        for (pattern, job, expected) in [
            ("*", None, true),
            ("nightly-*", None, false),
            ("nightly-*", Some("Nightly-7"), true),
            ("nightly-*", Some("daily-7"), false),
        ] {
            assert_eq!(matches_job(pattern, job), expected, "{pattern} against {job:?}");
        }
    }

    #[test]
    fn a_star_is_any_run_and_case_is_no_matter() {
        for (pattern, pool, expected) in [
            ("genomics-*", "genomics-main", true),
            ("genomics-*", "Genomics-", true),
            ("genomics-*", "genomics", false),
            ("*-*-gpu", "a-b-c-gpu", true),
            ("*a*b*", "xxaxx", false),
            ("*", "anything", true),
            ("main", "main", true),
            ("main", "main2", false),
        ] {
            let matched = pattern
                .parse::<PoolPattern>()
                .unwrap()
                .matches(&pool.parse().unwrap());
            assert_eq!(matched, expected, "{pattern} against {pool}");
        }
        assert!("a b*".parse::<PoolPattern>().is_err());
    }
}
