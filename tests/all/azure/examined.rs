//! The doctor against accounts with a fault each, by their own clock.

use std::sync::{Arc, Mutex};

use lowtide::account::NodeDeallocationOption;
use lowtide::azure::{Client, Clock, Resize};
use lowtide::base::{Mix, Span};
use lowtide::doctor::{Ends, Examined, Expiring, Outcome, Report, examine};
use lowtide::emulator::{Desk as Emulated, Scenario};
use lowtide::policy::{Policies, read, read_account};
use lowtide::sim::SpotMarket;
use serde_json::json;

use super::account::Account;
use super::desk::Answer;
use super::emulated::{client, map, open_desk};
use super::{client_of, noon, wait};

/// An account with a fault, and the client that asks it.
struct Patient {
    client: Client,
    clock: Clock,
}

impl Patient {
    fn of(scenario: &str) -> Self {
        Self::with_market(scenario, SpotMarket::Unlimited)
    }

    fn with_market(source: &str, market: SpotMarket) -> Self {
        let clock = Clock::stepped(noon());
        let source = format!("version: 1\n{source}");
        let scenario = Scenario::parse(&source).unwrap();
        let setup = scenario.setup(noon(), market, None);
        let account = Arc::new(Mutex::new(Emulated::open(setup, &scenario, &source).unwrap()));
        let desk = open_desk(&clock, &account);
        Self {
            client: client(&desk, &clock),
            clock,
        }
    }

    fn resize(self, pool: &str, target: Mix) -> Self {
        let resize = Resize {
            target,
            option: NodeDeallocationOption::default(),
            timeout: None,
        };
        wait(self.client.resize(pool, &resize, None)).unwrap();
        self
    }

    fn after(self, span: Span) -> Self {
        let pause = std::time::Duration::from_secs_f64(span.as_seconds());
        wait(self.clock.sleep(pause));
        self
    }

    fn examined(&self, policies: Option<&Policies>) -> Report {
        examined(&self.client, policies, &[])
    }
}

fn examined(client: &Client, policies: Option<&Policies>, expiring: &[Expiring]) -> Report {
    wait(examine(&Examined {
        client,
        pools: None,
        policies,
        expiring,
    }))
    .unwrap()
}

/// The findings, `CODE severity pool: what`, in order.
fn told(report: &Report) -> Vec<String> {
    let line = |finding: &lowtide::doctor::Finding| {
        assert!(
            !finding.why.is_empty() && !finding.way_out.is_empty(),
            "{finding:?}"
        );
        let pool = finding.pool.as_deref().unwrap_or("-");
        format!(
            "{} {} {pool}: {}",
            finding.code,
            finding.severity.word(),
            finding.what
        )
    };
    report.findings.iter().map(line).collect()
}

fn outcome(report: &Report, check: &str) -> Outcome {
    let found = report.checks.iter().find(|other| other.name == check);
    found
        .unwrap_or_else(|| panic!("no check {check}: {:?}", report.checks))
        .outcome
}

fn policies(texts: &[&str]) -> Policies {
    let policy = |(number, text): (usize, &&str)| {
        let (policy, findings) = read(&format!("policy{number}"), text, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{:?}", findings.policy))
    };
    Policies::from(texts.iter().enumerate().map(policy).collect::<Vec<_>>())
}

const FIXED: &str = "version: 1\npool: render\ninterval: 60s\n\
    demand: [ { formula: { role: targets, text: \"$TargetDedicatedNodes = 1;\" } } ]\nbounds: { total: [0, 20] }\n";

#[test]
fn a_healthy_account_has_nothing_wrong_and_says_what_was_looked_at() {
    let patient = Patient::of(
        "pools: [ { id: render, vmSize: standard_d4s_v5, dedicated: 1 } ]\njobs: [ { id: j, pool: render } ]",
    );
    let report = patient
        .after(Span::minutes(20))
        .examined(Some(&policies(&[FIXED])));
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.worst(), None);
    assert_eq!(report.identity.by, "the key of the account");
    let checks: Vec<&str> = report.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        checks,
        [
            "clock",
            "pace",
            "identity",
            "permissions",
            "pools",
            "resizes",
            "formulas",
            "retired",
            "nodes",
            "policies",
            "quotas",
            "expiry"
        ]
    );
    // What nobody can know is not taken for healthy.
    assert_eq!(outcome(&report, "clock"), Outcome::Unknown);
    assert_eq!(outcome(&report, "quotas"), Outcome::Unknown);
    assert_eq!(outcome(&report, "permissions"), Outcome::Ok);
}

#[test]
fn a_resize_that_does_not_end_is_told_with_its_age() {
    let patient =
        Patient::of("pools: [ { id: stuck, vmSize: standard_d2s_v5 } ]\ntroubles: [ { kind: stuckResize } ]");
    let patient = patient.resize("stuck", Mix::new(2, 0));
    let early = patient.examined(None);
    assert_eq!(
        told(&early),
        [""; 0],
        "a resize that has just begun is none that is stuck"
    );
    let report = patient.after(Span::hours(2)).examined(None);
    assert_eq!(
        told(&report),
        [
            "D101 error stuck: it has been resizing for 2h (timeout 15m), from 0 dedicated + 0 spot to 2 dedicated + 0 spot"
        ]
    );
    assert_eq!(report.worst(), Some(Outcome::Error));
}

