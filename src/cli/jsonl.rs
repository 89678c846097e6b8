//! Many evaluations: a line of JSON in, a line of JSON out, whatever comes in.
//!
//! Every line is answered, in order: what cannot be read is answered with an `error`. Answers are handed on as soon as no
//! further line is waiting, so that a program can ask and listen in turns; while lines are waiting they are collected,
//! so that a file goes through quickly. Formulas are compiled once and kept.

use std::io::{self, BufRead, BufReader, Read, Write};

/// A longer line is answered with an error and its rest is skipped. The longest sensible line holds a formula of 8 KB and
/// a year of samples of a few metrics, which is a few megabytes.
pub(super) const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A line as it came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Its bytes, without the line end.
    Whole(&'a [u8]),
    /// It is longer than the limit.
    TooLong,
}

/// Answers every line of `input` on `output`.
///
/// A line ends in LF or at the end of the input; a CR before the LF belongs to the line end.
pub(super) fn answer_lines(
    input: &mut BufReader<impl Read>,
    output: &mut impl Write,
    limit: usize,
    mut answer: impl FnMut(Line<'_>) -> String,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let Some(whole) = read_line(input, output, &mut line, limit)? else {
            return output.flush();
        };
        let line = if whole {
            Line::Whole(line.strip_suffix(b"\r").unwrap_or(&line))
        } else {
            Line::TooLong
        };
        let mut text = answer(line);
        assert!(!text.contains('\n'), "an answer is one line");
        text.push('\n');
        output.write_all(text.as_bytes())?;
    }
}

/// Reads up to and including the next LF; returns whether the line kept within the limit, or `None` at the end.
fn read_line(
    input: &mut BufReader<impl Read>,
    output: &mut impl Write,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Option<bool>> {
    let mut whole = true;
    let mut any = false;
    loop {
        if input.buffer().is_empty() {
            // Reading may wait for whoever reads the answers.
            output.flush()?;
        }
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        if line.len() + part.len() > limit {
            whole = false;
        } else if whole {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines_of(input: &[u8], limit: usize) -> Vec<String> {
        let mut output = Vec::new();
        let mut reader = io::BufReader::with_capacity(7, input);
        answer_lines(&mut reader, &mut output, limit, |line| format!("{line:?}")).unwrap();
        String::from_utf8(output)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_line_is_answered_in_order() {
        let whole = |text: &str| format!("{:?}", Line::Whole(text.as_bytes()));
        for (input, lines) in [
            ("", vec![]),
            ("\n", vec![whole("")]),
            ("a\r\nb", vec![whole("a"), whole("b")]),
            ("a\n\n\0\n", vec![whole("a"), whole(""), whole("\0")]),
            ("0123456789abc\nx\n", vec!["TooLong".to_owned(), whole("x")]),
        ] {
            assert_eq!(lines_of(input.as_bytes(), 10), lines, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn there_are_as_many_answers_as_lines(input in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300)) {
            let lines = input.split_inclusive(|byte| *byte == b'\n').count();
            prop_assert_eq!(lines_of(&input, 20).len(), lines);
        }
    }
}
