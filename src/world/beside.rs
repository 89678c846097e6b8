//! A file that is written beside its place, and takes it whole or goes: who reads it meanwhile reads the one before, and a full disk
//! leaves that.
//!
//! ```text
//! begin ─► .FILE.PROCESS.new ─► … ─► take_place: on the disk, and FILE in place of what was there
//!                 └─ dropped before: it goes, FILE stays as it was
//! ```

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that is begun; dropped before it takes its place, it goes.
#[derive(Debug)]
pub struct Beside {
    place: PathBuf,
    at: PathBuf,
}

/// So many names are tried. One is taken where a process was killed that had the same number, as the first of a container has.
const NAMES_MAX: u32 = 100;

impl Beside {
    /// Begins a file beside its place; what a link leads to is replaced, and not the link.
    ///
    /// # Errors
    /// When the place holds something else than a file, or none can be written beside it.
    pub fn begin(place: &Path) -> io::Result<(Self, File)> {
        let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let there = fs::metadata(&place).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        for number in 0..NAMES_MAX {
            let at = place.with_file_name(name(&place, number));
            let file = match File::create_new(&at) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other?,
            };
            let begun = Self { place, at };
            if let Some(there) = there {
                // Who may read it is as before.
                fs::set_permissions(&begun.at, there.permissions())?;
            }
            return Ok((begun, file));
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "what was begun before stands beside it; remove that",
        ))
    }

    /// Has the file take its place, once it is on the disk.
    ///
    /// # Errors
    /// When it cannot; what was there stays.
    pub fn take_place(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.at, &self.place)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It is gone where it took its place; otherwise nothing is lost when it stays.
        let _ = fs::remove_file(&self.at);
    }
}

/// Returns a name that no other process gives, and that none looks at who lists a folder.
fn name(place: &Path, number: u32) -> OsString {
    let mut name = OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    if number > 0 {
        name.push(format!("-{number}"));
    }
    name.push(".new");
    name
}

/// Replaces a file, or makes it where there is none.
///
/// # Errors
/// When it cannot be written; what was there stays.
pub fn replace_file(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let (begun, mut file) = Beside::begin(place)?;
    file.write_all(bytes)?;
    begun.take_place(&file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_what_a_link_leads_to_stays_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("page.html"), folder.path().join("link.html"));
        replace_file(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        replace_file(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["link.html", "page.html"]);
    }

    #[test]
    fn what_does_not_take_its_place_goes_and_what_somebody_keeps_beside_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.csv");
        fs::write(&file, "before").unwrap();
        fs::write(folder.path().join("runs.csv.new"), "somebody's").unwrap();
        let (first, _) = Beside::begin(&file).unwrap();
        // A second one of the same process, and the first was not closed well.
        let (second, mut written) = Beside::begin(&file).unwrap();
        written.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 4);
        drop((first, second));
        assert_eq!(names(folder.path()), ["runs.csv", "runs.csv.new"]);
        assert_eq!(fs::read(&file).unwrap(), b"before");
        let theirs = fs::read(folder.path().join("runs.csv.new")).unwrap();
        assert_eq!(theirs, b"somebody's");
    }

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |place: &Path| replace_file(place, b"").unwrap_err().to_string();
        assert_eq!(refused(folder.path()), "it is a directory");
        assert_eq!(refused(Path::new("/dev/null")), "it is no file");
        replace_file(&folder.path().join("none/page.html"), b"").unwrap_err();
        assert!(names(folder.path()).is_empty());
    }
}
