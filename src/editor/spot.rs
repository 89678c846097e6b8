//! Where in a YAML document a place is, also while the document cannot be read because somebody is typing in it.
//!
//! Lines and their indentation tell the path; what stands in brackets on the line of the place is followed too.

use std::ops::Range;

/// One step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// One of a list.
    Item,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A key, or a value of a list.
    Key,
    /// A value.
    Value,
    /// A line of a text that is written as a block; the bytes of the block.
    Block(Range<usize>),
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The way to the map in which the key stands, or to the value.
    pub(super) path: Vec<Step>,
    pub(super) role: Role,
    /// The bytes of the word there.
    pub(super) word: Range<usize>,
    /// The keys that the map has besides.
    pub(super) beside: Vec<String>,
}

/// A line as YAML reads it.
#[derive(Debug, Default)]
struct Row {
    /// Where the line begins in the text.
    start: usize,
    /// The columns of dashes before anything else.
    dashes: Vec<usize>,
    /// The column of what stands first after them.
    column: usize,
    /// The key that the line begins with, and where its value would begin.
    key: Option<(String, usize)>,
    /// Whether there is nothing but space or a comment.
    is_blank: bool,
}

impl Row {
    fn read(start: usize, line: &str) -> Self {
        let mut row = Self {
            start,
            ..Self::default()
        };
        loop {
            let rest = &line[row.column..];
            row.column += rest.len() - rest.trim_start_matches(' ').len();
            let rest = &line[row.column..];
            if rest.starts_with("- ") || rest == "-" {
                row.dashes.push(row.column);
                row.column += 1;
            } else {
                break;
            }
        }
        let rest = &line[row.column..];
        row.is_blank = row.dashes.is_empty() && (rest.is_empty() || rest.starts_with('#'));
        row.key = (!rest.starts_with(['#', '{', '[']))
            .then(|| key_of(rest))
            .flatten();
        if let Some((_, value)) = &mut row.key {
            *value += row.column;
        }
        row
    }

    /// The first column with anything in it.
    fn indent(&self) -> usize {
        self.dashes.first().copied().unwrap_or(self.column)
    }
}

/// Returns the key at the beginning of a line, and the column after its colon.
fn key_of(rest: &str) -> Option<(String, usize)> {
    let colon = rest
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| matches!(rest.as_bytes().get(at + 1), None | Some(b' ')))?;
    let key = rest[..colon].trim_end();
    let bare = key.trim_matches(['"', '\'']);
    let is_key = !bare.is_empty() && !bare.contains(['"', '\'', '{', '[', '?', '=', '#', ';']);
    is_key.then(|| (bare.to_owned(), colon + 1))
}

fn rows(text: &str) -> Vec<Row> {
    let mut start = 0;
    let mut rows = Vec::new();
    for line in text.split_inclusive('\n') {
        rows.push(Row::read(start, line.trim_end_matches(['\n', '\r'])));
        start += line.len();
    }
    if text.is_empty() || text.ends_with('\n') {
        rows.push(Row {
            start,
            is_blank: true,
            ..Row::default()
        });
    }
    rows
}

/// Finds a place in a document.
pub(super) fn find(text: &str, at: usize) -> Spot {
    let rows = rows(text);
    let number = rows.partition_point(|row| row.start <= at) - 1;
    let row = &rows[number];
    let column = at - row.start;
    let word = word_at(text, at);
    if let Some(header) = block_header(text, &rows, number, column) {
        let (key, _) = rows[header].key.clone().expect("a block has a key");
        let mut path = ascend(&rows, header, rows[header].column);
        path.push(Step::Key(key));
        return Spot {
            path,
            role: Role::Block(block(text, &rows, header)),
            word,
            beside: Vec::new(),
        };
    }
    let own_column = if row.is_blank { column } else { row.column };
    let mut path = ascend(&rows, number, own_column);
    let valued = row.key.as_ref().filter(|(_, value)| column >= *value);
    path.extend(valued.map(|(key, _)| Step::Key(key.clone())));
    // A key has nothing before it that could be open.
    let begun = match (valued, &row.key) {
        (Some((_, value)), _) => text.get(row.start + value..at),
        (None, Some(_)) => None,
        (None, None) => text.get(row.start + row.column..at),
    };
    let brackets = Brackets::read(begun.unwrap_or_default());
    if let Some(inside) = brackets {
        path.extend(inside.path);
        return Spot {
            path,
            role: inside.role,
            word,
            beside: inside.beside,
        };
    }
    Spot {
        path,
        role: if valued.is_some() { Role::Value } else { Role::Key },
        word,
        beside: beside(&rows, number, own_column),
    }
}

