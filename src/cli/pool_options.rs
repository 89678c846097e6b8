//! What the simulated pool is like, as the command line spells it.

use clap::ValueEnum;

use super::fault_options::FaultOptions;
use crate::base::{Lane, Mix, Nodes, Span, did_you_mean};
use crate::market::Checkpoint;
use crate::sim::cluster::{Boot, Eviction, Fill, Setup};

/// The options of `backtest` that say what the pool is like.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PoolOptions {
    /// Task slots of a node
    #[arg(long, value_name = "N", default_value_t = 1)]
    slots: u32,
    /// Which node a task is given: spread (the one with most free slots) or pack (the one with fewest)
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "spread|pack",
        hide_possible_values = true
    )]
    fill: FillWord,
    /// What is usual where nothing is said: service (Azure Batch as users meet it) or study (machines granted at once, four
    /// minutes to boot, no order is refused, 600 nodes of a lane)
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "service|study",
        hide_possible_values = true
    )]
    rules: RulesWord,
    /// How long a node boots, billed: a time, or the shortest and the longest, such as 2m..5m; usually 3m
    #[arg(long, value_name = "SPAN", value_parser = parse_boot)]
    boot: Option<Boot>,
    /// How long a resize takes until its nodes are there and boot, or are gone; usually 1m
    #[arg(long, value_name = "SPAN")]
    resize: Option<Span>,
    /// The most nodes that the account may have, such as dedicated=20,spot=100; nodes beyond are not granted
    #[arg(long, value_name = "LANE=N", value_parser = parse_quota)]
    quota: Option<Mix>,
    /// Evictions of a spot node in an hour
    #[arg(long, value_name = "RATE")]
    evictions: Option<f64>,
    /// How tasks save their work: how often, and what one save takes, such as 10m or 10m/30s; without, they start anew
    #[arg(long, value_name = "EVERY[/COST]", value_parser = parse_checkpoint)]
    checkpoint: Option<Checkpoint>,
    #[command(flatten)]
    faults: FaultOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RulesWord {
    /// Azure Batch as users meet it.
    #[default]
    Service,
    /// Those of the study that the cost targets are taken from.
    Study,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FillWord {
    /// The node with the most free slots.
    #[default]
    Spread,
    /// The node with the fewest free slots that suffice.
    Pack,
}

/// How long an evicted node stays away, the Batch service then boots it again by itself.
const BACK_AFTER: Span = Span::minutes(10);

impl PoolOptions {
    /// Returns the pool that they describe.
    pub(super) fn setup(&self) -> Setup {
        let (usual, back_after) = match self.rules {
            RulesWord::Service => (Setup::default(), BACK_AFTER),
            RulesWord::Study => (Setup::study(), Span::ZERO),
        };
        let setup = Setup {
            task_slots_per_node: self.slots,
            fill: match self.fill {
                FillWord::Spread => Fill::Spread,
                FillWord::Pack => Fill::Pack,
            },
            resize_time: self.resize.unwrap_or(usual.resize_time),
            boot: self.boot.unwrap_or(usual.boot),
            eviction: self
                .evictions
                .map_or(Eviction::Never, |per_node_hour| Eviction::Constant {
                    per_node_hour,
                    back_after,
                }),
            quota: self.quota.unwrap_or(usual.quota),
            checkpoint: self.checkpoint,
            ..usual
        };
        self.faults.add_to(setup)
    }
}

fn parse_checkpoint(text: &str) -> Result<Checkpoint, String> {
    let span = |text: &str| text.parse::<Span>().map_err(|error| error.to_string());
    let (every, cost) = match text.split_once('/') {
        None => (span(text)?, Span::ZERO),
        Some((every, cost)) => (span(every)?, span(cost)?),
    };
    Ok(Checkpoint {
        every,
        cost,
        restart: Span::ZERO,
    })
}

fn parse_boot(text: &str) -> Result<Boot, String> {
    let span = |text: &str| {
        text.parse::<Span>()
            .map_err(|error| format!("{error}; or the shortest and the longest, such as 2m..5m"))
    };
    let Some((least, most)) = text.split_once("..") else {
        return span(text).map(Boot::Fixed);
    };
    let (least, most) = (span(least)?, span(most)?);
    if most < least {
        return Err(format!(
            "the shortest comes first: {}..{}",
            most.in_short(),
            least.in_short()
        ));
    }
    Ok(Boot::Uniform { least, most })
}

/// Reads the quota of each lane that is named; the other has none.
fn parse_quota(text: &str) -> Result<Mix, String> {
    let mut given = [None; Lane::ALL.len()];
    for part in text.split(',') {
        let Some((name, count)) = part.split_once('=') else {
            return Err(format!(
                "`{part}` names no lane; write dedicated=20, spot=100 or both with a comma"
            ));
        };
        let Some(lane) = Lane::ALL.into_iter().find(|lane| lane.to_string() == name) else {
            let near = did_you_mean(name, ["dedicated", "spot"]);
            let help = near.map_or_else(
                || "there are dedicated and spot".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("there is no lane `{name}`; {help}"));
        };
        let nodes = count
            .parse()
            .ok()
            .map(Nodes)
            .filter(|nodes| *nodes <= Setup::NODES_MAX);
        let Some(nodes) = nodes else {
            let most = Setup::NODES_MAX;
            return Err(format!("`{count}` is no number of nodes from 0 to {most}"));
        };
        if given[lane as usize].replace(nodes).is_some() {
            return Err(format!("{lane} stands twice; keep one of the two"));
        }
    }
    let quota = |lane: Lane| given[lane as usize].unwrap_or(Setup::NODES_MAX);
    Ok(Mix {
        dedicated: quota(Lane::Dedicated),
        spot: quota(Lane::Spot),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_times_are_one_or_a_range() {
        assert_eq!(parse_boot("90s"), Ok(Boot::Fixed(Span::seconds(90))));
        assert_eq!(
            parse_boot("2m..5m"),
            Ok(Boot::Uniform {
                least: Span::minutes(2),
                most: Span::minutes(5)
            })
        );
        for (text, why) in [
            ("5m..2m", "the shortest comes first: 2m..5m"),
            ("2m..", "such as 2m..5m"),
            ("soon", "`soon` is not a duration"),
        ] {
            let error = parse_boot(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_quota_names_one_lane_or_both() {
        let most = Setup::NODES_MAX;
        assert_eq!(parse_quota("dedicated=20,spot=100"), Ok(Mix::new(20, 100)));
        assert_eq!(parse_quota("spot=0"), Ok(Mix::new(most.0, 0)));
        for (text, why) in [
            ("20", "`20` names no lane"),
            ("", "names no lane"),
            ("dedicate=20", "did you mean `dedicated`?"),
            ("low=20", "there are dedicated and spot"),
            ("spot=-1", "`-1` is no number of nodes"),
            ("spot=20001", "from 0 to 20000"),
            ("spot=1,spot=2", "spot stands twice"),
        ] {
            let error = parse_quota(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
