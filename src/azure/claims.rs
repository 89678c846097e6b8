//! What a token says of whom it was given to: read for people, never trusted, because nobody here checks the signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::lenient;
use crate::base::Timestamp;

/// What a token says of whom it was given to; no part of it lets anybody in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// The application.
    #[serde(alias = "azp")]
    pub appid: Option<String>,
    /// The object in the directory: what a role is assigned to.
    pub oid: Option<String>,
    /// The tenant.
    pub tid: Option<String>,
    /// The name of a person.
    #[serde(alias = "unique_name", alias = "preferred_username")]
    pub upn: Option<String>,
    /// The resource whose managed identity it is.
    #[serde(rename = "xms_mirid")]
    pub resource: Option<String>,
    /// What it is for.
    pub aud: Option<String>,
    /// When it ends, in seconds since 1970.
    #[serde(deserialize_with = "lenient::number")]
    pub exp: Option<i64>,
}

impl Claims {
    /// Reads the claims of a token; `None` when it is none of the usual form.
    pub fn read(token: &str) -> Option<Self> {
        let payload = token.trim().split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        // A list would be read as the fields in their order.
        let claims: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).ok()?;
        serde_json::from_value(claims.into()).ok()
    }

    /// Returns when the token ends.
    pub fn ends(&self) -> Option<Timestamp> {
        self.exp.map(Timestamp::from_unix_seconds)
    }

    /// Returns whom it was given to: a person, else a resource, else an object of the directory, else an application.
    pub fn whom(&self) -> Option<String> {
        let person = self.upn.clone();
        let named = |kind: &str, id: &Option<String>| id.as_ref().map(|id| format!("{kind} {id}"));
        person
            .or_else(|| self.resource.clone())
            .or_else(|| named("the object", &self.oid))
            .or_else(|| named("the application", &self.appid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_whom_it_was_given_to() {
        let token = |payload: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        let claims = Claims::read(&token(r#"{"oid":"7","tid":"t","exp":1800000000,"extra":[1]}"#)).unwrap();
        assert_eq!(claims.whom().as_deref(), Some("the object 7"));
        assert_eq!(claims.ends(), Some(Timestamp::from_unix_seconds(1_800_000_000)));
        let person = Claims::read(&token(
            r#"{"unique_name":"ada@example.org","oid":"7","exp":"1800000000"}"#,
        ));
        assert_eq!(person.unwrap().whom().as_deref(), Some("ada@example.org"));
        for none in ["", "opaque", "a.b.c", &token("[]"), &token("no json")] {
            assert_eq!(Claims::read(none), None, "{none}");
        }
    }
}
