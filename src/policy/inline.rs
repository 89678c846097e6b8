//! Where the parts of a formula stand that is written into a policy.

use std::ops::Range;

use crate::base::{Diagnostic, Fix, Label};

/// The lines of a text that stands in a document, with the byte of the document where each begins.
pub(super) struct InlineText {
    /// Where the whole text stands.
    whole: Range<usize>,
    /// For each line: where it begins in the text and in the document; empty when the text is not there word for word.
    lines: Vec<(usize, usize)>,
}

impl InlineText {
    /// Finds the lines of `text` where a document's reader found it: a block text begins there at its first letter, and
    /// loses its indentation; a text on one line stands there with or without quotes.
    pub(super) fn find(source: &str, whole: Range<usize>, text: &str) -> Self {
        let lines = block(source, &whole, text)
            .or_else(|| one_line(source, &whole, text))
            .unwrap_or_default();
        Self { whole, lines }
    }

    /// Returns a fault of the text as a fault of the document.
    pub(super) fn place(&self, fault: &Diagnostic) -> Diagnostic {
        Diagnostic {
            span: self.range(&fault.span),
            labels: fault
                .labels
                .iter()
                .map(|label| Label {
                    span: self.range(&label.span),
                    ..label.clone()
                })
                .collect(),
            // An edit is sure only where every byte is; a new line would need the indentation of its block.
            fix: fault
                .fix
                .as_ref()
                .filter(|fix| !self.lines.is_empty() && !fix.replacement.contains('\n'))
                .map(|fix| Fix {
                    span: self.range(&fix.span),
                    ..fix.clone()
                }),
            ..fault.clone()
        }
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        match (self.offset(range.start), self.offset(range.end)) {
            (Some(start), Some(end)) => start..end.max(start),
            _ => self.whole.clone(),
        }
    }

    fn offset(&self, offset: usize) -> Option<usize> {
        let line = self.lines.partition_point(|(start, _)| *start <= offset);
        let (start, stands_at) = self.lines.get(line.checked_sub(1)?)?;
        Some((stands_at + (offset - start)).min(self.whole.end))
    }
}

fn block(source: &str, whole: &Range<usize>, text: &str) -> Option<Vec<(usize, usize)>> {
    let line_start = source[..whole.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = whole.start - line_start;
    let before_first = text.len() - text.trim_start_matches('\n').len();
    let mut stands_at = whole.start;
    let mut lines = Vec::new();
    let mut start = before_first;
    for line in text[before_first..].split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        if !source[stands_at..].starts_with(bare) {
            return None;
        }
        lines.push((start, stands_at));
        start += line.len();
        let next = source[stands_at..]
            .find('\n')
            .map_or(source.len(), |at| stands_at + at + 1);
        let spaces = source[next..].bytes().take_while(|byte| *byte == b' ').count();
        stands_at = next + spaces.min(indent);
    }
    Some(lines)
}

fn one_line(source: &str, whole: &Range<usize>, text: &str) -> Option<Vec<(usize, usize)>> {
    let at = source[whole.clone()].find(text)?;
    Some(vec![(0, whole.start + at)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Code;
    use crate::base::document::Node;

    #[test]
    fn a_word_of_the_formula_is_found_in_the_policy() {
        for source in [
            "text: |\n  $a = 1;\n\n    $b = wrong;\n",
            "x:\n  text: |\r\n    $a = 1;\r\n    // ü\r\n    $b = wrong;\r\n",
            "text: '$b = wrong;'\n",
            "text: $b = wrong;\n",
            "text: |2\n\n  $a = 1;\n  $b = wrong;",
        ] {
            let document = Node::parse(source).unwrap();
            let node = document.get("text").or(document.at(&["x", "text"])).unwrap();
            let text = node.as_text().unwrap();
            let at = text.find("wrong").unwrap();
            let fault = Diagnostic::error(Code("F101"), at..at + 5, "…");
            let placed = InlineText::find(source, node.span.clone(), text).place(&fault);
            assert_eq!(&source[placed.span], "wrong", "{source:?}");
        }
    }

    #[test]
    fn an_edit_of_one_line_is_one_of_the_policy() {
        let source = "text: |\n  $a = wrong;\n";
        let node = Node::parse(source).unwrap();
        let node = node.get("text").unwrap();
        let inline = InlineText::find(source, node.span.clone(), node.as_text().unwrap());
        let fault = Diagnostic::error(Code("F101"), 5..10, "…");
        let placed = inline.place(&fault.clone().fix(5..10, "right"));
        assert_eq!(placed.fix.map(|fix| &source[fix.span]), Some("wrong"));
        assert_eq!(inline.place(&fault.fix(11..11, "\n$b = 1;")).fix, None);
    }

    #[test]
    fn a_text_that_does_not_stand_word_for_word_is_shown_whole() {
        let source = "text: >\n  $a = 1;\n  $b = wrong;\n";
        let node = Node::parse(source).unwrap();
        let node = node.get("text").unwrap();
        let text = node.as_text().unwrap();
        let fault = Diagnostic::error(Code("F101"), 13..18, "…").fix(13..18, "right");
        let placed = InlineText::find(source, node.span.clone(), text).place(&fault);
        assert_eq!((placed.span, placed.fix), (node.span.clone(), None));
    }
}
