//! Sweeps: one policy with many settings, all pairs of what cost and wait they come to, and the ones that nothing beats.

mod front;
mod split;
mod tune;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::base::document::Node;

use front::mark_front;
pub use front::{SweepPoint, SweepReport, front};
pub use split::split;
pub use tune::{Candidate, Judgement, Refusal, TuneReport, Tuning, tune};

/// A key of a policy and the values that it is given in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Keys and, in lists, numbers from 0, with dots between them: `demand.0.backlog.drainWithin`.
    pub path: String,
    /// The values as a policy writes them.
    pub values: Vec<String>,
}

/// What one policy of a sweep has at each path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting(pub Vec<(String, String)>);

/// Says why a sweep cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SweepError(pub String);

/// No key of a policy lies deeper than 8; a document deeper than 32 is not read.
const PATH_MAX: usize = 16;

/// A thousand settings take minutes and fill any screen.
pub const SETTINGS_MAX: usize = 1000;

impl FromStr for Axis {
    type Err = SweepError;
    fn from_str(text: &str) -> Result<Self, SweepError> {
        let wrong = |why: &str| {
            SweepError(format!(
                "{why}; write a path in the policy and its values, such as interval=30s,1m or bounds.spot=[0, 20],[0, 40]"
            ))
        };
        let (path, values) = text
            .split_once('=')
            .ok_or_else(|| wrong(&format!("`{text}` gives no values")))?;
        let path = path.trim();
        if path.split('.').any(str::is_empty) || path.split('.').count() > PATH_MAX {
            return Err(wrong(&format!("`{path}` is no path")));
        }
        let values = parts(values);
        for (index, value) in values.iter().enumerate() {
            if value.is_empty() || Node::parse(value).is_err() {
                return Err(wrong(&format!("`{value}` is no value for {path}")));
            }
            if values[..index].contains(value) {
                return Err(wrong(&format!("{path} is given {value} twice")));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            values,
        })
    }
}

/// Splits at commas that stand in no bracket and no quotes.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0_u32, None);
    for c in text.chars() {
        match (quote, c) {
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        parts.last_mut().expect("there is a part").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Returns every combination of the values, those of the last axis changing fastest.
///
/// # Errors
/// When there are more than [`SETTINGS_MAX`], or two axes have the same path.
pub fn settings(axes: &[Axis]) -> Result<Vec<Setting>, SweepError> {
    let n_settings = axes
        .iter()
        .try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len()))
        .filter(|count| *count <= SETTINGS_MAX);
    if n_settings.is_none() {
        return Err(SweepError(format!(
            "the sweep has more than {SETTINGS_MAX} settings; give fewer values"
        )));
    }
    for (index, axis) in axes.iter().enumerate() {
        if axes[..index].iter().any(|other| other.path == axis.path) {
            return Err(SweepError(format!(
                "{} is swept twice; give its values together, with commas",
                axis.path
            )));
        }
    }
    let mut settings = vec![Setting::default()];
    for axis in axes {
        settings = settings
            .iter()
            .flat_map(|setting| {
                axis.values.iter().map(|value| {
                    let mut longer = setting.clone();
                    longer.0.push((axis.path.clone(), value.clone()));
                    longer
                })
            })
            .collect();
    }
    Ok(settings)
}

impl Setting {
    /// Returns the text of a policy, as JSON, with this setting in it; keys that are not there are added.
    ///
    /// # Errors
    /// When the text cannot be read, or a path leads through something that is neither a map nor a list.
    pub fn apply(&self, source: &str) -> Result<String, SweepError> {
        let node = Node::parse(source).map_err(|error| SweepError(error.message))?;
        let mut document = node.to_json();
        for (path, value) in &self.0 {
            let value = Node::parse(value).map_err(|error| SweepError(error.message))?;
            set(&mut document, path, value.to_json())?;
        }
        let text = serde_json::to_string_pretty(&document).expect("a document without places is JSON");
        Ok(text + "\n")
    }
}

