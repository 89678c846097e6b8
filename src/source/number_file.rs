//! A file that holds a number, which is as old as the file.

use std::io::Read as _;
use std::path::Path;

use super::number;
use crate::base::{Span, Timestamp};
use crate::signal::{Found, Lack};

/// Reads the number in a file below a folder; returns it with when the file was written.
pub(super) fn read(folder: &Path, path: &str, now: Timestamp) -> (Timestamp, Found) {
    let file = match std::fs::File::open(folder.join(path)) {
        Ok(file) => file,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return (now, Found::Lacking(Lack::Absent)),
        Err(why) => return (now, fault(&why)),
    };
    let written = match file.metadata() {
        Ok(facts) if facts.is_file() => facts.modified(),
        Ok(_) => {
            let why = "it is no regular file".to_owned();
            return (now, Found::Lacking(Lack::Fault(why)));
        }
        Err(why) => Err(why),
    };
    let mut text = Vec::new();
    let read = file.take(number::BYTES_MAX).read_to_end(&mut text);
    match (written, read) {
        (Ok(written), Ok(_)) => (instant(written), number::read(&text)),
        (Err(why), _) | (_, Err(why)) => (now, fault(&why)),
    }
}

fn fault(why: &std::io::Error) -> Found {
    Found::Lacking(Lack::Fault(why.to_string()))
}

fn instant(time: std::time::SystemTime) -> Timestamp {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_seconds(0) + Span::from_seconds(since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_the_number_is_the_age_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        assert_eq!(read(folder.path(), "depth", now).1, Found::Lacking(Lack::Absent));
        let path = folder.path().join("depth");
        std::fs::write(&path, "12\n").unwrap();
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
        let (taken, found) = read(folder.path(), "depth", now);
        assert_eq!(
            (taken, found),
            (Timestamp::from_unix_seconds(1_700_000_000), Found::Value(12.0))
        );
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let (_, found) = read(folder.path(), "folder", now);
        assert!(matches!(found, Found::Lacking(Lack::Fault(_))), "{found:?}");
    }
}
