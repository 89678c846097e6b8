//! Reports as pages: what they tell is what the terminal and `-o json` tell, following changes nothing, and no text becomes markup.

use std::sync::Arc;

use lowtide::page::{
    Asked, Compared, Courses, Data, FOLLOW, Looked, RUNS_MAX, html, of_comparison, of_ledger, of_report,
};
use lowtide::sim::bound::{Ask, Tolerance};
use lowtide::sim::compare::{Case, Terms, compare};
use lowtide::sim::workload::Workload;
use lowtide::sim::{Cells, Contender, Options, Report, SpotMarket, backtest, demo, follow};
use lowtide::store::Store;
use lowtide::store::report::Stretch;
use serde_json::Value;

use crate::store;

fn options(seeds: Vec<u64>) -> Options {
    Options {
        seeds,
        spot: lowtide::sim::SpotMarket::modelled("az20").unwrap().unwrap(),
        follow: Some(FOLLOW),
        ..demo::options()
    }
}

fn run(contenders: &[Contender], workload: &Arc<Workload>, options: &Options) -> Report {
    backtest(contenders, workload, options, &|_| {}).unwrap()
}

fn page(contenders: &[Contender], workload: &Workload, options: &Options, report: &Report) -> Data {
    let asked = Asked {
        command: "lowtide backtest".to_owned(),
        contenders,
        workload,
        options,
        spot: None,
        sweep: Vec::new(),
    };
    of_report(&asked, report)
}