fn set(document: &mut Value, path: &str, value: Value) -> Result<(), SweepError> {
    let mut at = document;
    let mut walked = Vec::new();
    for key in path.split('.') {
        let so_far = if walked.is_empty() {
            "the policy".to_owned()
        } else {
            format!("`{}`", walked.join("."))
        };
        walked.push(key);
        if at.is_null() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = match at {
            Value::Object(map) => map.entry(key.to_owned()).or_insert(Value::Null),
            Value::Array(items) => {
                let n_items = items.len();
                let index = key.parse::<usize>().ok();
                index.and_then(|index| items.get_mut(index)).ok_or_else(|| {
                    SweepError(format!(
                        "{path}: {so_far} is a list of {n_items}, and `{key}` is no place in it; places count from 0"
                    ))
                })?
            }
            other => {
                return Err(SweepError(format!(
                    "{path}: {so_far} is {other} and has nothing below it"
                )));
            }
        };
    }
    *at = value;
    Ok(())
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, value)) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{path}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(text: &str) -> Axis {
        text.parse().unwrap()
    }

    #[test]
    fn an_axis_is_a_path_and_values_of_any_kind() {
        assert_eq!(axis("interval=30s, 1m").values, ["30s", "1m"]);
        assert_eq!(axis("bounds.spot=[0, 20],[0,40]").values, ["[0, 20]", "[0,40]"]);
        assert_eq!(
            axis("demand.0.schedule.rules.0.cron='0 7,19 * * *'").values,
            ["'0 7,19 * * *'"]
        );
        for (text, why) in [
            ("interval", "gives no values"),
            ("=3", "`` is no path"),
            ("a..b=3", "`a..b` is no path"),
            ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=3", "is no path"),
            ("a=1,,2", "`` is no value for a"),
            ("a=[1,2", "no value for a"),
            ("a=1,1", "given 1 twice"),
        ] {
            let error = text.parse::<Axis>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn settings_are_all_combinations_the_last_axis_fastest() {
        let all = settings(&[axis("a=1,2"), axis("b=x,y,z")]).unwrap();
        let told: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["a=1 b=x", "a=1 b=y", "a=1 b=z", "a=2 b=x", "a=2 b=y", "a=2 b=z"]
        );
        assert_eq!(settings(&[]).unwrap(), [Setting::default()]);
        assert!(settings(&[axis("a=1"), axis("a=2")]).is_err());
        let many = |path: char| {
            let values: Vec<_> = (0..40).map(|number| number.to_string()).collect();
            axis(&format!("{path}={}", values.join(",")))
        };
        assert!(settings(&[many('a'), many('b')]).is_err());
    }

    #[test]
    fn a_setting_changes_what_is_there_and_adds_what_is_not() {
        let source = "version: 1\nbounds: { spot: [0, 10] }\ndemand:\n  - formula: { text: \"x\" } # y\n";
        let setting = |text: &str| settings(&[axis(text)]).unwrap().remove(0);
        let apply = |text: &str| {
            setting(text)
                .apply(source)
                .map(|text| Node::parse(&text).unwrap())
        };
        let changed = apply("bounds.spot.1=25").unwrap();
        assert_eq!(
            changed.at(&["bounds", "spot"]).unwrap().to_json(),
            serde_json::json!([0, 25])
        );
        let added = apply("mix.fallback.waitForSpot=5m").unwrap();
        let path = ["mix", "fallback", "waitForSpot"];
        assert_eq!(added.at(&path).unwrap().as_text(), Some("5m"));
        for (text, why) in [
            ("demand.1.text=3", "a list of 1, and `1` is no place in it"),
            ("bounds.spot.x=3", "`x` is no place"),
            ("version.major=3", "`version` is 1 and has nothing below it"),
        ] {
            let error = setting(text).apply(source).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
