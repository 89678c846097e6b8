//! Files that hold what a test expects, beside the file that it reads.
//!
//! `LOWTIDE_BLESS=1 cargo test` writes what the tests got; read the difference before it is committed.

use std::path::{Path, PathBuf};

/// Returns the files of a folder below `tests` or the root that have an ending, in order of their names.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        // A policy test is no policy.
        .filter(|path| ending.contains(".test") || !path.to_string_lossy().ends_with(".test.yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no {ending} in {}", folder.display());
    files
}

/// Compares what was got with what the file expects.
pub(crate) fn check(expected: &Path, got: &str) {
    if std::env::var_os("LOWTIDE_BLESS").is_some() {
        std::fs::write(expected, got).unwrap();
    }
    let wanted = std::fs::read_to_string(expected).unwrap_or_default();
    assert!(
        wanted == got,
        "{} differs\n--- expected\n{wanted}\n--- got\n{got}",
        expected.display()
    );
}
