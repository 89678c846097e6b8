//! A first look at the bytes: which of them are code, and how deep they nest.

use std::ops::Range;

use super::DEPTH_MAX;

/// A stretch of the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// One byte of code, white space included.
    Code(u8),
    /// A whole string with its quotes.
    Text,
    /// A whole comment.
    Comment,
}

/// Calls `visit` with every piece of the source in order, until it returns `false`.
///
/// The limits of strings and comments are those of the grammar: `//` and `#` to the line end, `/* */`, and quotes that
/// close on the same line.
pub(super) fn pieces(source: &str, mut visit: impl FnMut(Range<usize>, Piece) -> bool) {
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, piece) = match rest {
            [b'/', b'/', ..] | [b'#', ..] => (to_line_end(rest), Piece::Comment),
            [b'/', b'*', ..] => (find(&rest[2..], b"*/").map_or(0, |end| end + 4), Piece::Comment),
            [quote @ (b'"' | b'\''), ..] => (closing(rest, *quote), Piece::Text),
            [b'\\', b'"', ..] => (closing_escaped(rest), Piece::Text),
            _ => (0, Piece::Comment),
        };
        let (length, piece) = if length > 0 {
            (length, piece)
        } else {
            (1, Piece::Code(bytes[at]))
        };
        if !visit(at..at + length, piece) {
            return;
        }
        at += length;
    }
}

/// Calls `visit` with every byte that stands neither in a string nor in a comment, until it returns `false`.
pub(super) fn code_bytes(source: &str, mut visit: impl FnMut(usize, u8) -> bool) {
    pieces(source, |range, piece| match piece {
        Piece::Code(byte) => visit(range.start, byte),
        Piece::Text | Piece::Comment => true,
    });
}

/// Returns where the last token before `offset` ends; white space and comments are no tokens.
pub(super) fn last_token_end(source: &str, offset: usize) -> usize {
    let mut last = 0;
    pieces(source, |range, piece| {
        let is_token = match piece {
            Piece::Code(byte) => !byte.is_ascii_whitespace(),
            Piece::Text => true,
            Piece::Comment => false,
        };
        if range.start < offset && is_token {
            last = range.end;
        }
        range.start < offset
    });
    last
}

/// Returns the place where brackets, arms of conditionals and signs nest deeper than the limit.
///
/// This comes before the grammar, whose generated parser recurses on the native stack.
pub(super) fn too_deep(source: &str) -> Option<Range<usize>> {
    let mut arms = vec![0_usize];
    let mut depth = 0;
    let mut signs = 0;
    let mut deep = None;
    code_bytes(source, |at, byte| {
        signs = if matches!(byte, b'-' | b'!') {
            signs + 1
        } else if byte.is_ascii_whitespace() {
            signs
        } else {
            0
        };
        match byte {
            b'(' => {
                arms.push(0);
                depth += 1;
            }
            b')' if arms.len() > 1 => depth -= 1 + arms.pop().unwrap_or(0),
            b'?' => {
                depth += 1;
                *arms.last_mut().expect("the outermost level is never taken off") += 1;
            }
            b';' => {
                arms.truncate(1);
                arms[0] = 0;
                depth = 0;
            }
            _ => {}
        }
        if depth + signs > DEPTH_MAX {
            deep = Some(at..at + 1);
        }
        deep.is_none()
    });
    deep
}

fn to_line_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// The length of a quoted string, or 0 where it does not close on its line.
fn closing(rest: &[u8], quote: u8) -> usize {
    let line = &rest[..to_line_end(rest)];
    line.iter()
        .skip(1)
        .position(|byte| *byte == quote)
        .map_or(0, |end| end + 2)
}

/// The length of a string between escaped quotes, or 0 where it does not close on its line.
fn closing_escaped(rest: &[u8]) -> usize {
    find(&rest[2..to_line_end(rest).max(2)], b"\\\"").map_or(0, |end| end + 4)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_code() {
        let source = "a\"(;\"b//(\nc/*(*/d#(\ne'('f\"g";
        let mut code = String::new();
        code_bytes(source, |_, byte| {
            code.push(char::from(byte));
            true
        });
        assert_eq!(code, "ab\ncd\nef\"g");
    }

    #[test]
    fn every_way_to_nest_is_counted() {
        for (open, close) in [
            ("(", ")"),
            ("a?b:", ""),
            ("-", ""),
            ("! ", ""),
            ("max(", ")"),
            ("(a?-", ")"),
        ] {
            let nested = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert_eq!(too_deep(&nested(DEPTH_MAX / 3)), None, "{open}");
            assert!(too_deep(&nested(DEPTH_MAX + 1)).is_some(), "{open}");
        }
        assert_eq!(too_deep(&"(1);".repeat(1000)), None);
        assert_eq!(too_deep(&"((1)+(1));))".repeat(1000)), None);
    }
}
