//! The workloads and the spot markets that the command line names, files and what is in folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::exit::Failure;
use super::super::{files, wiring};
use crate::sim::SpotMarket;
use crate::sim::workload::{JobShape, ReadOptions, Workload};

/// Reads `surf=1`: the slots of nodes for logs with a part in their names.
pub(super) fn parse_slots(text: &str) -> Result<(String, u32), String> {
    text.split_once('=')
        .and_then(|(name, slots)| {
            let slots = slots
                .trim()
                .parse()
                .ok()
                .filter(|slots| (1..=256).contains(slots))?;
            Some((name.trim().to_owned(), slots)).filter(|(name, _)| !name.is_empty())
        })
        .ok_or_else(|| "write a part of the log's name and 1 to 256 slots, such as lcg=4".to_owned())
}

/// Slots of a node where every job holds one core, as in the reference study.
const SLOTS_FOR_SINGLE_CORES: u32 = 4;

/// Reads the logs, each with the slots of a node; a job is a task of one slot.
pub(super) fn workloads(
    paths: &[PathBuf],
    part: &ReadOptions,
    slots: &[(String, u32)],
    notes: &mut Vec<String>,
) -> Result<Vec<(Arc<Workload>, u32)>, Failure> {
    // One slot for each core tells the cores.
    let options = ReadOptions {
        shape: JobShape::Slots { cores_per_slot: 1 },
        ..*part
    };
    let mut found = Vec::new();
    for path in paths {
        let is_folder = path.is_dir();
        let names = if is_folder {
            logs(&files::expand(std::slice::from_ref(path), is_log)?, notes)
        } else {
            vec![path.clone()]
        };
        for name in names {
            let read = wiring::read_workload(&name.display().to_string(), &options);
            let mut workload = match read {
                Ok(workload) => workload,
                Err(_) if is_folder => {
                    notes.push(format!("{} is no job log", name.display()));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            if !name.to_string_lossy().starts_with("generate:") {
                workload.name = label(&name);
            }
            let single = workload.tasks.iter().all(|task| task.slots == 1);
            for task in &mut workload.tasks {
                task.slots = 1;
            }
            let of_name = slots
                .iter()
                .find(|(part, _)| workload.name.contains(part.as_str()));
            let per_node = of_name.map_or(if single { SLOTS_FOR_SINGLE_CORES } else { 1 }, |(_, slots)| {
                *slots
            });
            notes.push(format!(
                "{}: {} tasks, {:.0} node-hours, {per_node} to a node; left out: {}",
                workload.name,
                workload.tasks.len(),
                workload.slot_hours() / f64::from(per_node),
                workload.left_out
            ));
            found.push((Arc::new(workload), per_node));
        }
    }
    Ok(found)
}

/// Reads the markets, and names those that are made up.
pub(super) fn markets(names: &[PathBuf], notes: &mut Vec<String>) -> Result<Vec<SpotMarket>, Failure> {
    let mut found = Vec::new();
    for name in names {
        if !name.is_dir() {
            found.push(wiring::read_market(&name.display().to_string())?);
            continue;
        }
        for file in files::expand(std::slice::from_ref(name), is_table)? {
            match wiring::read_market(&file.display().to_string()) {
                Ok(market) => found.push(market),
                Err(_) => notes.push(format!("{} is no spot market", file.display())),
            }
        }
    }
    Ok(found)
}

fn is_log(path: &Path) -> bool {
    is_table(path) || ends(path, ".swf")
}

fn is_table(path: &Path) -> bool {
    ends(path, ".csv")
}

fn ends(path: &Path, ending: &str) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| name.strip_suffix(".gz").unwrap_or(&name).ends_with(ending))
}

/// Returns the files of folders, without the original of a log that stands beside its table.
fn logs(files: &[PathBuf], notes: &mut Vec<String>) -> Vec<PathBuf> {
    let table_beside = |path: &Path| {
        let is_beside = |other: &&PathBuf| other.parent() == path.parent() && is_table(other);
        files.iter().find(is_beside)
    };
    let mut kept = Vec::new();
    for file in files {
        match table_beside(file).filter(|_| !is_table(file)) {
            Some(table) => notes.push(format!(
                "{} is taken for the original of {} and left out",
                file.display(),
                table.display()
            )),
            None => kept.push(file.clone()),
        }
    }
    kept
}

/// Returns a short name: the folder's where the file is called after what it holds.
fn label(path: &Path) -> String {
    let name = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let file = name(path.file_name()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or(&file).to_owned();
    match stem.as_str() {
        "tasks" | "vms" | "jobs" => name(path.parent().and_then(Path::file_name)).unwrap_or(stem),
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_called_after_their_folder_when_their_own_name_says_nothing() {
        assert_eq!(label(Path::new("data/surf/tasks.csv.gz")), "surf");
        assert_eq!(label(Path::new("data/surf/NASA-1993.swf.gz")), "NASA-1993");
        assert_eq!(label(Path::new("tasks.csv")), "tasks");
        assert_eq!(label(Path::new("builtin:ci-day")), "builtin:ci-day");
    }

    #[test]
    fn an_original_beside_its_table_is_left_out_and_told() {
        let mut notes = Vec::new();
        let files = ["a/log.swf.gz", "a/tasks.csv", "b/log.swf"].map(PathBuf::from);
        let kept = logs(&files, &mut notes);
        assert_eq!(kept, ["a/tasks.csv", "b/log.swf"].map(PathBuf::from));
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn slots_go_by_a_part_of_the_name() {
        assert_eq!(parse_slots("lcg=4"), Ok(("lcg".to_owned(), 4)));
        for wrong in ["lcg", "=4", "lcg=0", "lcg=257", "lcg=x"] {
            assert!(parse_slots(wrong).is_err(), "{wrong}");
        }
    }
}