#[test]
fn nodes_that_never_became_usable_are_told_with_the_words_of_the_service() {
    let patient = Patient::of(
        "pools: [ { id: fails, vmSize: standard_d2s_v5, startTask: prepare }, { id: sticks, vmSize: standard_d2s_v5 } ]\n\
         troubles: [ { kind: startTasksFail, pools: fails }, { kind: nodesUnusable, pools: sticks } ]",
    );
    let patient = patient
        .resize("fails", Mix::new(5, 0))
        .resize("sticks", Mix::new(1, 0));
    let report = patient.after(Span::hours(1)).examined(None);
    let told = told(&report);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("D201 error fails: 5 nodes failed in their start task for up to"),
        "{told:?}"
    );
    assert!(
        told[0].contains("and 2 more)") && told[0].contains("its start task failed with exit code"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("D201 error sticks: 1 node is unusable for up to"),
        "{told:?}"
    );
    assert!(told[1].contains("NodeAgentNotResponding"), "{told:?}");
}

#[test]
fn a_resize_that_fell_short_is_told_with_its_reason_and_the_quota_that_it_reached() {
    let patient = Patient::of(
        "pools: [ { id: none, vmSize: standard_d2s_v5 }, { id: much, vmSize: standard_d2s_v5 } ]\n\
         account: { dedicatedCores: 4 }\ntroubles: [ { kind: noCapacity, pools: none } ]",
    );
    let patient = patient
        .resize("none", Mix::new(1, 0))
        .resize("much", Mix::new(5, 0));
    let report = patient.after(Span::hours(1)).examined(None);
    let told = told(&report);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("D102 error much: it lacks 3 dedicated + 0 spot for"),
        "{told:?}"
    );
    assert!(told[0].contains("AccountCoreQuotaReached"), "{told:?}");
    assert!(
        report.findings[0].way_out.contains("raise the quota"),
        "{report:?}"
    );
    assert!(told[1].contains("AllocationTimedout"), "{told:?}");
    assert_eq!(outcome(&report, "quotas"), Outcome::Warning);
}

#[test]
fn a_pool_with_a_formula_of_its_own_is_a_note_and_one_whose_formula_fails_an_error() {
    let patient = Patient::of(
        "pools: [ { id: own, vmSize: standard_d2s_v5, formula: \"$TargetDedicatedNodes = 1;\" } ]",
    );
    let report = patient.after(Span::minutes(20)).examined(None);
    assert_eq!(
        told(&report),
        ["D103 note own: it follows an autoscale formula of its own"]
    );
    assert_eq!(report.worst(), None, "a note is nothing that is wrong");
    let patient = Patient::of(
        "pools: [ { id: own, vmSize: standard_d2s_v5, formula: \"$TargetDedicatedNodes = avg($CPUPercent.GetSample(TimeInterval_Minute * 5));\" } ]",
    );
    let report = patient.after(Span::minutes(20)).examined(None);
    let told = told(&report);
    assert!(
        told[0].starts_with("D104 error own: its formula fails, InsufficientSampleData: "),
        "{told:?}"
    );
    assert!(
        told[0].ends_with(
            "; Line 1, Col 50: Insufficient data from data set: $CPUPercent wanted 70%, received 0%"
        ),
        "{told:?}"
    );
}

#[test]
fn spot_that_stays_away_for_two_days_will_not_come_back() {
    let market = SpotMarket::read("spot", "t_s,available\n0,1\n600,0\n900000,-1\n").unwrap();
    let patient = Patient::with_market("pools: [ { id: p, vmSize: standard_d2s_v5, spot: 2 } ]", market);
    let patient = patient.after(Span::hours(8));
    let told_early = told(&patient.examined(None));
    assert!(
        told_early[0].starts_with("D203 warning p: 2 nodes are preempted for up to 7h"),
        "{told_early:?}"
    );
    let told_late = told(&patient.after(Span::hours(48)).examined(None));
    assert!(
        told_late[0].starts_with("D203 error p: 2 nodes are preempted and will not come back"),
        "{told_late:?}"
    );
    assert!(
        told_late
            .iter()
            .any(|told| told.starts_with("D105 note p: it has spot nodes")),
        "{told_late:?}"
    );
}

