//! `SpotHedge` of `SkyServe`: more spot nodes than are needed, and on-demand nodes for those that are not ready.
//!
//! Source: Mao et al., "`SkyServe`: Serving AI Models across Regions and Clouds with Spot Instances" (arXiv 2411.01438), and the
//! fallback autoscaler of `SkyPilot` (`sky/serve/autoscalers.py`), which counts ready spot replicas, not those under way.

use super::pilot::{Sight, Wish};
use crate::account::NodeActivity;
use crate::base::{Lane, Mix, Nodes, Span};

/// `num_overprovision` in the example of `SkyServe`'s guide to `SpotHedge`.
pub(super) const EXTRA: u32 = 1;

/// As many more than are needed is no hedge any longer.
pub(super) const EXTRA_MAX: u32 = 1000;

/// The rule; replicas are nodes, and as many are needed as the tasks would fill.
#[derive(Debug)]
pub(super) struct SpotHedge {
    pub(super) extra: u32,
}

impl SpotHedge {
    /// `AUTOSCALER_DEFAULT_DECISION_INTERVAL_SECONDS` of `SkyServe`. Its delays before it scales by request rates (5 minutes up,
    /// 20 down) are left out: a queue does not flutter as request rates do, and waiting would only let tasks wait.
    pub(super) const INTERVAL: Span = Span::seconds(20);

    pub(super) fn look(&self, sight: &Sight<'_>) -> Wish {
        let quota = sight.cluster.setup().quota;
        let needed = sight.wanted_nodes();
        let ready = sight.nodes(Lane::Spot, &[NodeActivity::Ready]);
        let mix = hedge(needed, Nodes(self.extra), ready);
        Wish::draining(Mix {
            dedicated: mix.dedicated.min(quota.dedicated),
            spot: mix.spot.min(quota.spot),
        })
    }
}

/// Returns N + E spot nodes and, of dedicated ones, N + E less the spot nodes that are ready, at most N; nothing for no need.
fn hedge(needed: Nodes, extra: Nodes, ready: Nodes) -> Mix {
    if needed == Nodes::ZERO {
        return Mix::ZERO;
    }
    let spot = needed + extra;
    Mix {
        dedicated: needed.min(spot.saturating_sub(ready)),
        spot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dedicated_nodes_stand_in_for_spot_that_is_not_ready() {
        for (needed, extra, ready, expected) in [
            (0, 1, 3, Mix::ZERO),
            // Nothing is ready: all of the need is dedicated, but not the extra.
            (5, 1, 0, Mix::new(5, 6)),
            (5, 1, 4, Mix::new(2, 6)),
            (5, 1, 6, Mix::new(0, 6)),
            (5, 0, 3, Mix::new(2, 5)),
            (5, 0, 9, Mix::new(0, 5)),
        ] {
            assert_eq!(hedge(Nodes(needed), Nodes(extra), Nodes(ready)), expected);
        }
    }
}