/// Returns the way to the map whose keys stand in a column of a row.
fn ascend(rows: &[Row], number: usize, column: usize) -> Vec<Step> {
    let mut path = Vec::new();
    let mut current = column;
    let enter = |row: &Row, current: &mut usize, path: &mut Vec<Step>| {
        for dash in row.dashes.iter().rev().filter(|dash| **dash < column) {
            if *dash < *current {
                path.push(Step::Item);
                *current = *dash;
            }
        }
    };
    enter(&rows[number], &mut current, &mut path);
    for row in rows[..number].iter().rev().filter(|row| !row.is_blank) {
        if current == 0 && !matches!(path.last(), Some(Step::Item)) {
            break;
        }
        let after_item = matches!(path.last(), Some(Step::Item));
        match &row.key {
            Some((key, _))
                if row.column < current || (after_item && row.column == current && row.dashes.is_empty()) =>
            {
                path.push(Step::Key(key.clone()));
                current = row.column;
                enter(row, &mut current, &mut path);
            }
            // The first key of the item that the place is in.
            _ if row.column == current && !row.dashes.is_empty() && !after_item => {
                enter(row, &mut current, &mut path);
            }
            None if row.indent() < current && !row.dashes.is_empty() && !after_item => {
                enter(row, &mut current, &mut path);
            }
            _ => {}
        }
    }
    path.reverse();
    path
}

/// Returns the other keys of a column, as far as they belong to the same map.
fn beside(rows: &[Row], number: usize, column: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut take = |row: &Row| {
        if let Some((key, _)) = row.key.as_ref().filter(|_| row.column == column) {
            keys.push(key.clone());
        }
    };
    if rows[number].dashes.is_empty() {
        for row in rows[..number].iter().rev().filter(|row| !row.is_blank) {
            if row.column < column {
                break;
            }
            take(row);
            if row.indent() < column {
                break;
            }
        }
    }
    for row in rows[number + 1..].iter().filter(|row| !row.is_blank) {
        if row.indent() < column {
            break;
        }
        take(row);
    }
    keys
}

/// Returns the row with the key of the block text in which a place stands.
fn block_header(text: &str, rows: &[Row], number: usize, column: usize) -> Option<usize> {
    let row = &rows[number];
    let mut indent = if row.is_blank {
        column.max(row.column)
    } else {
        row.indent()
    };
    for (above, row) in rows[..number].iter().enumerate().rev() {
        if row.is_blank || row.indent() >= indent {
            continue;
        }
        if let Some((_, value)) = &row.key {
            let end = rows[above + 1].start;
            let value = text[row.start + value..end].trim();
            if value.starts_with(['|', '>']) {
                return Some(above);
            }
            if value.is_empty() || value.starts_with('#') {
                return None;
            }
        }
        indent = row.indent();
    }
    None
}

fn block(text: &str, rows: &[Row], header: usize) -> Range<usize> {
    let least = rows[header].indent();
    let start = rows[header + 1].start;
    let end = rows[header + 1..]
        .iter()
        .find(|row| !row.is_blank && row.indent() <= least)
        .map_or(text.len(), |row| row.start);
    start..end
}

/// What is open in brackets where a line is cut off.
struct Brackets {
    path: Vec<Step>,
    role: Role,
    beside: Vec<String>,
}

enum Open {
    Map { key: Option<String>, keys: Vec<String> },
    List,
}

impl Brackets {
    fn read(before: &str) -> Option<Self> {
        let mut open: Vec<Open> = Vec::new();
        let mut word = String::new();
        let mut quote = None;
        for c in before.chars() {
            match (quote, c) {
                (Some(mark), c) if c == mark => quote = None,
                (Some(_), c) => word.push(c),
                (None, '"' | '\'') => quote = Some(c),
                (None, '{') => open.push(Open::Map {
                    key: None,
                    keys: Vec::new(),
                }),
                (None, '[') => open.push(Open::List),
                (None, '}' | ']') => {
                    open.pop();
                }
                (None, ':') => {
                    if let Some(Open::Map { key, keys }) = open.last_mut() {
                        keys.push(word.trim().to_owned());
                        *key = keys.last().cloned();
                    }
                }
                (None, ',') => {
                    if let Some(Open::Map { key, .. }) = open.last_mut() {
                        *key = None;
                    }
                }
                (None, c) => {
                    word.push(c);
                    continue;
                }
            }
            if quote.is_none() {
                word.clear();
            }
        }
        let role = match open.last()? {
            Open::Map { key: None, .. } => Role::Key,
            Open::Map { .. } | Open::List => Role::Value,
        };
        let beside = match open.last()? {
            Open::Map { keys, .. } => keys.clone(),
            Open::List => Vec::new(),
        };
        let path = open.into_iter().filter_map(|open| match open {
            Open::Map { key, .. } => key.map(Step::Key),
            Open::List => Some(Step::Item),
        });
        Some(Self {
            path: path.collect(),
            role,
            beside,
        })
    }
}

