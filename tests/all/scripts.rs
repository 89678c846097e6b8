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
    let lines: Vec<_> = lines.iter().map(line).collect();
    lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

fn run(name: &str, script: &str) -> ScriptReport {
    let no_files = |path: &str| Err(format!("`{path}` is not there"));
    run_script(name, script, &no_files).unwrap()
}

#[test]
fn every_script_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = Vec::new();
    scripts_below(&root.join("tests"), &mut scripts);
    scripts.sort();
    assert!(!scripts.is_empty(), "no script was found below tests/");
    let mut failures = String::new();
    for path in &scripts {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let folder = path.parent().unwrap();
        let load = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| error.to_string());
        let script = fs::read_to_string(path).unwrap();
        match run_script(&name, &script, &load) {
            Ok(report) if report.holds() => {}
            Ok(report) => failures += &plain(&text(&report)),
            Err(faults) => failures += &format!("{name}: {faults:#?}\n"),
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