#[test]
fn policies_and_pools_that_do_not_fit_each_other_are_told() {
    let patient = Patient::of(
        "pools: [ { id: render, vmSize: standard_d4s_v5, dedicated: 1 }, { id: other, vmSize: standard_d4s_v5, dedicated: 2 } ]",
    );
    let misspelt = FIXED.replace("pool: render", "pool: rendr");
    let wide =
        FIXED.replace("total: [0, 20]", "total: [0, 200], spot: [0, 50]") + "mix: { objective: spotFirst }\n";
    let mut policies = policies(&[&wide, &misspelt]);
    let (account, faults) = read_account(
        "account",
        "version: 1\nkind: account\nquotas: { dedicatedCores: 100, spotCores: 0 }\n",
    );
    assert!(faults.is_empty(), "{faults:?}");
    policies.account = account;
    let report = patient.after(Span::minutes(5)).examined(Some(&policies));
    let told = told(&report);
    assert_eq!(
        told,
        [
            "D304 error render: policy policy0 wants spot nodes, and the account has no cores for them",
            "D301 warning -: policy policy1 speaks of rendr, and no pool is called so",
            "D302 warning other: no policy speaks of it, and it has 2 nodes",
            "D303 warning render: policy policy0 allows 200 dedicated nodes, 800 dedicated cores, and there are 100",
        ]
    );
    assert!(
        report.findings[1].way_out.contains("did you mean render?"),
        "{report:?}"
    );
}

#[test]
fn clocks_that_are_apart_are_told_by_how_much() {
    for (date, expected, told_expected) in [
        ("Sun, 22 Nov 2026 12:00:00 GMT", Outcome::Ok, ""),
        (
            "Sun, 22 Nov 2026 12:02:00 GMT",
            Outcome::Warning,
            "D001 warning -: the clock of this machine is 2m behind the account's",
        ),
        (
            "Sun, 22 Nov 2026 11:30:00 GMT",
            Outcome::Error,
            "D001 error -: the clock of this machine is 29m59s ahead of the account's",
        ),
    ] {
        let account = Account::open();
        account.put(
            "GET /pools",
            vec![Answer::json(200, &json!({ "value": [] })).with("date", date)],
        );
        let report = examined(&client_of(&account.desk), None, &[]);
        assert_eq!(outcome(&report, "clock"), expected, "{date}");
        assert_eq!(told(&report).join("\n"), told_expected, "{date}");
    }
}

#[test]
fn what_is_not_allowed_is_told_with_the_action_that_allows_it() {
    let forbidden = json!({ "code": "InsufficientAccountPermissions", "message": { "value": "no" } });
    let account = Account::open();
    account.put("GET /jobs", vec![Answer::json(403, &forbidden)]);
    let report = examined(&client_of(&account.desk), None, &[]);
    assert_eq!(outcome(&report, "identity"), Outcome::Ok);
    assert_eq!(outcome(&report, "permissions"), Outcome::Error);
    let finding = &report.findings[0];
    assert_eq!((finding.code.0, finding.severity), ("D002", Outcome::Error));
    assert!(finding.what.starts_with("Job - List is refused"), "{finding:?}");
    assert!(
        finding
            .way_out
            .contains("data action Microsoft.Batch/batchAccounts/jobs/read"),
        "{finding:?}"
    );

    let unknown = json!({ "code": "AuthenticationFailed", "message": { "value": "who are you" } });
    let account = Account::open();
    account.put("GET /pools", vec![Answer::json(403, &unknown)]);
    let report = examined(&client_of(&account.desk), None, &[]);
    assert_eq!(outcome(&report, "identity"), Outcome::Error);
    assert_eq!(outcome(&report, "pools"), Outcome::Unknown);
    assert!(
        report.findings[0].way_out.contains("check account name, key"),
        "{report:?}"
    );
}

#[test]
fn retired_things_are_named() {
    let pool = map(json!({
        "id": "old", "state": "active", "allocationState": "steady", "vmSize": "standard_b2ms", "targetLowPriorityNodes": 1,
        "currentLowPriorityNodes": 1, "targetNodeCommunicationMode": "Classic", "certificateReferences": [ { "thumbprint": "aa" } ],
        "cloudServiceConfiguration": { "osFamily": "6" },
    }));
    let account = Account::open();
    account.put("GET /pools", vec![Answer::json(200, &json!({ "value": [pool] }))]);
    account.put(
        "GET /pools/old/nodes",
        vec![Answer::json(200, &json!({ "value": [] }))],
    );
    let report = examined(&client_of(&account.desk), None, &[]);
    let told = told(&report).join("\n");
    for expected in [
        "certificates of the Batch account",
        "cloud services",
        "the classic way",
        "B-series",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn what_ends_soon_is_told_and_nothing_of_it_but_its_end() {
    let account = Account::open();
    let thing = |what: &str, ends: Ends| Expiring {
        what: what.to_owned(),
        ends,
        renewal: "have a new one issued",
        notice: Span::days(21),
    };
    let things = [
        thing("the certificate in tls.crt", Ends::At(noon() + Span::days(3))),
        thing("the signature in queue.sas", Ends::At(noon() - Span::days(1))),
    ];
    let report = examined(&client_of(&account.desk), None, &things);
    assert_eq!(
        told(&report),
        [
            "D402 error -: the signature in queue.sas ended 1d ago, at 2026-11-21T12:00:00.000Z",
            "D401 warning -: the certificate in tls.crt ends in 3 days, at 2026-11-25T12:00:00.000Z",
        ]
    );
}