/// Returns the bytes of the word at a place.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'%');
    let bytes = text.as_bytes();
    let start = bytes[..at]
        .iter()
        .rposition(|byte| !is_word(byte))
        .map_or(0, |before| before + 1);
    let end = bytes[at..]
        .iter()
        .position(|byte| !is_word(byte))
        .map_or(bytes.len(), |after| at + after);
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Finds the `^` of a text: path, role and the keys beside.
    fn spot(text: &str) -> (String, Role, String) {
        let at = text.find('^').unwrap();
        let spot = find(&text.replacen('^', "", 1), at);
        let path: Vec<&str> = spot
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.as_str(),
                Step::Item => "-",
            })
            .collect();
        (path.join("."), spot.role, spot.beside.join(" "))
    }

    #[test]
    fn indentation_tells_the_way() {
        for (text, path, role, beside) in [
            ("^", "", Role::Key, ""),
            ("version: 1\n^", "", Role::Key, "version"),
            (
                "version: 1\nmo^de: full\npool: a\n",
                "",
                Role::Key,
                "version pool",
            ),
            ("mode: ^", "mode", Role::Value, ""),
            ("bounds:\n  ^\nmode: full", "bounds", Role::Key, ""),
            ("bounds:\n  total: [0, 1]\n  sp^\n", "bounds", Role::Key, "total"),
            ("demand:\n  - ^", "demand.-", Role::Key, ""),
            ("demand:\n- ^", "demand.-", Role::Key, ""),
            (
                "demand:\n  - backlog:\n      wait^",
                "demand.-.backlog",
                Role::Key,
                "",
            ),
            (
                "demand:\n- queue:\n    source: ^",
                "demand.-.queue.source",
                Role::Value,
                "",
            ),
            (
                "demand:\n  - schedule:\n      - at: x\n        ^",
                "demand.-.schedule.-",
                Role::Key,
                "at",
            ),
            (
                "guards:\n  # a word\n\n  step:\n    in: ^3",
                "guards.step.in",
                Role::Value,
                "",
            ),
        ] {
            let (found, found_role, found_beside) = spot(text);
            assert_eq!((found.as_str(), &found_role), (path, &role), "{text:?}");
            if role == Role::Key {
                assert_eq!(found_beside, beside, "{text:?}");
            }
        }
    }

    #[test]
    fn brackets_are_followed() {
        for (text, path, role, beside) in [
            ("bounds: { ^ }", "bounds", Role::Key, ""),
            ("bounds: { total: [0, ^4] }", "bounds.total.-", Role::Value, ""),
            ("bounds: { total: [0, 4], ^ }", "bounds", Role::Key, "total"),
            ("mix: { prices: { spot: ^", "mix.prices.spot", Role::Value, "spot"),
            (
                "demand:\n  - { formula: { role: ^ } }",
                "demand.-.formula.role",
                Role::Value,
                "role",
            ),
            (
                "demand:\n  - track: { query: 'a, {b', ^",
                "demand.-.track",
                Role::Key,
                "query",
            ),
            ("bounds: { total: [0, 4] }\n^", "", Role::Key, ""),
        ] {
            let (found, found_role, found_beside) = spot(text);
            assert_eq!((found.as_str(), &found_role), (path, &role), "{text:?}");
            if text.starts_with(['b', 'd', 'm']) && text.contains('{') && !text.contains('\n') {
                assert_eq!(found_beside, beside, "{text:?}");
            }
        }
    }

    #[test]
    fn a_block_is_known_with_its_bytes() {
        let text = "demand:\n  - formula:\n      text: |\n        a = 1;\n\n        b = a > 0 ? 1 : ^2;\n      role: targets\n";
        let (path, role, _) = spot(text);
        assert_eq!(path, "demand.-.formula.text");
        let Role::Block(bytes) = role else {
            panic!("{role:?}")
        };
        let block = &text.replacen('^', "", 1)[bytes];
        assert!(block.starts_with("        a = 1;"), "{block:?}");
        assert!(block.ends_with("2;\n"), "{block:?}");
        let (path, role, _) = spot(&text.replacen('^', "", 1).replace("role:", "^role:"));
        assert_eq!((path.as_str(), role), ("demand.-.formula", Role::Key));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[ \\-:{}\\[\\],|#ab\"'\nü]{0,60}", at in 0_usize..70) {
            let at = text.floor_char_boundary(at.min(text.len()));
            let spot = find(&text, at);
            prop_assert!(text.get(spot.word).is_some());
            if let Role::Block(bytes) = spot.role {
                prop_assert!(text.get(bytes).is_some());
            }
        }
    }
}
