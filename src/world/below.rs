//! The files under a folder, in the order of their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How deep folders are searched; more is a loop of links or a mistake.
const DEPTH_MAX: usize = 32;

/// Adds the files under a folder that are wanted, in the order of their names; what begins with a dot is not looked at, which is
/// how a mounted folder is exchanged as a whole.
///
/// # Errors
/// With the folder that cannot be listed; what was found before is there.
pub fn files_below(
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    into: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    walk(folder, 0, wanted, into)
}

fn walk(
    folder: &Path,
    depth: usize,
    wanted: &dyn Fn(&Path) -> bool,
    into: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| (folder.to_owned(), error))?;
    let mut paths: Vec<_> = entries
        .into_iter()
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() && depth < DEPTH_MAX {
            walk(&path, depth + 1, wanted, into)?;
        } else if wanted(&path) {
            into.push(path);
        }
    }
    Ok(())
}

/// Says whether a file's name is that of a policy: it ends in `.yaml` or `.yml` and not in `.test.yaml`.
pub fn is_policy(path: &Path) -> bool {
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    let is_test = path
        .file_stem()
        .is_some_and(|stem| stem.as_encoded_bytes().ends_with(b".test"));
    is_yaml && !is_test
}
