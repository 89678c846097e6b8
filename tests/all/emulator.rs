//! Scripts of requests to a local account (`tests/emulator/*.yaml`): time passes, a request is made, an answer is expected.
//!
//! A step has `after` (time passes first), `ask` (`POST /pools`), `body`, `ifMatch`, `status`, `code` (of a refusal), `has`
//! (what the body must hold: of objects the named keys, of lists every item; a text `~part` must be contained) and `keep`
//! (names for parts of the body, by JSON pointer; `${name}` stands for them later).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lowtide::base::{Span, Timestamp};
use lowtide::emulator::answer::{Answer, Refused};
use lowtide::emulator::asked::{Asked, Condition};
use lowtide::emulator::{Desk, Scenario, Setup};
use lowtide::sim::SpotMarket;
use lowtide::sim::workload::TaskRecipe;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Step {
    #[serde(default)]
    after: Option<Span>,
    #[serde(default)]
    ask: Option<String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    if_match: Option<String>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    has: Option<Value>,
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

pub(crate) fn start() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

/// Asks as a client does, without the wire in between.
pub(crate) fn ask(
    desk: &mut Desk,
    line: &str,
    body: &str,
    if_match: Option<&str>,
) -> Result<Answer, Refused> {
    let (method, address) = line.split_once(' ').unwrap();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let asked = Asked {
        method: method.parse().unwrap(),
        base: "http://desk".to_owned(),
        path: path.to_owned(),
        query: pairs
            .map(|(name, value)| (name.to_owned(), value.replace('+', " ")))
            .collect(),
        api_version: "2025-06-01".to_owned(),
        condition: if_match.map(|version| Condition::Match(version.to_owned())),
        ..Asked::default()
    };
    desk.answer(&asked, body.as_bytes())
}

fn holds(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, value)| holds(value, found.get(key).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| holds(wanted, found))
        }
        (Value::String(wanted), Value::String(found)) => match wanted.strip_prefix('~') {
            Some(part) => found.contains(part),
            None => *wanted == found.replace(".000Z", "Z"),
        },
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        _ => wanted == found,
    }
}

/// Opens the account of a script: by the scenario beside it (`x.scenario.yaml`), with the spot market beside it (`x.spot.csv`).
fn open(path: &Path) -> Desk {
    let Ok(text) = fs::read_to_string(path.with_extension("scenario.yaml")) else {
        return Desk::new(Setup::at(start()));
    };
    let scenario = Scenario::parse(&text).unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()));
    let spot = fs::read_to_string(path.with_extension("spot.csv")).map_or(SpotMarket::Unlimited, |text| {
        SpotMarket::read("spot", &text).unwrap()
    });
    let workload = scenario.workload().map(|recipe| {
        let recipe: TaskRecipe = recipe.trim_start_matches("generate:").parse().unwrap();
        recipe.make()
    });
    let setup = scenario.setup(start(), spot, workload);
    Desk::open(setup, &scenario, &text).unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()))
}

/// Plays a script; with `restarts`, every step is answered by an account that was just read from its state file.
fn play(path: &Path, restarts: bool) {
    let text = fs::read_to_string(path).unwrap();
    let steps: Vec<Step> =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut desk = open(path);
    let setup = desk.setup().clone();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (number, step) in (1..).zip(steps) {
        if restarts {
            desk = Desk::restore(&desk.state(), |_| setup.clone()).unwrap();
        }
        let place = format!("{}, step {number}: {:?}", path.display(), step.ask);
        if let Some(after) = step.after {
            let to = desk.now() + after;
            desk.advance(to);
        }
        let Some(line) = &step.ask else { continue };
        let filled = |text: &str| {
            let each = names.iter();
            each.fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("${{{name}}}"), value)
            })
        };
        let body = step
            .body
            .as_ref()
            .map_or(String::new(), |body| filled(&body.to_string()));
        let if_match = step.if_match.as_deref().map(filled);
        let answer = ask(&mut desk, &filled(line), &body, if_match.as_deref());
        let (status, code, found) = match answer {
            Ok(answer) => (answer.status, None, answer.body.unwrap_or(Value::Null)),
            Err(refused) => (
                refused.status,
                Some(refused.code),
                serde_json::json!(refused.values),
            ),
        };
        assert_eq!(
            (Some(status), code),
            (step.status, step.code.as_deref()),
            "{place}: {found:#}"
        );
        if let Some(wanted) = &step.has {
            let wanted: Value = serde_json::from_str(&filled(&wanted.to_string())).unwrap();
            assert!(holds(&wanted, &found), "{place}: {found:#} lacks {wanted:#}");
        }
        for (name, pointer) in &step.keep {
            let kept = found
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{place}: no {pointer}"));
            names.insert(
                name.clone(),
                kept.as_str().map_or(kept.to_string(), str::to_owned),
            );
        }
    }
}

#[test]
fn scripts_are_answered_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let is_scenario = path
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy().contains('.'));
            path.extension().is_some_and(|extension| extension == "yaml") && !is_scenario
        })
        .collect();
    paths.sort();
    assert!(paths.len() > 4);
    for path in paths {
        play(&path, false);
        play(&path, true);
    }
}

#[test]
fn a_state_file_that_cannot_be_used_says_why() {
    let refuse = |text: &str| Desk::restore(text, Setup::at).unwrap_err().to_string();
    assert!(refuse("{").contains("move the file away"));
    assert!(refuse("{\"format\": 2}").contains("reads format 1"));
    let mut desk = Desk::new(Setup::at(start()));
    let pool = r#"{"id": "p", "vmSize": "standard_d2s_v5", "targetDedicatedNodes": 1}"#;
    ask(&mut desk, "POST /pools", pool, None).unwrap();
    ask(
        &mut desk,
        "POST /jobs",
        r#"{"id": "j", "poolInfo": {"poolId": "p"}}"#,
        None,
    )
    .unwrap();
    ask(
        &mut desk,
        "POST /jobs/j/tasks",
        r#"{"id": "t", "commandLine": "sleep 99"}"#,
        None,
    )
    .unwrap();
    desk.advance(start() + Span::minutes(5));
    let state = desk.state();
    let free = state.replace("\"free\":0", "\"free\":1");
    assert_ne!(free, state);
    assert!(refuse(&free).contains("do not add up"), "{}", refuse(&free));
    let lost = state.replace("\"tasks\":[{\"job\":2,\"task\":0}]", "\"tasks\":[]");
    assert_ne!(lost, state);
    assert!(refuse(&lost).contains("contradicts itself"));
}
