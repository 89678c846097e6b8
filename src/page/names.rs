//! Names side by side, as a line of a page holds them.

/// Names that a line holds.
const NAMES_MAX: usize = 12;

/// Returns each name once, in their order.
pub(super) fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for name in names {
        if known.insert(name.clone()) {
            found.push(name);
        }
    }
    found
}

/// Returns as many names as a line holds, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(NAMES_MAX));
    let more = if rest.is_empty() {
        String::new()
    } else {
        format!(" and {} more", rest.len())
    };
    first.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_those_beyond_a_line_are_counted() {
        let names = (0..30).map(|number| (number % 14).to_string());
        let names = unique(names);
        assert_eq!(names.len(), 14);
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more");
        assert_eq!(listed(&names[..2]), "0, 1");
    }
}
