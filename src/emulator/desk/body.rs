//! Bodies of requests: the properties of a JSON object, read as leniently as the service reads them.
//!
//! Numbers and truth values may come as texts (`az` sends `"5"`), words in any case, durations with leading zeros.

use serde_json::{Map, Value};

use super::refuse;
use crate::base::Span;
use crate::emulator::answer::Refused;
use crate::emulator::body;

/// The properties of a request's body.
#[derive(Clone, Debug)]
pub(super) struct Body(pub(super) Map<String, Value>);

impl Body {
    /// Reads a body; none at all has no property.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        match body::read(bytes)? {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(refuse::body("the body is not a JSON object")),
        }
    }

    /// Takes a property; `null` is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes those of some properties that are given, which are only told again.
    pub(super) fn told_again(&mut self, names: &[&str]) -> Map<String, Value> {
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.take(name)?)))
            .collect()
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(refuse::value(name, &other.to_string(), "it is not a text")),
        }
    }

    /// Takes a whole number within bounds.
    pub(super) fn integer(&mut self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Refused> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(refuse::value(
                name,
                &bare(&value),
                &format!("it must be a whole number from {least} to {most}"),
            )),
        }
    }

    /// Takes a truth value.
    pub(super) fn truth(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match bare(&value).to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            other => Err(refuse::value(name, other, "it must be true or false")),
        }
    }

    /// Takes a duration such as `PT15M` or `PT06M00S`.
    pub(super) fn span(&mut self, name: &str) -> Result<Option<Span>, Refused> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let span = text.starts_with('P').then(|| text.parse::<Span>().ok()).flatten();
        match span {
            Some(span) => Ok(Some(span.whole_milliseconds())),
            None => Err(refuse::value(name, &text, "it must be an ISO 8601 duration")),
        }
    }

    /// Takes a word out of a list, in any case, and returns it as it stands there.
    pub(super) fn word(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Refused> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|word| word.eq_ignore_ascii_case(&text)) {
            Some(word) => Ok(Some(word)),
            None => Err(refuse::value(
                name,
                &text,
                &format!("it must be one of {}", words.join(", ")),
            )),
        }
    }

    /// Takes an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self(map))),
            Some(other) => Err(refuse::value(name, &other.to_string(), "it is not an object")),
        }
    }

    /// Takes a list.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(refuse::value(name, &other.to_string(), "it is not a list")),
        }
    }
}

/// Writes a value as people would, texts without quotes.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Checks the id of a pool, job or task: 1 to 64 letters, digits, hyphens and underscores.
pub(super) fn checked_id(id: Option<String>) -> Result<String, Refused> {
    let id = id.ok_or_else(|| refuse::missing("id"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        Ok(id)
    } else {
        Err(refuse::value(
            "id",
            &id,
            "an id has 1 to 64 letters, digits, hyphens and underscores",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_understood() {
        let text = br#"{"n": "5", "t": "TRUE", "s": "PT06M00S", "w": "Requeue", "z": null}"#;
        let mut body = Body::read(text).unwrap();
        assert_eq!(body.integer("n", 0, 9).unwrap(), Some(5));
        assert_eq!(body.truth("t").unwrap(), Some(true));
        assert_eq!(body.span("s").unwrap(), Some(Span::minutes(6)));
        assert_eq!(
            body.word("w", &["terminate", "requeue"]).unwrap(),
            Some("requeue")
        );
        assert_eq!(body.text("z").unwrap(), None);
        assert!(Body::read(b"").unwrap().0.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let text = br#"{"n": -1, "m": 1.5, "t": "yes", "s": "15m", "w": "now", "o": [], "l": {}, "x": 3}"#;
        let mut body = Body::read(text).unwrap();
        let refusals = [
            body.integer("n", 0, 9).unwrap_err(),
            body.integer("m", 0, 9).unwrap_err(),
            body.truth("t").unwrap_err(),
            body.span("s").unwrap_err(),
            body.word("w", &["requeue"]).unwrap_err(),
            body.object("o").unwrap_err(),
            body.list("l").unwrap_err(),
            body.text("x").unwrap_err(),
        ];
        let names: Vec<_> = refusals
            .iter()
            .map(|refused| refused.values[0].1.as_str())
            .collect();
        assert_eq!(names, ["n", "m", "t", "s", "w", "o", "l", "x"]);
        assert!(
            refusals
                .iter()
                .all(|refused| refused.code == "InvalidPropertyValue")
        );
        assert_eq!(Body::read(b"[1]").unwrap_err().code, "InvalidRequestBody");
        assert!(checked_id(Some("a b".to_owned())).is_err() && checked_id(Some("x".repeat(65))).is_err());
    }
}
