//! How runs are set against the bound with hindsight, as the command line spells it.

use crate::sim::bound::{Ask, Tolerance};

/// The options that ask for the bound.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct BoundOptions {
    /// Say also what the best plan with hindsight must cost if every task is to end in time
    #[arg(long)]
    bound: bool,
    /// Also what it must cost if some tasks may be late: shares of the tasks and of the work, such as 5%,10%
    #[arg(long, value_name = "T,W", value_parser = parse_tolerance)]
    bound_misses: Option<Tolerance>,
}

impl BoundOptions {
    /// Returns what is asked for.
    pub(super) fn ask(self) -> Ask {
        match self.bound_misses {
            Some(tolerance) => Ask::AlsoWith(tolerance),
            None if self.bound => Ask::AllOnTime,
            None => Ask::No,
        }
    }
}

pub(super) fn parse_tolerance(text: &str) -> Result<Tolerance, String> {
    let share = |text: &str| {
        let percent: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
        (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
    };
    text.split_once(',')
        .and_then(|(tasks, work)| {
            Some(Tolerance {
                tasks: share(tasks)?,
                work: share(work)?,
            })
        })
        .ok_or_else(|| {
            "write two shares from 0% to 100%, of the tasks and of the work, such as 5%,10%".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_two_shares() {
        let expected = Tolerance {
            tasks: 0.05,
            work: 0.1,
        };
        assert_eq!(parse_tolerance("5%, 10%"), Ok(expected));
        for wrong in ["", "5%", "5,10", "5%,101%", "-1%,5%", "NaN%,5%"] {
            assert!(parse_tolerance(wrong).is_err(), "{wrong}");
        }
    }
}
