//! Names of logs and markets that are short enough for a table and still tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::super::render::visible;

/// Names of files side by side can be longer than a terminal is wide; their ends tell more than their middles.
const NAME_MAX: usize = 40;

/// Returns a name without its middle, where it is long.
pub(super) fn brief(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= NAME_MAX {
        return name.to_owned();
    }
    let half = NAME_MAX / 2;
    let (head, tail) = (&letters[..half - 1], &letters[letters.len() - half..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

/// What is said of each market, none of them as of another: `availability_16-node_aws-08-27-2023_us-west-2a_v100_1` is
/// `16-node aws us-west-2a v100`, with its last number and its day where these tell it from others.
#[derive(Debug)]
pub(super) struct Markets(BTreeMap<String, String>);

impl Markets {
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: BTreeSet<&str> = names.map(|name| shifted(name).0).collect();
        let mut short = BTreeMap::new();
        let mut taken: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        for stage in [Stage::Least, Stage::Numbers, Stage::Days] {
            let open = names.iter().filter(|name| !short.contains_key(**name));
            let told: Vec<(String, String)> = open
                .map(|name| ((*name).to_owned(), zones(name, stage)))
                .collect();
            for (name, text) in &told {
                let alone = told.iter().filter(|(_, other)| other == text).count() == 1;
                if alone && (text == name || taken.insert(text.clone())) {
                    short.insert(name.clone(), text.clone());
                }
            }
        }
        Self(short)
    }

    /// Returns what is said of a market; its whole name, where nothing shorter tells it from the others.
    pub(super) fn get(&self, name: &str) -> String {
        let (base, from) = shifted(name);
        visible(&format!(
            "{}{from}",
            self.0.get(base).map_or(base, String::as_str)
        ))
    }
}

/// Which words of a file's name are left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Plain words, days and bare numbers.
    Least,
    /// Plain words and days.
    Numbers,
    /// Plain words.
    Days,
}

/// Splits off where in its record a market begins.
fn shifted(name: &str) -> (&str, &str) {
    name.split_at(name.find(" from ").unwrap_or(name.len()))
}

/// Shortens the names of zones side by side; what a zone shares with the one before it is not said again.
fn zones(name: &str, stage: Stage) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for zone in name.split('+') {
        let words = words(zone, stage);
        let new: Vec<&str> = words
            .iter()
            .enumerate()
            .filter(|(place, word)| before.get(*place) != Some(word))
            .map(|(_, word)| word.as_str())
            .collect();
        // A zone that is named like the one before it is told whole.
        told.push(if new.is_empty() {
            words.join(" ")
        } else {
            new.join(" ")
        });
        before = words;
    }
    told.join(" + ")
}

fn words(zone: &str, stage: Stage) -> Vec<String> {
    let all = zone.split('_').filter(|word| !word.is_empty());
    let kept: Vec<String> = all
        .filter(|word| !word.chars().all(char::is_alphabetic))
        .filter(|word| stage > Stage::Least || !word.chars().all(|c| c.is_ascii_digit()))
        .map(|word| {
            if stage < Stage::Days {
                without_day(word)
            } else {
                word
            }
            .to_owned()
        })
        .collect();
    // A name of plain words alone is what it is.
    if kept.is_empty() {
        vec![zone.to_owned()]
    } else {
        kept
    }
}

/// Returns `aws` of `aws-08-27-2023`.
fn without_day(word: &str) -> &str {
    let parts: Vec<&str> = word.rsplitn(4, '-').collect();
    let is_number = |part: &&str| part.chars().all(|c| c.is_ascii_digit());
    match parts[..] {
        [year, day, month, rest] if [year, day, month].iter().all(is_number) && !rest.is_empty() => rest,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[(&str, &str)]) {
        let markets = Markets::of(names.iter().map(|(name, _)| *name));
        for (name, told) in names {
            assert_eq!(markets.get(name), *told);
        }
    }

    #[test]
    fn markets_are_told_by_what_tells_them_apart() {
        check(&[
            (
                "availability_16-node_aws-08-27-2023_us-west-2a_v100_1",
                "16-node aws us-west-2a v100",
            ),
            (
                "preemption_1-node_aws-04-19-2023_us-east-1c_intel_64+preemption_1-node_aws-04-19-2023_us-east-1d_intel_64",
                "1-node aws us-east-1c + us-east-1d",
            ),
            ("aws-p3", "aws-p3"),
            ("az5", "az5"),
            ("west_east", "west_east"),
            ("regimes:2h/30m", "regimes:2h/30m"),
        ]);
    }

    #[test]
    fn numbers_and_days_are_told_where_they_matter() {
        check(&[
            (
                "availability_aws-10-26-2022_us-west-2a_k80_1",
                "aws us-west-2a k80 1",
            ),
            (
                "availability_aws-10-26-2022_us-west-2a_k80_8",
                "aws us-west-2a k80 8",
            ),
            (
                "availability_aws-10-26-2022_us-west-2b_k80_8",
                "aws us-west-2b k80",
            ),
        ]);
        check(&[
            ("a_aws-10-26-2022_k80", "aws-10-26-2022 k80"),
            ("a_aws-10-27-2022_k80", "aws-10-27-2022 k80"),
            ("a_aws-10-27-2022_k80 from 50 %", "aws-10-27-2022 k80 from 50 %"),
        ]);
    }

    #[test]
    fn a_name_that_nothing_shorter_tells_apart_stays_whole() {
        check(&[("a_k80", "a_k80"), ("b_k80", "b_k80"), ("c_k90", "k90")]);
        // The short name of one is the name of another.
        check(&[("a_k80", "a_k80"), ("k80", "k80")]);
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(brief(&"a".repeat(40)), "a".repeat(40));
        assert_eq!(
            brief(&format!("{}{}", "a".repeat(30), "z".repeat(30))),
            format!("{}…{}", "a".repeat(19), "z".repeat(20))
        );
    }
}
