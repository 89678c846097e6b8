//! Ledgers: where entries are kept, one JSON object a line.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::engine::RecordError;

/// Keeps lines for good.
pub trait Ledger {
    /// Adds a line, which comes without its line end.
    ///
    /// # Errors
    /// When it is not certain that the line is kept.
    fn append(&mut self, line: &str) -> Result<(), RecordError>;
}

/// A ledger in memory, for simulations and tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    /// The lines, each with its line end.
    pub text: String,
}

impl Ledger for MemoryLedger {
    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        self.text.push_str(line);
        self.text.push('\n');
        Ok(())
    }
}

impl<L: Ledger + ?Sized> Ledger for &mut L {
    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        (**self).append(line)
    }
}

/// A ledger in a file, on the disk before an append returns.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
    /// The bytes of whole lines; what lies behind them is the rest of a line that was not written whole.
    whole_bytes: u64,
}

impl JsonLines {
    /// Opens a ledger or begins one; a last line without its end was never kept, and is dropped.
    ///
    /// # Errors
    /// When the file cannot be opened, read or shortened.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::try_open(path).map_err(|error| RecordError {
            message: format!("the ledger `{}` cannot be opened: {error}", path.display()),
        })
    }

    fn try_open(path: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let whole_bytes = end_of_last_line(&mut file)?;
        file.set_len(whole_bytes)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            whole_bytes,
        })
    }

    fn try_append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.file.metadata()?.len() != self.whole_bytes {
            self.file.set_len(self.whole_bytes)?;
        }
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.whole_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Adds lines, which come without their line ends; after an error none of them counts.
    ///
    /// # Errors
    /// When it is not certain that they are kept.
    pub fn append_all<L: AsRef<str>>(&mut self, lines: &[L]) -> Result<(), RecordError> {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_ref().as_bytes());
            bytes.push(b'\n');
        }
        self.try_append(&bytes).map_err(|error| RecordError {
            message: format!(
                "the ledger `{}` cannot be written, and nothing is ordered until it can: {error}",
                self.path.display()
            ),
        })
    }
}

impl Ledger for JsonLines {
    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        self.append_all(&[line])
    }
}

/// Reads backwards in pieces until a line end is found.
fn end_of_last_line(file: &mut File) -> std::io::Result<u64> {
    let mut piece = vec![0; 64 << 10];
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        let bytes = &mut piece[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_dropped_and_whole_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        for (before, after) in [
            ("", "new\n"),
            ("{\"one\":1}\n", "{\"one\":1}\nnew\n"),
            ("{\"one\":1}\n{\"tw", "{\"one\":1}\nnew\n"),
            ("{\"to", "new\n"),
        ] {
            std::fs::write(&path, before).unwrap();
            JsonLines::open(&path).unwrap().append("new").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after, "{before:?}");
        }
    }

    #[test]
    fn a_long_torn_line_is_found_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::fs::write(&path, "whole\n".to_owned() + &"x".repeat(200_000)).unwrap();
        JsonLines::open(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\n");
    }

    #[test]
    fn what_was_written_in_part_does_not_spoil_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = JsonLines::open(&path).unwrap();
        ledger.append("one").unwrap();
        // As a full disk leaves it.
        std::fs::write(&path, "one\ntw").unwrap();
        ledger.append("three").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\nthree\n");
    }

    #[test]
    fn a_ledger_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = JsonLines::open(folder.path()).unwrap_err();
        assert!(error.message.contains("cannot be opened"), "{error}");
    }
}
