//! Every formula script below `tests/`, and what the reports of failing ones look like.

use std::fs;
use std::path::{Path, PathBuf};

use lowtide::proof::{Line, ScriptReport, junit, run_script, text};

fn scripts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "test") {
            found.push(path);
        }
    }
}

fn plain(lines: &[Line]) -> String {
    let line = |line: &Line| line.iter().map(|piece| piece.text.as_str()).collect::<String>();
    let lines: Vec<_> = lines
        .iter()
        .map(|told| line(told).trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

fn run(name: &str, script: &str) -> ScriptReport {
    let no_files = |path: &str| Err(format!("`{path}` is not there"));
    run_script(name, script, &no_files).unwrap()
}

#[test]
fn every_script_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = Vec::new();
    // `tests/cli` has scripts that fail on purpose, for the transcripts.
    scripts_below(&root.join("tests/formulas"), &mut scripts);
    scripts_below(&root.join("policies"), &mut scripts);
    scripts.sort();
    assert!(!scripts.is_empty(), "no script was found below tests/formulas");
    let mut failures = Vec::new();
    for path in &scripts {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let folder = path.parent().unwrap();
        let load = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| error.to_string());
        let script = fs::read_to_string(path).unwrap();
        match run_script(&name, &script, &load) {
            Ok(report) if report.holds() => {}
            Ok(report) => failures.push(plain(&text(&report))),
            Err(faults) => failures.push(format!("{name}: {faults:#?}")),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

const FAILING: &str = "\
load 30s from 2016-10-13T19:00:00Z
  $PendingTasks 1 2 _ 4
now 2016-10-13T19:01:45Z
pool targetDedicatedNodes=2
formula \"\"\"
x = avg($PendingTasks.GetSample(TimeInterval_Minute * 2));
$TargetDedicatedNodes = x - 5;
\"\"\"
eval
expect results $TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;x=2.33333;y=1
expect dedicated 0
expect read $PendingTasks [4, 3] of 4
expect no lean F302
eval 1 + time() => 3
";

#[test]
fn a_failure_shows_expected_and_got_and_what_the_run_did() {
    let report = run("sizes.test", FAILING);
    assert_eq!((report.checks.len(), report.failed()), (5, 4));
    let expected = "\
sizes.test:10: results $TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;x=2.33333;y=1
    of        x = avg($PendingTasks.GetSample(TimeInterval_Minute * 2));
      name                      expected   got
    ≠ $TargetDedicatedNodes     2          0
      $TargetLowPriorityNodes   0          0
      $NodeDeallocationOption   requeue    requeue
      x                         2.33333    2.33333
    ≠ y                         1          -
    | line 1: x = 2.3333333333333335
    |   read $PendingTasks.GetSample from 2016-10-13T18:59:45.000Z (PT2M): 3 of 4 [4,2,1]
    |   leans on F302 at 1:32: no samplePercent is given; the service then wants 70 %, which no document says
    | line 2: $TargetDedicatedNodes = -2.6666666666666665
    |   leans on F304 at 2:25: a negative target counts as 0

sizes.test:12: read $PendingTasks [4, 3] of 4
    of        x = avg($PendingTasks.GetSample(TimeInterval_Minute * 2));
    expected  read $PendingTasks [4,3] of 4
    got       read $PendingTasks.GetSample from 2016-10-13T18:59:45.000Z (PT2M): 3 of 4 [4,2,1]
";
    let told = plain(&text(&report));
    assert!(told.starts_with(expected), "{told}");
    assert!(
        told.ends_with("\nFAIL  sizes.test: 4 of 5 expectations failed\n"),
        "{told}"
    );
}

#[test]
fn a_failure_in_junit_names_the_script_the_line_and_both_values() {
    let report = run("a<b>.test", "eval 1 + 1 => 2\neval 1 + 1 => 3\n");
    assert_eq!(
        junit(&[report]),
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"lowtide test\" tests=\"2\" failures=\"1\">
  <testsuite name=\"a&lt;b&gt;.test\" tests=\"2\" failures=\"1\">
    <testcase classname=\"a&lt;b&gt;.test\" name=\"line 1: 2\"/>
    <testcase classname=\"a&lt;b&gt;.test\" name=\"line 2: 3\">
      <failure message=\"expected 3, got 2\">of        1 + 1&#10;expected  3&#10;got       2&#10;line 1: 2</failure>
    </testcase>
  </testsuite>
</testsuites>
"
    );
}

#[test]
fn a_formula_in_a_file_comes_from_the_loader() {
    let load = |path: &str| match path {
        "sizes.formula" => Ok("$TargetDedicatedNodes = 3;".to_owned()),
        other => Err(format!("there is no {other}")),
    };
    let script = "formula from \"sizes.formula\"\neval\nexpect dedicated 3\n";
    assert!(run_script("one.test", script, &load).unwrap().holds());
    let faults = run_script("two.test", &script.replace("sizes", "other"), &load).unwrap_err();
    assert_eq!(faults[0].code.0, "T012");
    assert_eq!(
        faults[0].message,
        "`other.formula` cannot be read: there is no other.formula"
    );
}
