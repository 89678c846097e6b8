//! A small layout engine: text with possible line breaks in, lines of a given width out.
//!
//! After Philip Wadler's "A prettier printer": a group is laid out on one line when it fits, else every possible break
//! that belongs to it is taken. Where the breaks fall depends on the document and the width alone, never on how the
//! text was laid out before; that is what makes formatting twice the same as formatting once.

/// A text with possible line breaks.
#[derive(Clone, Debug)]
pub(super) struct Doc {
    kind: Kind,
    /// Whether a break inside must be taken.
    must_break: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Text(String),
    Comment(String),
    Line { flat: &'static str },
    HardLine,
    Concat(Vec<Doc>),
    Indent(Box<Doc>),
    Group(Box<Doc>),
}

/// Columns that one level of indentation takes.
const INDENT: usize = 4;

impl Doc {
    /// Returns a text without line breaks.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text(text.into()), false)
    }

    /// Returns a comment, whose length pushes nothing onto another line.
    pub(super) fn comment(text: impl Into<String>) -> Self {
        Self::new(Kind::Comment(text.into()), false)
    }

    /// Returns a space that may become a line break.
    pub(super) fn line() -> Self {
        Self::new(Kind::Line { flat: " " }, false)
    }

    /// Returns nothing that may become a line break.
    pub(super) fn soft_line() -> Self {
        Self::new(Kind::Line { flat: "" }, false)
    }

    /// Returns a line break that breaks every group around it.
    pub(super) fn hard_line() -> Self {
        Self::new(Kind::HardLine, true)
    }

    /// Returns nothing.
    pub(super) fn nothing() -> Self {
        Self::concat(Vec::new())
    }

    /// Returns one after the other.
    pub(super) fn concat(parts: Vec<Self>) -> Self {
        let must_break = parts.iter().any(|part| part.must_break);
        Self::new(Kind::Concat(parts), must_break)
    }

    /// Returns the same, with the lines after its breaks one level further in.
    pub(super) fn indent(self) -> Self {
        let must_break = self.must_break;
        Self::new(Kind::Indent(Box::new(self)), must_break)
    }

    /// Returns the same as one group: on one line if it fits, else with all of its breaks.
    pub(super) fn group(self) -> Self {
        let must_break = self.must_break;
        Self::new(Kind::Group(Box::new(self)), must_break)
    }

    const fn new(kind: Kind, must_break: bool) -> Self {
        Self { kind, must_break }
    }

    /// Lays the document out in lines of `width` characters where that is possible; no line ends in a space.
    pub(super) fn render(&self, width: usize) -> String {
        let mut page = Page::default();
        let mut work = vec![Item {
            doc: self,
            indent: 0,
            flat: false,
        }];
        while let Some(item) = work.pop() {
            match &item.doc.kind {
                Kind::Text(text) | Kind::Comment(text) => page.write(text),
                Kind::Line { flat } if item.flat => page.write(flat),
                Kind::Line { .. } | Kind::HardLine => page.break_line(item.indent),
                Kind::Concat(parts) => work.extend(parts.iter().rev().map(|doc| Item { doc, ..item })),
                Kind::Indent(doc) => work.push(Item {
                    doc,
                    indent: item.indent + INDENT,
                    ..item
                }),
                Kind::Group(doc) => {
                    let room = width.saturating_sub(page.column);
                    let flat = item.flat || (!doc.must_break && fits(doc, &work, room));
                    work.push(Item { doc, flat, ..item });
                }
            }
        }
        page.text
    }
}

#[derive(Clone, Copy)]
struct Item<'a> {
    doc: &'a Doc,
    indent: usize,
    flat: bool,
}

#[derive(Default)]
struct Page {
    text: String,
    column: usize,
}

impl Page {
    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn break_line(&mut self, indent: usize) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }
}

/// Says whether `doc` on one line, and what follows up to the next possible break, fit into `room` columns.
fn fits(doc: &Doc, after: &[Item<'_>], room: usize) -> bool {
    let mut room = room;
    let mut later = after.iter().rev();
    let mut work = vec![(doc, true)];
    loop {
        let Some((doc, flat)) = work
            .pop()
            .or_else(|| later.next().map(|item| (item.doc, item.flat)))
        else {
            return true;
        };
        let used = match &doc.kind {
            Kind::Text(text) => text.chars().count(),
            Kind::Line { flat: text } if flat => text.len(),
            Kind::Line { .. } | Kind::HardLine => return true,
            Kind::Comment(_) => 0,
            Kind::Concat(parts) => {
                work.extend(parts.iter().rev().map(|part| (part, flat)));
                0
            }
            // A group that comes later may still break, so its first possible break ends the line.
            Kind::Indent(doc) | Kind::Group(doc) => {
                work.push((doc, flat));
                0
            }
        };
        let Some(left) = room.checked_sub(used) else {
            return false;
        };
        room = left;
    }
}

#[cfg(test)]
mod tests {
    use super::Doc;

    fn call(arguments: &[&str]) -> Doc {
        let mut inner = vec![Doc::soft_line()];
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                inner.extend([Doc::text(","), Doc::line()]);
            }
            inner.push(Doc::text(*argument));
        }
        let parts = vec![
            Doc::text("f("),
            Doc::concat(inner).indent(),
            Doc::soft_line(),
            Doc::text(")"),
        ];
        Doc::concat(parts).group()
    }

    #[test]
    fn a_group_that_fits_stays_on_one_line() {
        assert_eq!(call(&["one", "two"]).render(11), "f(one, two)");
        assert_eq!(call(&["one", "two"]).render(10), "f(\n    one,\n    two\n)");
    }

    #[test]
    fn what_follows_a_group_counts() {
        let doc = Doc::concat(vec![call(&["one", "two"]), Doc::text(";")]);
        assert_eq!(doc.render(11), "f(\n    one,\n    two\n);");
    }

    #[test]
    fn a_comment_takes_no_room_and_its_line_end_breaks_the_group() {
        let comment = vec![
            Doc::text("a"),
            Doc::comment(" // a long remark"),
            Doc::hard_line(),
            Doc::text("b"),
        ];
        assert_eq!(
            Doc::concat(comment).indent().group().render(10),
            "a // a long remark\n    b"
        );
        let after = Doc::concat(vec![call(&["one", "two"]), Doc::comment(" // a long remark")]);
        assert_eq!(after.render(11), "f(one, two) // a long remark");
    }
}
