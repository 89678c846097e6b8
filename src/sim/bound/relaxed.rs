//! Bounds without a program: fast, and looser.

use super::instance::{DEDICATED, Instance, Job, SPOT};

/// Returns the cost of all work at the cheaper price.
pub(super) fn all_spot(instance: &Instance) -> f64 {
    let whenever = instance.whenever.iter().map(|job| job.weight * job.run);
    (instance.work() + whenever.sum::<f64>()) * cheaper(instance)
}

/// Returns the cost when each job is cut and runs on spot while any spot node can be ready within its time, and on dedicated
/// nodes for the rest; nodes need no boot and no whole numbers.
pub(super) fn fluid(instance: &Instance) -> f64 {
    let cost = |job: &Job| {
        let spot = ready(instance, job).min(job.run);
        job.weight * (cheaper(instance) * spot + instance.prices[DEDICATED] * (job.run - spot))
    };
    let whenever = instance.whenever.iter().map(|job| job.weight * job.run);
    instance.jobs.iter().map(cost).sum::<f64>() + whenever.sum::<f64>() * cheaper(instance)
}

fn cheaper(instance: &Instance) -> f64 {
    instance.prices[SPOT].min(instance.prices[DEDICATED])
}

/// Returns how much of the time that a job may take has a window over it.
fn ready(instance: &Instance, job: &Job) -> f64 {
    let end = job.latest + job.run;
    let mut counted_to = job.earliest;
    let mut ready = 0.0;
    for window in instance.windows_between(job.earliest, end) {
        let until = window.until.min(end);
        ready += (until - window.from.max(counted_to)).max(0.0);
        counted_to = counted_to.max(until);
    }
    ready
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::bound::instance::Window;

    #[test]
    fn work_goes_to_spot_while_any_is_ready() {
        let job = |earliest, latest, run| Job {
            earliest,
            latest,
            run,
            weight: 0.5,
            tasks: 1.0,
        };
        let window = |from, until| Window { from, until };
        let instance = Instance {
            // 10 to 30 and 25 to 40 within 0 to 50, and 60 to 70 within 55 to 75.
            jobs: vec![job(0.0, 10.0, 40.0), job(55.0, 70.0, 5.0)],
            windows: vec![window(10.0, 30.0), window(25.0, 40.0), window(60.0, 70.0)],
            boot: 100.0,
            prices: [1.0, 0.2],
            initial: [0.0; 2],
            late: None,
            whenever: Vec::new(),
        };
        // 30 of 40 seconds on spot, and all 5 of the other, on half a node.
        let expected = 0.5 * (30.0 * 0.2 + 10.0 + 5.0 * 0.2);
        assert!((fluid(&instance) - expected).abs() < 1e-12);
        assert!((all_spot(&instance) - 0.5 * 45.0 * 0.2).abs() < 1e-12);
    }
}
