//! Tables for notebooks: what is in the CSV is what `-o json` says, and a file is there whole or not at all.
//!
//! `scripts/docs/notebook.sh` reads them, and the same as Parquet, in pandas and `DuckDB`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn lowtide(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .args(words)
        .current_dir(folder)
        .env_remove("LOWTIDE_LEDGER")
        .output()
        .unwrap()
}

/// Runs a command that ends well, and returns what it says as JSON.
fn json(folder: &Path, words: &[&str]) -> Value {
    let output = lowtide(folder, words);
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

type Rows = Vec<BTreeMap<String, String>>;

fn rows(path: &Path) -> Rows {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn inputs(name: &str) -> String {
    format!("{}/tests/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a backtest of the pool and the log of the transcripts, and returns its report.
fn backtest(folder: &Path, more: &str) -> Value {
    let (pool, log) = (inputs("backtest.in/pool.yaml"), inputs("backtest.in/jobs.swf"));
    let words = ["backtest", &pool, "--workload", &log, "-o", "json"];
    json(
        folder,
        &words.into_iter().chain(more.split(' ')).collect::<Vec<_>>(),
    )
}

/// Says that nothing is left of what was begun.
fn nothing_begun(folder: &Path) {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names
        .filter(|name| name.to_string_lossy().ends_with(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn runs_and_their_hours_are_what_the_report_says() {
    let folder = tempfile::tempdir().unwrap();
    let report = backtest(
        folder.path(),
        "--baseline peak,static:1+1 --seeds 2 --bound --table runs.csv --hours hours.csv",
    );
    let runs = report["runs"].as_array().unwrap();
    let told = rows(&folder.path().join("runs.csv"));
    assert_eq!((told.len(), runs.len()), (6, 6));
    for (row, run) in told.iter().zip(runs) {
        assert_eq!(row["policy"], run["policy"].as_str().unwrap());
        assert_eq!(number(row, "seed"), run["seed"].as_f64().unwrap());
        for (column, path) in [
            ("cost_usd", "/cost/total"),
            ("cost_wasted_usd", "/cost/wasted"),
            ("bound_cost_usd", "/boundCost"),
            ("node_hours", "/nodeHours/total"),
            ("idle_node_hours", "/nodeHours/idle"),
            ("wait_p95_s", "/wait/p95"),
            ("delay_max_s", "/delay/max"),
            ("missed_share", "/misses/share"),
            ("completed_tasks", "/tasks/completed"),
            ("under_time_share", "/elasticity/underTime"),
            ("orders", "/orders"),
            ("decisions", "/decisions"),
        ] {
            let said = run.pointer(path).unwrap_or_else(|| panic!("{path} in {run}"));
            assert_eq!(number(row, column), said.as_f64().unwrap(), "{column}");
        }
        let holds = run["holds"].as_object().unwrap().values();
        assert_eq!(
            number(row, "holds"),
            holds.map(|n| n.as_f64().unwrap()).sum::<f64>()
        );
        assert_eq!(
            (&*row["setting"], &*row["due_tasks"]),
            ("", ""),
            "what is not known is left out"
        );
    }
    let hours = rows(&folder.path().join("hours.csv"));
    let of_first: Vec<_> = hours
        .iter()
        .filter(|row| row["policy"] == "pool" && row["seed"] == "0")
        .collect();
    assert_eq!(hours.len(), 6 * of_first.len());
    for (index, row) in of_first.iter().enumerate() {
        assert_eq!(row["hour"], index.to_string());
        assert!(row["at"].ends_with('Z'), "{row:?}");
    }
    let figure = |column: &str| number(of_first[0], column);
    let apart = figure("demand_nodes") - figure("waiting_tasks") - figure("busy_nodes");
    assert!(
        apart.abs() < 1e-9,
        "a task takes a node of this pool: {:?}",
        of_first[0]
    );
    nothing_begun(folder.path());
}

#[test]
fn runs_of_a_sweep_tell_what_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let report = backtest(
        folder.path(),
        "--baseline peak --sweep interval=30s,5m --table runs.csv",
    );
    let told = rows(&folder.path().join("runs.csv"));
    let settings: Vec<&str> = told.iter().map(|row| &*row["setting"]).collect();
    assert_eq!(settings, ["interval=30s", "interval=5m", ""]);
    for (row, point) in told.iter().zip(report["points"].as_array().unwrap()) {
        assert_eq!(number(row, "cost_usd"), point["cost"].as_f64().unwrap());
    }
}

#[test]
fn decisions_of_a_ledger_are_what_its_lines_say() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = inputs("ledger.in/day.jsonl");
    let lines = fs::read_to_string(&ledger).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decided: Vec<_> = (1..)
        .zip(lines)
        .filter(|(_, line)| line["kind"] == "decided")
        .collect();
    let export = [
        "ledger",
        "export",
        "--ledger",
        &ledger,
        "--table",
        "decisions.csv",
    ];
    let output = lowtide(folder.path(), &export);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "19 rows are written to decisions.csv\n"
    );
    let told = rows(&folder.path().join("decisions.csv"));
    assert_eq!(told.len(), decided.len());
    for (row, (number, line)) in told.iter().zip(&decided) {
        let first = &line["steps"][0];
        let last = line["steps"].as_array().unwrap().last().unwrap();
        let expected = [
            ("number", number.to_string()),
            ("at", line["at"].as_str().unwrap().to_owned()),
            ("pool", "render".to_owned()),
            ("policy", "render".to_owned()),
            ("ordered", line["order"].is_object().to_string()),
            ("start_spot", line["target"]["spot"].to_string()),
            ("target_dedicated", last["to"]["dedicated"].to_string()),
            ("nodes_dedicated", line["current"]["dedicated"].to_string()),
            (
                "waiting_tasks",
                line["seen"]["work"]["waiting"]
                    .as_array()
                    .unwrap()
                    .len()
                    .to_string(),
            ),
            ("reason", first["reason"]["code"].as_str().unwrap().to_owned()),
            ("sentence", first["text"].as_str().unwrap().to_owned()),
            ("hold", String::new()),
        ];
        for (column, value) in expected {
            assert_eq!(row[column], value, "{column} of line {number}");
        }
        assert!(self::number(row, "price_dedicated_usd_hourly") > self::number(row, "price_spot_usd_hourly"));
    }
    assert_eq!(told[0]["verdict"], "out");
    let some = [
        "--pool",
        "render",
        "--from",
        "2026-11-30T12:31:00Z",
        "--to",
        "2026-11-30T12:33:00Z",
    ];
    assert!(
        lowtide(folder.path(), &[&export[..], &some].concat())
            .status
            .success()
    );
    let some = rows(&folder.path().join("decisions.csv"));
    assert_eq!(some, told[2..][..some.len()], "a part of the same rows");
    assert_eq!(some.len(), 4);
}

#[test]
fn reports_are_what_they_say_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = inputs("ledger.in/day.jsonl");
    for (what, pairs) in [
        (
            "cost",
            [("total_usd", "total"), ("spot_node_hours", "spotNodeHours")],
        ),
        (
            "savings",
            [("held_usd", "held"), ("all_dedicated_usd", "allDedicated")],
        ),
        ("wait", [("begun_tasks", "tasks"), ("waiting_tasks", "waiting")]),
    ] {
        let said = json(
            folder.path(),
            &[
                "report",
                what,
                "--ledger",
                &ledger,
                "--table",
                "report.csv",
                "-o",
                "json",
            ],
        );
        let told = rows(&folder.path().join("report.csv"));
        assert_eq!(told.len(), 1);
        for (column, key) in pairs {
            let said = said[0].get(key).unwrap_or_else(|| panic!("{key} in {said}"));
            assert_eq!(
                number(&told[0], column),
                said.as_f64().unwrap(),
                "{what} {column}"
            );
        }
    }
}

#[test]
fn names_of_files_say_what_is_written_or_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = inputs("ledger.in/day.jsonl");
    let refused = |name: &str| {
        let output = lowtide(
            folder.path(),
            &["ledger", "export", "--ledger", &ledger, "--table", name],
        );
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for name in ["table", "table.xlsx", ".csv"] {
        assert!(refused(name).contains("name a *.csv or a *.parquet"), "{name}");
    }
    let tune = [
        "tune",
        "pool.yaml",
        "--workload",
        "jobs.swf",
        "--sweep",
        "interval=30s,1m",
        "--hours",
        "hours.csv",
    ];
    let output = lowtide(folder.path(), &tune);
    assert_eq!(output.status.code(), Some(64));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("lowtide backtest --table"),
        "{output:?}"
    );
    if cfg!(not(feature = "parquet")) {
        let said = refused("table.parquet");
        assert!(
            said.contains("name a *.csv") && said.contains("--features parquet"),
            "{said}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_table_that_fails_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let there = |name: &str| folder.path().join(name);
    // What the store takes, and what no engine wrote.
    let line = r#"{"kind":"decided","pool":"a","at":"2026-11-30T12:51:00.000Z"}"#;
    let odd = fs::read_to_string(inputs("ledger.in/day.jsonl")).unwrap() + line + "\n";
    fs::write(there("odd.jsonl"), odd).unwrap();
    fs::write(there("table.csv"), "before\n").unwrap();
    let output = lowtide(
        folder.path(),
        &[
            "ledger",
            "export",
            "--ledger",
            "odd.jsonl",
            "--table",
            "table.csv",
        ],
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("line 38 cannot be read"), "{said}");
    assert_eq!(fs::read_to_string(there("table.csv")).unwrap(), "before\n");
    nothing_begun(folder.path());

    fs::create_dir(there("folder.csv")).unwrap();
    let ledger = inputs("ledger.in/day.jsonl");
    for name in ["folder.csv", "nowhere/table.csv"] {
        let output = lowtide(
            folder.path(),
            &["report", "cost", "--ledger", &ledger, "--table", name],
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("C004") && said.contains(name), "{said}");
        nothing_begun(folder.path());
    }
}
