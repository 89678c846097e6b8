//! Places as editors count them: lines and units of a line, both from 0.

use std::ops::Range;

use ls_types::{Position, PositionEncodingKind};

/// What an editor counts within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes, which an editor must have offered.
    Utf8,
    /// Units of UTF-16, which every editor speaks.
    Utf16,
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl Encoding {
    /// Takes bytes where the editor offers them.
    pub(super) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Self {
        match offered {
            Some(offered) if offered.contains(&PositionEncodingKind::UTF8) => Self::Utf8,
            _ => Self::Utf16,
        }
    }

    /// Returns its name in the protocol.
    pub(super) fn name(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    const fn units(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }
}

impl<'a> Lines<'a> {
    /// Finds the lines; each ends in `\n`, `\r\n` or `\r`.
    pub(super) fn of(text: &'a str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = |at: usize| match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let after = (0..bytes.len()).filter(|at| ends(*at)).map(|at| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after).collect(),
            encoding,
        }
    }

    /// Returns the byte at a place; what lies outside is taken for the nearest place inside.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line) else {
            return self.text.len();
        };
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| *next);
        let content = self.text[*start..end].trim_end_matches(['\r', '\n']);
        let mut units = 0;
        for (at, c) in content.char_indices() {
            if units >= position.character as usize {
                return start + at;
            }
            units += self.encoding.units(c);
        }
        start + content.len()
    }

    /// Returns the place of a byte; one inside of a character is taken for its beginning.
    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = &self.text[self.starts[line]..offset];
        let units: usize = before.chars().map(|c| self.encoding.units(c)).sum();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position::new(number(line), number(units))
    }

    /// Returns the places of a range of bytes.
    pub(super) fn range(&self, bytes: &Range<usize>) -> ls_types::Range {
        ls_types::Range::new(self.position(bytes.start), self.position(bytes.end))
    }

    /// Returns the whole text.
    pub(super) fn whole(&self) -> ls_types::Range {
        self.range(&(0..self.text.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letter_outside_of_the_first_plane_is_two_units_and_four_bytes() {
        let text = "// 🌊 ebb\r\n$a = 1;\r";
        let place = |encoding, word: &str| {
            let at = Lines::of(text, encoding).position(text.find(word).unwrap());
            (at.line, at.character)
        };
        assert_eq!(place(Encoding::Utf16, "ebb"), (0, 6));
        assert_eq!(place(Encoding::Utf8, "ebb"), (0, 8));
        assert_eq!(place(Encoding::Utf16, "$a"), (1, 0));
        let lines = Lines::of(text, Encoding::Utf16);
        assert_eq!(
            lines.offset(Position::new(0, 99)),
            text.find('\r').unwrap(),
            "within the line"
        );
        assert_eq!(lines.offset(Position::new(9, 0)), text.len());
        assert_eq!(lines.whole().end, Position::new(2, 0));
    }

    proptest! {
        #[test]
        fn there_and_back_again(text in "([a-z🌊ü \n\r]|\r\n){0,40}", at in 0_usize..60) {
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let lines = Lines::of(&text, encoding);
                let at = text.floor_char_boundary(at.min(text.len()));
                let position = lines.position(at);
                let back = lines.offset(position);
                // Between `\r` and `\n` is no place of an editor.
                let within_end = at > 0 && text[..at].ends_with('\r') && text[at..].starts_with('\n');
                prop_assert_eq!(back, if within_end { at - 1 } else { at });
            }
        }
    }
}
