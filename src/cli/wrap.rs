//! Text that is broken into lines between words.

/// Narrower columns of text cannot be read.
const ROOM_MIN: usize = 30;

/// Breaks a text at spaces into lines that end before `width`, the later ones indented.
pub(super) fn hanging(text: &str, indent: usize, width: usize) -> String {
    painted(text, indent, width, str::to_owned)
}

/// Breaks a text at spaces into lines that end before `width`, the later ones indented; each line is painted by itself.
pub(super) fn painted(text: &str, indent: usize, width: usize, paint: impl Fn(&str) -> String) -> String {
    let room = width.saturating_sub(indent).max(ROOM_MIN);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let painted: Vec<_> = lines.iter().map(|line| paint(line)).collect();
    painted.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::hanging;

    #[test]
    fn further_lines_begin_where_the_first_does() {
        assert_eq!(hanging("one two three", 4, 80), "one two three");
        let text = "a word and another word and one that is left";
        assert_eq!(
            hanging(text, 2, 32),
            "a word and another word and\n  one that is left"
        );
        assert_eq!(hanging("", 2, 26), "");
    }
}
