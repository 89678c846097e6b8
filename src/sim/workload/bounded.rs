//! A reader that refuses endless text: a small compressed file can inflate to any size.

use std::io::{self, Read};

/// 1 GiB of text holds ten million job lines of 100 bytes, twice as many as tasks are kept.
pub(super) const BYTES_MAX: u64 = 1 << 30;

/// A job line has 18 fields of at most 20 digits; 16 KiB leave room for comments and further columns.
pub(super) const LINE_MAX: u64 = 16 << 10;

/// Passes bytes on until the text or one of its lines grows past its limit.
#[derive(Debug)]
pub(super) struct Bounded<R> {
    inner: R,
    total: u64,
    line: u64,
    bytes_max: u64,
}

impl<R> Bounded<R> {
    /// Returns a reader of at most [`BYTES_MAX`] bytes in lines of at most [`LINE_MAX`].
    pub(super) const fn new(inner: R) -> Self {
        Self::with_limit(inner, BYTES_MAX)
    }

    const fn with_limit(inner: R, bytes_max: u64) -> Self {
        Self {
            inner,
            total: 0,
            line: 0,
            bytes_max,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.inner.read(buffer)?;
        self.total += n_read as u64;
        if self.total > self.bytes_max {
            return Err(io::Error::other(format!(
                "it holds more than {} bytes of text",
                self.bytes_max
            )));
        }
        for piece in buffer[..n_read].split_inclusive(|byte| *byte == b'\n') {
            self.line += piece.len() as u64;
            if self.line > LINE_MAX {
                return Err(io::Error::other(format!(
                    "one of its lines is longer than {LINE_MAX} bytes"
                )));
            }
            if piece.ends_with(b"\n") {
                self.line = 0;
            }
        }
        Ok(n_read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_and_long_texts_are_refused() {
        let read = |text: &[u8]| Bounded::with_limit(text, 100_000).read_to_end(&mut Vec::new());
        let line = "x".repeat(16_000) + "\n";
        assert!(read(line.repeat(6).as_bytes()).is_ok());
        assert!(
            read(line.repeat(7).as_bytes())
                .unwrap_err()
                .to_string()
                .contains("100000 bytes")
        );
        assert!(
            read("x".repeat(17_000).as_bytes())
                .unwrap_err()
                .to_string()
                .contains("lines")
        );
    }
}