/// The data of a page, as its script reads it.
fn data(page: &str) -> Value {
    let (_, rest) = page
        .split_once(r#"<script type="application/json" id="data">"#)
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn to_follow_a_run_changes_nothing_of_it_and_the_page_tells_its_figures() {
    let (contenders, workload) = (demo::contenders(), demo::workload());
    let followed = options(vec![3, 4]);
    let alone = Options {
        follow: None,
        ..followed.clone()
    };
    let report = run(&contenders, &workload, &followed);
    let plain = run(&contenders, &workload, &alone);
    let figures = serde_json::to_value(&plain.runs).unwrap();
    assert_eq!(serde_json::to_value(&report.runs).unwrap(), figures);
    let told = data(&html(&page(&contenders, &workload, &followed, &report), ""));
    for shown in told["runs"].as_array().unwrap() {
        let same = |run: &&Value| run["policy"] == shown["name"] && run["seed"] == shown["seed"];
        let run = figures.as_array().unwrap().iter().find(same).unwrap();
        assert_eq!(shown["figures"], *run);
    }
    assert_eq!(told["sheets"][0]["rows"].as_array().unwrap().len(), 6);
    assert_eq!(told["runs"].as_array().unwrap().len(), 6);
    assert_eq!(told["runsLeftOut"], 0);
}

#[test]
fn a_course_adds_up_to_the_bill_the_hours_and_the_evictions() {
    let (contenders, workload) = (demo::contenders(), demo::workload());
    let report = run(&contenders, &workload, &options(vec![3]));
    for run in &report.runs {
        let followed = run.followed.as_ref().unwrap();
        let points = &followed.course.points;
        let end = lowtide::sim::end(&workload, Options::default().tail);
        let whole = end.since(followed.course.start);
        assert!(points.len() <= FOLLOW.points);
        let last = whole - followed.course.step.scale((points.len() - 1) as f64);
        let hours = |place: usize| {
            if place + 1 == points.len() {
                last
            } else {
                followed.course.step
            }
            .as_hours()
        };
        let sum = |value: fn(&lowtide::sim::cluster::CoursePoint) -> f64| -> f64 {
            points
                .iter()
                .enumerate()
                .map(|(place, point)| value(point) * hours(place))
                .sum()
        };
        let close =
            |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{}: {one} {other}", run.policy);
        close(points.last().unwrap().cost.0, run.cost.total.0);
        close(sum(|point| point.dedicated), run.node_hours.dedicated);
        close(sum(|point| point.spot), run.node_hours.spot);
        close(sum(|point| point.starting), run.node_hours.starting);
        close(sum(|point| point.idle), run.node_hours.idle);
        assert_eq!(
            points.iter().map(|point| point.evictions).sum::<u32>(),
            run.evictions
        );
        assert!(followed.waits.is_sorted() && followed.waits.last() == Some(&1.0));
    }
    let turns = &report.runs[1].followed.as_ref().unwrap().turns;
    assert!(turns.n_all > 10 && turns.kept.len() as u64 == turns.n_all.min(FOLLOW.turns as u64));
    assert!(turns.kept.iter().all(|turn| !turn.steps.is_empty()));
    assert!(turns.kept.is_sorted_by_key(|turn| turn.at));
}

#[test]
fn the_same_inputs_make_the_same_page_and_a_run_is_followed_alike_by_itself() {
    let (contenders, workload, options) = (demo::contenders(), demo::workload(), options(vec![3, 4]));
    let first = run(&contenders, &workload, &options);
    let second = run(&contenders, &workload, &options);
    let made = |report: &Report| html(&page(&contenders, &workload, &options, report), "plain");
    assert_eq!(made(&first), made(&second));
    let alone = follow(&contenders, &workload, &options, &[(1, 4)]).unwrap();
    assert_eq!(alone[0], first.runs[3].followed);
}

#[test]
fn a_page_has_a_bounded_number_of_runs_and_says_how_many_are_left_out() {
    let (contenders, workload) = (demo::contenders(), demo::workload());
    let options = Options {
        follow: None,
        ..options((0..10).collect())
    };
    let report = run(&contenders[2..], &workload, &options);
    let many = Report {
        runs: (0..4).flat_map(|_| report.runs.clone()).collect(),
        wall_seconds: 0.0,
    };
    let four: Vec<_> = (0..4).map(|_| contenders[2].clone()).collect();
    let page = page(&four, &workload, &options, &many);
    assert_eq!((page.runs.len(), page.runs_left_out), (RUNS_MAX, 40 - RUNS_MAX));
    assert_eq!(page.points.len(), 4);
}

#[test]
fn a_name_stays_a_name_whatever_stands_in_it() {
    const NAME: &str = "</script><script>alert(1)</script><!-- & \" '";
    let workload = demo::workload();
    let Contender::Policy(mut policy) = demo::contenders().remove(1) else {
        panic!("the second contender is the policy")
    };
    policy.name = NAME.into();
    let contenders = [Contender::Policy(policy)];
    let workload = Arc::new(Workload {
        name: NAME.to_owned(),
        ..(*workload).clone()
    });
    let options = options(vec![0]);
    let report = run(&contenders, &workload, &options);
    let text = html(&page(&contenders, &workload, &options, &report), NAME);
    assert_eq!(text.matches("<script").count(), 3, "look, data and script");
    assert_eq!(text.matches("</script>").count(), 3);
    assert!(!text.contains("<!--") && !text.contains("<script>alert"));
    let told = data(&text);
    assert_eq!(told["runs"][0]["name"], NAME);
    assert_eq!(told["title"], format!("Backtest: {NAME}"));
}

#[test]
fn a_page_of_a_ledger_adds_up_to_its_costs() {
    let ledger = Store::in_memory();
    for line in store::day() {
        ledger.keep(&line).unwrap();
    }
    let stretch = Stretch::default();
    let costs = ledger.cost(&stretch).unwrap();
    let mut courses = Courses::new(&costs);
    ledger
        .each_held(&stretch, &mut |held| courses.held(&held))
        .unwrap();
    ledger
        .walk(&stretch.decisions(), &mut |found| {
            courses.line(found.pool.as_ref().unwrap(), &found.line);
        })
        .unwrap();
    let told = data(&html(&of_ledger(Looked::default(), Vec::new(), courses), ""));
    let pool = &told["runs"][0];
    let column = |name: &str| pool[name].as_array().unwrap();
    let cost = column("cost").last().unwrap().as_f64().unwrap();
    assert!(
        (cost - costs[0].total.0).abs() < 1e-3,
        "{cost} {}",
        costs[0].total
    );
    let dear = column("allDedicated").last().unwrap().as_f64().unwrap();
    assert!(dear >= cost);
    assert!(column("demand").iter().any(|demand| demand.as_f64() > Some(1.0)));
    let turns = column("turns");
    assert!(!turns.is_empty() && turns.iter().all(|turn| turn["steps"][0]["text"].is_string()));
    for name in [
        "dedicated",
        "spot",
        "starting",
        "idle",
        "preempted",
        "demand",
        "waiting",
        "evictions",
    ] {
        assert_eq!(column(name).len(), column("cost").len(), "{name}");
    }
}

#[test]
fn a_page_of_a_comparison_tells_what_its_rows_tell() {
    let market = |name| SpotMarket::modelled(name).unwrap().unwrap();
    let workload = demo::workload();
    let mut contenders = demo::contenders();
    contenders.truncate(2);
    for bound in [Ask::AllOnTime, Ask::No] {
        let cases: Vec<Case> = ["az5", "az20"]
            .map(|name| Case {
                workload: Arc::clone(&workload),
                options: Options {
                    spot: market(name),
                    bound,
                    ..demo::options()
                },
                price_ratio: 0.2,
            })
            .into();
        let tolerance = Tolerance {
            tasks: 0.05,
            work: 0.1,
        };
        let terms = Terms {
            tolerance,
            against: None,
        };
        let compared = compare(&contenders, &cases, terms, &|| {}).unwrap();
        let asked = Compared {
            command: "lowtide compare".to_owned(),
            contenders: &contenders,
            cases: &cases,
            tolerance,
            notes: vec!["a < b".to_owned()],
        };
        let cells = || Cells {
            head: vec!["contender".to_owned()],
            ..Cells::default()
        };
        let page = || html(&of_comparison(&asked, &compared, cells(), cells()), "");
        assert_eq!(page(), page());
        let told = data(&page());
        assert_eq!(told["notes"][0], "a < b");
        let over = if bound == Ask::No {
            contenders[1].name()
        } else {
            "bound".to_owned()
        };
        assert_eq!(told["cases"]["over"], over);
        for (case, rows) in compared.rows.chunks(2).enumerate() {
            for (contender, row) in rows.iter().enumerate() {
                let ratio = row.cost_to_bound.or_else(|| {
                    let ratio = row.cost / rows[1].cost;
                    (bound == Ask::No && row.met).then_some(ratio)
                });
                let shown = told["cases"]["ratios"][contender][case].as_f64();
                let is_same = match (ratio, shown) {
                    (Some(ratio), Some(shown)) => (ratio - shown).abs() < 1e-4,
                    (ratio, shown) => ratio.is_none() && shown.is_none(),
                };
                assert!(is_same, "{}: {ratio:?} {shown:?}", row.contender);
            }
        }
        for point in told["points"].as_array().unwrap() {
            let summary = compared
                .summaries
                .iter()
                .find(|summary| point["name"] == *summary.contender)
                .unwrap();
            if let Some(mean) = summary.mean {
                assert!((point["cost"].as_f64().unwrap() - mean).abs() < 1e-9);
            }
        }
    }
}
