//! `eval --jsonl -` as a program meets it: whatever goes in, every line is answered, in turn.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use proptest::prelude::*;
use serde_json::Value;

fn start() -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lowtide"));
    command.args(["eval", "--jsonl", "-"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn answers(input: &[u8]) -> Vec<Value> {
    let mut child = start();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn request(formula: &str) -> String {
    let inputs = serde_json::json!({ "now": "2016-10-13T19:18:47.805Z" });
    serde_json::json!({ "formula": formula, "inputs": inputs }).to_string()
}

#[test]
fn a_program_can_ask_and_listen_in_turns() {
    let mut child = start();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for nodes in 0..3 {
        // The beginning of the next question must not hold back the answer to this one.
        let question = request(&format!("$TargetDedicatedNodes = {nodes};"));
        stdin.write_all(format!("{question}\n ").as_bytes()).unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(
            answer.contains(&format!("$TargetDedicatedNodes={nodes};")),
            "{answer}"
        );
    }
    drop(stdin);
    child.wait().unwrap();
}

#[test]
fn huge_deep_and_broken_lines_are_answered_like_any_other() {
    let huge = format!("{{\"formula\": \"{}\"}}", " ".repeat(40 << 20));
    let deep = "[".repeat(200_000);
    let nested = request(&"(".repeat(8000));
    let text = [
        &huge,
        &deep,
        &nested,
        "\0",
        "\u{feff}{}",
        &request("$TargetDedicatedNodes = 1;"),
    ]
    .join("\n");
    let codes: Vec<_> = answers(text.as_bytes())
        .iter()
        .map(|answer| answer["error"]["code"].as_str().map(str::to_owned))
        .collect();
    let expected = [
        Some("LineTooLong"),
        Some("InvalidLine"),
        Some("AutoScalingFormulaSyntaxError"),
        Some("InvalidLine"),
        Some("InvalidLine"),
        None,
    ];
    assert_eq!(codes, expected.map(|code| code.map(str::to_owned)));
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        "[ -~]{0,40}".prop_map(|formula| request(&formula).into_bytes()),
        "[$a-z0-9.,;()*/+ -]{0,40}".prop_map(|formula| request(&formula).into_bytes()),
        Just(Vec::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn there_are_as_many_answers_as_lines(lines in proptest::collection::vec(line(), 0..60)) {
        let input = lines.join(&b'\n');
        let answers = answers(&input);
        prop_assert_eq!(answers.len(), input.split_inclusive(|byte| *byte == b'\n').count());
        for answer in answers {
            prop_assert!(answer.is_object() && answer.get("error").is_some());
            prop_assert_ne!(&answer["error"]["code"], "InternalError");
        }
    }
}
