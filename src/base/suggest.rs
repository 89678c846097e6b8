//! "Did you mean": the known name closest to a misspelt one.

/// Returns the known name closest to `name`, when one is near enough to be what was meant.
///
/// Near is an edit distance of at most a third of the longer name (and at least 1), after case and a leading `$`
/// are folded away; ties go to the first known name.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(name);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in known.into_iter().filter(|candidate| *candidate != name) {
        let other = fold(candidate);
        let limit = (folded.len().max(other.len()) / 3).max(1);
        let distance = edit_distance(&folded, &other);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> Vec<char> {
    name.trim_start_matches('$')
        .chars()
        .take(NAME_CHARS_MAX)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Longer names are compared by their first 64 characters: no known name is that long, and the cost is quadratic.
const NAME_CHARS_MAX: usize = 64;

fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let known = ["$ActiveTasks", "$PendingTasks", "$TargetDedicatedNodes"];
        for (name, meant) in [
            ("$activeTasks", Some("$ActiveTasks")),
            ("PendingTask", Some("$PendingTasks")),
            ("$TargetDedicatdNodes", Some("$TargetDedicatedNodes")),
            ("$CPU", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(name, known), meant, "{name}");
        }
    }
}
