//! What changes between two texts, line by line.

use super::render::visible;
use super::terminal::Paint;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

/// More pairs of lines than this are not compared; the whole text is then shown as replaced. A formula has at most a few
/// hundred lines, so only other files get there.
const PAIRS_MAX: usize = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step<'a> {
    Keep(&'a str),
    Drop(&'a str),
    Add(&'a str),
}

/// Returns the difference as `diff -u` writes it, or nothing where there is none.
pub(super) fn unified(names: &[String; 2], before: &str, after: &str, paint: Paint) -> String {
    let old: Vec<_> = before.split_inclusive('\n').collect();
    let new: Vec<_> = after.split_inclusive('\n').collect();
    let steps = steps(&old, &new);
    let mut text = String::new();
    for hunk in hunks(&steps) {
        if text.is_empty() {
            text += &paint.on(Paint::HEADING, format!("--- {}\n+++ {}", names[0], names[1]));
            text.push('\n');
        }
        let count =
            |skip: fn(&Step<'_>) -> bool, part: &[Step<'_>]| part.iter().filter(|step| !skip(step)).count();
        let in_old = |part: &[Step<'_>]| count(|step| matches!(step, Step::Add(_)), part);
        let in_new = |part: &[Step<'_>]| count(|step| matches!(step, Step::Drop(_)), part);
        let (head, part) = (&steps[..hunk.start], &steps[hunk]);
        let place = format!(
            "@@ -{},{} +{},{} @@",
            in_old(head) + 1,
            in_old(part),
            in_new(head) + 1,
            in_new(part)
        );
        text += &paint.on(Paint::NAME, place);
        text.push('\n');
        text.extend(part.iter().map(|step| line(*step, paint)));
    }
    text
}

fn line(step: Step<'_>, paint: Paint) -> String {
    let show = |mark: char, line: &str| {
        // Only the carriage return is worth seeing here.
        let end = if line.ends_with('\n') {
            ""
        } else {
            "\n\\ No newline at end of file"
        };
        format!("{mark}{}{end}", visible(line.trim_end_matches('\n')))
    };
    let text = match step {
        Step::Keep(line) => show(' ', line),
        Step::Drop(line) => paint.on(Paint::BAD, show('-', line)),
        Step::Add(line) => paint.on(Paint::GOOD, show('+', line)),
    };
    text + "\n"
}

/// Returns the stretches of steps to show: every change with its context, neighbours joined.
fn hunks(steps: &[Step<'_>]) -> Vec<std::ops::Range<usize>> {
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in steps
        .iter()
        .enumerate()
        .filter(|(_, step)| !matches!(step, Step::Keep(_)))
    {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(steps.len()));
        match hunks.last_mut() {
            Some(last) if last.end >= start => last.end = end,
            _ => hunks.push(start..end),
        }
    }
    hunks
}

/// Returns a shortest way from one list of lines to the other (longest common subsequence).
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Step<'a>> {
    if old.len().saturating_mul(new.len()) > PAIRS_MAX {
        let dropped = old.iter().map(|line| Step::Drop(line));
        return dropped.chain(new.iter().map(|line| Step::Add(line))).collect();
    }
    // common[i][j]: length of the longest common subsequence of old[i..] and new[j..].
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            steps.push(Step::Keep(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            steps.push(Step::Drop(old[i]));
            i += 1;
        } else {
            steps.push(Step::Add(new[j]));
            j += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_show_with_three_lines_around_them() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let expected = "--- f\n+++ f (formatted)\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(
            unified(
                &["f".to_owned(), "f (formatted)".to_owned()],
                before,
                after,
                Paint { colored: false }
            ),
            expected
        );
        assert_eq!(
            unified(
                &["f".to_owned(), "f (formatted)".to_owned()],
                before,
                before,
                Paint { colored: false }
            ),
            ""
        );
    }

    #[test]
    fn a_carriage_return_and_a_missing_line_end_show() {
        let expected = "--- f\n+++ f (formatted)\n@@ -1,1 +1,1 @@\n-x=1␍\n+x = 1;\n";
        assert_eq!(
            unified(
                &["f".to_owned(), "f (formatted)".to_owned()],
                "x=1\r\n",
                "x = 1;\n",
                Paint { colored: false }
            ),
            expected
        );
        assert!(
            unified(
                &["f".to_owned(), "f (formatted)".to_owned()],
                "x",
                "x\n",
                Paint { colored: false }
            )
            .contains("-x\n\\ No newline")
        );
    }
}
