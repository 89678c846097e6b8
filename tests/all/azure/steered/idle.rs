//! Orders that take idle nodes alone.

use lowtide::base::{Mix, Span};
use lowtide::decision::Memory;
use lowtide::emulator::Setup;
use lowtide::world::replay;
use serde_json::json;

use super::super::emulated::{map, new_pool, pass};
use super::super::{noon, wait};
use super::{Stage, policy, results, told};

/// Adds tasks of half an hour, which run a minute later.
fn add_tasks(stage: &Stage, count: usize) {
    wait(async {
        let job = map(json!({ "id": "j", "poolInfo": { "poolId": "p" } }));
        stage.client.add_job(&job).await.unwrap();
        for number in 0..count {
            let task = map(json!({ "id": format!("t{number}"), "commandLine": "sleep 1800" }));
            stage.client.add_task("j", &task).await.unwrap();
        }
    });
    pass(&stage.clock, Span::minutes(1));
}

#[test]
fn nodes_run_empty_and_go_by_name_while_the_pool_can_still_grow() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 4));
    add_tasks(&stage, 6);
    let drain = "scaleIn: { prefer: [unusable, preempted, idle], drain: true }\n";
    let (memory, ledger) = stage.steer(&policy(1, drain), Memory::default(), Span::minutes(5));
    // No task lost its node, and what is too much takes no more of them.
    let counts = wait(stage.client.task_counts("j")).unwrap().task_counts;
    assert_eq!((counts.running, counts.active), (6, 0), "{ledger}");
    let pool = stage.pool();
    assert!((3..=4).contains(&pool.target().dedicated.0), "{ledger}");
    let nodes = wait(stage.client.nodes("p", &lowtide::azure::Query::default())).unwrap();
    let cordoned = nodes.found.iter().filter(|node| node.is_cordoned()).count();
    assert!((2..=3).contains(&cordoned), "{cordoned}: {ledger}");
    // More is needed while they drain: the pool takes the order at once, and its nodes take tasks again.
    let (memory, ledger) = stage.steer(&policy(6, drain), memory, Span::minutes(3));
    assert_eq!(stage.pool().target(), Mix::new(6, 0), "{ledger}");
    let nodes = wait(stage.client.nodes("p", &lowtide::azure::Query::default())).unwrap();
    assert!(
        !nodes.found.iter().any(lowtide::azure::ServiceNode::is_cordoned),
        "{ledger}"
    );
    let (_, ledger) = stage.steer(&policy(1, drain), memory, Span::minutes(60));
    assert_eq!(stage.pool().current(), Mix::new(1, 0), "{ledger}");
    let counts = wait(stage.client.task_counts("j")).unwrap().task_counts;
    assert_eq!(counts.succeeded, 6);
}

#[test]
fn what_idle_nodes_alone_can_give_is_not_ordered_while_all_of_them_work() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 4));
    // No more than run at once, and some on each node.
    add_tasks(&stage, 8);
    let by_name = "scaleIn: { prefer: [unusable, preempted, idle] }\n";
    let (memory, ledger) = stage.steer(&policy(1, by_name), Memory::default(), Span::minutes(15));
    replay(&ledger).unwrap();
    assert_eq!(results(&ledger), [""; 0], "{ledger}");
    assert!(told(&ledger, "allWork") > 10, "{ledger}");
    assert_eq!(stage.pool().target(), Mix::new(4, 0));
    // More is ordered at once, and what is too much once a node has nothing to do.
    let (memory, ledger) = stage.steer(&policy(5, by_name), memory, Span::minutes(3));
    assert_eq!(
        (results(&ledger).len(), told(&ledger, "allWork")),
        (1, 0),
        "{ledger}"
    );
    assert_eq!(stage.pool().target(), Mix::new(5, 0), "{ledger}");
    let (_, ledger) = stage.steer(&policy(1, by_name), memory, Span::minutes(30));
    assert_eq!(stage.pool().current(), Mix::new(1, 0), "{ledger}");
    let counts = wait(stage.client.task_counts("j")).unwrap().task_counts;
    assert_eq!(counts.succeeded, 8, "{ledger}");
}

/// Returns how many nodes of the pool take no further tasks.
fn n_closed(stage: &Stage) -> usize {
    let nodes = wait(stage.client.nodes("p", &lowtide::azure::Query::default())).unwrap();
    nodes.found.iter().filter(|node| node.is_cordoned()).count()
}

#[test]
fn nodes_beyond_a_limit_are_closed_while_tasks_wait_and_opened_when_it_allows_them() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 4));
    add_tasks(&stage, 60);
    let by_name = "scaleIn: { prefer: [unusable, preempted, idle] }\n";
    let at_most = |nodes: u32| policy(4, by_name).replace("[1, 10]", &format!("[1, {nodes}]"));
    // Tasks wait, and no node would ever be idle.
    let (memory, ledger) = stage.steer(&at_most(2), Memory::default(), Span::minutes(5));
    replay(&ledger).unwrap();
    assert_eq!(
        (n_closed(&stage), stage.pool().target()),
        (2, Mix::new(4, 0)),
        "{ledger}"
    );
    // The limit is raised again before their tasks have ended.
    let (memory, ledger) = stage.steer(&at_most(4), memory, Span::minutes(40));
    replay(&ledger).unwrap();
    assert_eq!(
        (n_closed(&stage), stage.pool().target()),
        (0, Mix::new(4, 0)),
        "{ledger}"
    );
    // One that is wanted no longer goes when it is idle, and is not closed for that.
    let (memory, ledger) = stage.steer(&policy(1, by_name), memory, Span::minutes(5));
    assert_eq!(n_closed(&stage), 0, "{ledger}");
    let (_, ledger) = stage.steer(&at_most(2), memory, Span::minutes(40));
    assert_eq!(
        (n_closed(&stage), stage.pool().current()),
        (0, Mix::new(2, 0)),
        "{ledger}"
    );
    let counts = wait(stage.client.task_counts("j")).unwrap().task_counts;
    assert_eq!(counts.running, 4, "{ledger}");
}
