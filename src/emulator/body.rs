//! Bodies of requests: JSON with its place when it is wrong, and numbers that came as texts.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::Value;

use super::answer::Refused;

/// A body that was read; an empty one reads as `{}`, which some clients send as nothing at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Json<T>(pub T);

/// Reads a body.
///
/// # Errors
/// 400 `InvalidRequestBody` with the place and the reason.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let bytes = if bytes.trim_ascii().is_empty() {
        b"{}"
    } else {
        bytes
    };
    serde_json::from_slice(bytes).map_err(|error| {
        Refused::new(
            400,
            "InvalidRequestBody",
            "The specified Request Body is not syntactically valid",
        )
        .with("Reason", error.to_string())
    })
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == 413 {
                too_large()
            } else {
                Refused::new(400, "InvalidRequestBody", "The request body ended early")
            }
        })?;
        read(&bytes).map(Self)
    }
}

/// Returns the refusal of a body that is too long.
pub fn too_large() -> Refused {
    Refused::new(
        413,
        "RequestBodyTooLarge",
        "The request body is too large and exceeds the maximum permissible limit",
    )
}

/// Reads a whole number that may be written as a text: `az` sends `"5"` for 5.
///
/// For `#[serde(default, deserialize_with = "…")]` on an `Option<i64>`.
pub fn lenient_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let number = match &value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("{value} is not a whole number")))
}

/// Reads a truth value that may be written as a text.
///
/// For `#[serde(default, deserialize_with = "…")]` on an `Option<bool>`.
pub fn lenient_truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(truth)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(other) => Err(D::Error::custom(format!("{other} is not true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Resize {
        #[serde(default, deserialize_with = "lenient_integer")]
        target_dedicated_nodes: Option<i64>,
        #[serde(default, deserialize_with = "lenient_truth")]
        enable_auto_scale: Option<bool>,
    }

    fn check(text: &str, nodes: Option<i64>, truth: Option<bool>) {
        let resize: Resize = read(text.as_bytes()).unwrap();
        assert_eq!(
            (resize.target_dedicated_nodes, resize.enable_auto_scale),
            (nodes, truth),
            "{text}"
        );
    }

    #[test]
    fn numbers_and_truths_come_as_texts_too() {
        check(
            r#"{"targetDedicatedNodes": "5", "enableAutoScale": "False"}"#,
            Some(5),
            Some(false),
        );
        check(
            r#"{"targetDedicatedNodes": -5, "enableAutoScale": true}"#,
            Some(-5),
            Some(true),
        );
        check(
            r#"{"targetDedicatedNodes": null, "enableAutoScale": null}"#,
            None,
            None,
        );
        check("", None, None);
        check(" ", None, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, reason) in [
            ("{\n \"targetDedicatedNodes\": ]", "line 2 column 26"),
            (
                r#"{"targetDedicatedNodes": "five"}"#,
                "\"five\" is not a whole number",
            ),
            (r#"{"targetDedicatedNodes": 1.5}"#, "1.5 is not a whole number"),
            (r#"{"enableAutoScale": 1}"#, "1 is not true or false"),
        ] {
            let refused = read::<Resize>(text.as_bytes()).unwrap_err();
            assert_eq!((refused.status, refused.code), (400, "InvalidRequestBody"));
            assert!(
                refused.values[0].1.contains(reason),
                "{text}: {:?}",
                refused.values
            );
        }
    }
}
