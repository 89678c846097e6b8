//! Jobs of a list that cannot be read, and which pools they hide.

use lowtide::signal::Metric;
use serde_json::json;

use super::account::{list, pool};
use super::live::{Stage, busy_account};

#[test]
fn a_job_that_cannot_be_read_hides_the_pool_that_it_names_and_no_other() {
    let unreadable = |id: &str| json!({ "id": id, "priority": "soon", "poolInfo": { "poolId": "Q" } });
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("q", "0x2", 0, 0)])],
    );
    let job = json!({ "id": "j", "executionInfo": { "poolId": "P" } });
    account.put("GET /jobs", vec![list(&[job, unreadable("bad")])]);
    let mut stage = Stage::set(account);
    let seen = stage.look(&[Metric::ActiveTasks], false);
    let [p, q] = seen.pools() else { panic!("{seen:?}") };
    assert_eq!((p.fault.as_ref(), p.samples.len()), (None, 1));
    let fault = q.fault.as_ref().unwrap();
    assert!(fault.message.contains("bad"), "{fault}");
}

/// Seeds 10002, 10010 and 10014 of the swarm's accounts: after a start no job is known yet.
#[test]
fn a_job_that_names_no_pool_and_never_was_read_may_be_on_any() {
    let known = json!({ "id": "j", "executionInfo": { "poolId": "P" } });
    let nowhere = |id: &str| json!({ "id": id, "priority": "soon", "poolInfo": "garbage" });
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("q", "0x2", 0, 0)])],
    );
    let mut stage = Stage::set(account);
    let mut hidden = |jobs: &[_]| {
        stage.account.put("GET /jobs", vec![list(jobs)]);
        let seen = stage.look(&[Metric::ActiveTasks], false);
        let hidden = seen.pools().iter().map(|view| view.fault.is_some());
        hidden.collect::<Vec<_>>()
    };
    assert_eq!(
        hidden(&[known.clone(), nowhere("lost")]),
        [true, true],
        "it may be on any"
    );
    assert_eq!(hidden(&[known]), [false, false]);
    assert_eq!(
        hidden(&[nowhere("j")]),
        [true, false],
        "it was on the first when it was last read"
    );
}
