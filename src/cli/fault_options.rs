//! What goes wrong in the simulated pool, and the cores that its account may have, as the command line spells them.

use std::collections::BTreeMap;

use crate::base::{Span, did_you_mean};
use crate::sim::cluster::{CoreQuota, NodeFaults, SAMPLE_DELAY, SampleFaults, Setup};

/// The options of `backtest` that say what goes wrong.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct FaultOptions {
    /// What goes wrong with nodes and samples: start=SHARE of nodes whose start task fails, stuck=SHARE that boot for ever,
    /// break=RATE of ready nodes in an hour, mended=SPAN until such a node is booted again (never without);
    /// lost=SHARE of samples that never arrive, late=SHARE/SPAN of those that come up to so much later
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = parse_faults)]
    faults: Option<Faults>,
    /// The cores that the account may have: per-node=N of a node, and any of dedicated=N, family=N (dedicated ones of the pool's
    /// family) and spot=N; nodes beyond are not granted
    #[arg(long, value_name = "KEY=N,...", value_parser = parse_cores)]
    core_quota: Option<CoreQuota>,
    /// How long a sample takes until formulas can see it; usually 1m, as the service documents it
    #[arg(long, value_name = "SPAN")]
    sample_delay: Option<Span>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Faults {
    nodes: NodeFaults,
    samples: SampleFaults,
}

impl FaultOptions {
    /// Returns the pool with what goes wrong in it.
    pub(super) fn add_to(&self, setup: Setup) -> Setup {
        let Faults { nodes, samples } = self.faults.unwrap_or_default();
        Setup {
            faults: nodes,
            samples,
            cores: self.core_quota,
            sample_delay: self.sample_delay.unwrap_or(SAMPLE_DELAY),
            ..setup
        }
    }
}

/// Reads `KEY=VALUE` pairs, each key known and given once.
fn pairs<'a>(text: &'a str, keys: &[&'static str]) -> Result<BTreeMap<&'static str, &'a str>, String> {
    let mut pairs = BTreeMap::new();
    for part in text.split(',') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` has no value; write {}", keys[0].to_owned() + "=…"))?;
        let Some(key) = keys.iter().find(|key| **key == name) else {
            let help = did_you_mean(name, keys.iter().copied()).map_or_else(
                || format!("there are {}", keys.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("there is no key `{name}`; {help}"));
        };
        if pairs.insert(*key, value).is_some() {
            return Err(format!("{key} stands twice; keep one of the two"));
        }
    }
    Ok(pairs)
}

fn parse_faults(text: &str) -> Result<Faults, String> {
    let pairs = pairs(text, &["start", "stuck", "break", "mended", "lost", "late"])?;
    let share_of = |key: &str| pairs.get(key).map_or(Ok(0.0), |text| share(text));
    let mut faults = Faults {
        nodes: NodeFaults {
            start_fails: share_of("start")?,
            boot_sticks: share_of("stuck")?,
            breaks_hourly: pairs.get("break").map_or(Ok(0.0), |text| rate(text))?,
            mended_after: pairs.get("mended").map(|text| span(text)).transpose()?,
        },
        samples: SampleFaults {
            missing: share_of("lost")?,
            ..SampleFaults::default()
        },
    };
    if let Some(text) = pairs.get("late") {
        let (part, by) = text
            .split_once('/')
            .ok_or_else(|| format!("`{text}` does not say how late; write late=10%/2m"))?;
        (faults.samples.late, faults.samples.late_by) = (share(part)?, span(by)?);
    }
    Ok(faults)
}

fn parse_cores(text: &str) -> Result<CoreQuota, String> {
    let pairs = pairs(text, &["per-node", "dedicated", "family", "spot"])?;
    let count = |text: &str| {
        text.parse::<u32>()
            .map_err(|_| format!("`{text}` is no number of cores"))
    };
    let given = |key: &str| pairs.get(key).map(|text| count(text)).transpose();
    let per_node = given("per-node")?
        .filter(|cores| *cores > 0)
        .ok_or("say how many cores a node has, 1 or more: per-node=4")?;
    Ok(CoreQuota {
        per_node,
        dedicated: given("dedicated")?.unwrap_or(u32::MAX),
        family: given("family")?,
        spot: given("spot")?.unwrap_or(u32::MAX),
    })
}

/// Reads a share from 0 to 1, or as a percentage.
fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = text
        .strip_suffix('%')
        .map_or((text, 1.0), |number| (number, 100.0));
    number
        .parse::<f64>()
        .ok()
        .map(|number| number / whole)
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share; write 2% or 0.02"))
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (0.0..=3600.0).contains(rate))
        .ok_or_else(|| format!("`{text}` is no number of faults in an hour, from 0 to 3600"))
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_those_that_are_named() {
        let faults = parse_faults("start=2%,stuck=0.01,break=0.05,mended=30m,lost=5%,late=10%/2m").unwrap();
        let nodes = NodeFaults {
            start_fails: 0.02,
            boot_sticks: 0.01,
            breaks_hourly: 0.05,
            mended_after: Some(Span::minutes(30)),
        };
        let samples = SampleFaults {
            missing: 0.05,
            late: 0.1,
            late_by: Span::minutes(2),
        };
        assert_eq!(faults, Faults { nodes, samples });
        assert_eq!(parse_faults("lost=0%").unwrap(), Faults::default());
        for (text, why) in [
            ("start", "`start` has no value"),
            ("stat=1%", "did you mean `start`?"),
            ("fire=1%", "there are start, stuck"),
            ("start=200%", "`200%` is no share"),
            ("break=often", "`often` is no number of faults"),
            ("late=10%", "write late=10%/2m"),
            ("late=10%/soon", "`soon` is not a duration"),
            ("lost=1%,lost=2%", "lost stands twice"),
        ] {
            let error = parse_faults(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_core_quota_says_how_many_cores_a_node_has() {
        let quota = parse_cores("per-node=4,dedicated=80,family=40,spot=400").unwrap();
        assert_eq!(quota.nodes(), crate::base::Mix::new(10, 100));
        for (text, why) in [
            ("dedicated=80", "per-node=4"),
            ("per-node=0", "1 or more"),
            ("per-node=4,spot=many", "`many` is no number of cores"),
        ] {
            let error = parse_cores(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
