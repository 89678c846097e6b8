//! Tokens of the local directory: JWTs that clients can read, signed so that only ours are taken.
//!
//! Entra ID signs with RSA and clients do not check; ours are signed with HMAC-SHA256 by a secret made of the account's
//! key, so that a token outlives a restart of the account.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::azure::shared_key::Key;
use crate::base::{Span, Timestamp};

/// What a token for the data plane is issued for; the slash at its end belongs to it.
pub const BATCH: &str = "https://batch.core.windows.net/";
/// What a token for the control plane is issued for.
pub const MANAGEMENT: &str = "https://management.azure.com/";

/// How far the clocks of issuer and reader may be apart.
const LEEWAY: Span = Span::minutes(5);

/// Issues tokens and reads them.
pub struct Mint {
    /// The directory.
    pub tenant: String,
    secret: Vec<u8>,
}

/// Who a token is issued to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearer {
    /// The client id, of an application or a managed identity.
    pub client: String,
    /// The resource of a managed identity, such as a VM; `az login --identity` reads its subscription out of it.
    pub resource: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "aud")]
    audience: String,
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "nbf")]
    begins: i64,
    #[serde(rename = "exp")]
    ends: i64,
}

impl Mint {
    /// Returns the mint of a directory; accounts with one key take each other's tokens.
    pub fn new(tenant: impl Into<String>, key: &Key) -> Self {
        Self {
            tenant: tenant.into(),
            secret: key.sign("lowtide tokens").into_bytes(),
        }
    }

    fn issuer(&self) -> String {
        format!("https://sts.windows.net/{}/", self.tenant)
    }

    /// Returns a token.
    pub fn issue(&self, audience: &str, bearer: &Bearer, now: Timestamp, lasts: Span) -> String {
        let seconds = |at: Timestamp| at.unix_seconds().floor() as i64;
        let mut claims = json!({
            "aud": audience,
            "iss": self.issuer(),
            "iat": seconds(now),
            "nbf": seconds(now),
            "exp": seconds(now + lasts),
            "appid": bearer.client,
            "oid": bearer.client,
            "sub": bearer.client,
            "tid": self.tenant,
            "idtyp": "app",
            "ver": "1.0",
        });
        if let Some(resource) = &bearer.resource {
            claims["xms_mirid"] = Value::String(resource.clone());
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(&json!({ "alg": "HS256", "typ": "JWT" })),
            part(&claims)
        );
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// Checks that a token is ours, for one of these audiences, and of this time.
    ///
    /// # Errors
    /// A sentence for `AuthenticationErrorDetail`; that of a wrong audience is the service's own.
    pub fn check(&self, token: &str, audiences: &[&str], now: Timestamp) -> Result<(), String> {
        let unread = || "The access token is not a JSON Web Token".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(unread)?;
        let (_, payload) = signed.split_once('.').ok_or_else(unread)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| unread())?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| unread())?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| unread())?;
        if self.mac(signed).verify_slice(&signature).is_err() {
            return Err(
                "The signature of the access token is invalid: it was not issued by this account's token endpoint"
                    .to_owned(),
            );
        }
        if claims.issuer != self.issuer() {
            return Err(format!(
                "The access token is from the wrong issuer '{}'. It must match the tenant '{}' associated with this account",
                claims.issuer,
                self.issuer()
            ));
        }
        if !audiences.contains(&claims.audience.as_str()) {
            return Err(format!(
                "The access token has been obtained from wrong audience or resource '{}'. It should exactly match \
                 (including forward slash) with one of the allowed audiences {}",
                claims.audience,
                audiences
                    .iter()
                    .map(|audience| format!("'{audience}'"))
                    .collect::<Vec<_>>()
                    .join(",")
            ));
        }
        if Timestamp::from_unix_seconds(claims.ends) <= now {
            return Err("The access token is expired".to_owned());
        }
        if now + LEEWAY < Timestamp::from_unix_seconds(claims.begins) {
            return Err("The access token is not yet valid".to_owned());
        }
        Ok(())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of every length");
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn mint(tenant: &str, key: &str) -> Mint {
        Mint::new(tenant, &Key::parse(key).unwrap())
    }

    fn check(mint: &Mint, audience: &str, age: Span, error: Option<&str>) {
        let bearer = Bearer::default();
        let token = mint.issue(audience, &bearer, NOW, Span::hours(1));
        let read = super::Mint::check(&super::tests::mint("t", "a2V5"), &token, &[BATCH], NOW + age);
        match (read, error) {
            (Ok(()), None) => {}
            (Err(told), Some(part)) => assert!(told.contains(part), "{told}"),
            (read, error) => panic!("{read:?} is not {error:?}"),
        }
    }

    #[test]
    fn a_token_is_for_one_audience_one_directory_and_some_time() {
        let ours = mint("t", "a2V5");
        check(&ours, BATCH, Span::minutes(59), None);
        check(&ours, BATCH, Span::hours(1), Some("expired"));
        check(&ours, BATCH, Span::minutes(-4), None);
        check(&ours, BATCH, Span::minutes(-6), Some("not yet valid"));
        check(
            &ours,
            "https://batch.core.windows.net",
            Span::ZERO,
            Some("including forward slash"),
        );
        check(&ours, MANAGEMENT, Span::ZERO, Some("wrong audience"));
        check(&mint("u", "a2V5"), BATCH, Span::ZERO, Some("wrong issuer"));
        check(&mint("t", "b3RoZXI="), BATCH, Span::ZERO, Some("signature"));
    }

    #[test]
    fn a_token_that_was_changed_is_not_taken() {
        let ours = mint("t", "a2V5");
        let token = ours.issue(BATCH, &Bearer::default(), NOW, Span::hours(1));
        let parts: Vec<_> = token.split('.').collect();
        let later = json!({ "aud": BATCH, "iss": "https://sts.windows.net/t/", "nbf": 0, "exp": 1_000_000 });
        let forged = format!(
            "{}.{}.{}",
            parts[0],
            URL_SAFE_NO_PAD.encode(later.to_string()),
            parts[2]
        );
        assert!(
            ours.check(&forged, &[BATCH], NOW)
                .unwrap_err()
                .contains("signature")
        );
        for text in ["", "a", "a.b", "a.b.c", "..", "é.é.é"] {
            assert!(ours.check(text, &[BATCH], NOW).is_err(), "{text}");
        }
    }
}
