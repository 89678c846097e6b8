//! Who is let in: requests signed with a key of the account, and tokens of the local directory.
//!
//! "Authenticate requests to the Azure Batch service". The texts are the service's where its answers were seen in public
//! reports: 403 for a wrong signature, with the text that was signed; 401 for a token, with what is wrong with it.

use axum::http::Uri;
use axum::http::header::{AUTHORIZATION, DATE};
use axum::http::request::Parts;

use super::answer::Refused;
use super::asked::http_date;
use super::outside::Outside;
use super::token::BATCH;
use crate::azure::shared_key::{Signed, Variant, string_to_sign};
use crate::base::{Span, Timestamp};

/// A signed request reaches the service within 15 minutes of its date.
const AGE_MAX: Span = Span::minutes(15);

/// Says whether the connection is one that tokens may be sent over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text: keys only.
    Http,
    /// TLS: keys and tokens.
    Https,
}

impl Scheme {
    /// Returns what stands before `://`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Checks a request of the data plane.
///
/// # Errors
/// 400 `InvalidAuthenticationInfo` for a header that cannot be read, 401 or 403 `AuthenticationFailed` for all else.
pub fn check(parts: &Parts, outside: &Outside, scheme: Scheme) -> Result<(), Refused> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(failed(401, "The Authorization header is missing"));
    };
    let header = header
        .to_str()
        .map_err(|_| malformed("the header holds other than ASCII"))?;
    let (kind, rest) = header.trim().split_once(' ').unwrap_or((header, ""));
    if kind.eq_ignore_ascii_case("SharedKey") {
        shared_key(rest.trim(), parts, outside)
    } else if kind.eq_ignore_ascii_case("Bearer") {
        bearer(rest.trim(), outside, scheme)
    } else {
        Err(malformed("the scheme is neither SharedKey nor Bearer"))
    }
}

fn bearer(token: &str, outside: &Outside, scheme: Scheme) -> Result<(), Refused> {
    if !outside.modes.token {
        return Err(not_allowed("AAD"));
    }
    if scheme == Scheme::Http {
        return Err(failed(
            401,
            "Tokens are taken over https only; use the account's https endpoint",
        ));
    }
    let read = outside.mint.check(token, &[BATCH], outside.now());
    read.map_err(|detail| failed(401, &detail))
}

fn shared_key(text: &str, parts: &Parts, outside: &Outside) -> Result<(), Refused> {
    let (account, signature) = text
        .split_once(':')
        .filter(|(account, signature)| !account.is_empty() && !signature.is_empty())
        .ok_or_else(|| malformed("a SharedKey is an account, a colon and a signature"))?;
    if !outside.modes.shared_key {
        return Err(not_allowed("SharedKey"));
    }
    if !account.eq_ignore_ascii_case(&outside.account) {
        let detail = format!(
            "The account '{account}' is not '{}', which this endpoint serves",
            outside.account
        );
        return Err(failed(403, &detail));
    }
    of_this_time(parts, outside.now())?;
    signed(parts, account, signature, outside)
}

fn of_this_time(parts: &Parts, now: Timestamp) -> Result<(), Refused> {
    let sent = parts.headers.get("ocp-date").or_else(|| parts.headers.get(DATE));
    let Some(sent) = sent.and_then(|sent| sent.to_str().ok()) else {
        return Err(failed(
            403,
            "The request has neither an ocp-date header nor a Date header",
        ));
    };
    let Some(at) = http_date(sent) else {
        let detail = format!("The date '{sent}' is not of the form 'Sun, 22 Nov 2026 09:50:08 GMT'");
        return Err(failed(403, &detail));
    };
    if AGE_MAX < (now - at).abs() {
        let detail = format!(
            "The date '{sent}' is more than 15 minutes away from the time of the server, {now}; set the clock of the client"
        );
        return Err(failed(403, &detail));
    }
    Ok(())
}

/// Tries what each official client signs, and each mixture, with both keys.
fn signed(parts: &Parts, account: &str, signature: &str, outside: &Outside) -> Result<(), Refused> {
    let headers: Vec<_> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let signed = Signed {
        method: parts.method.as_str(),
        account,
        path: path_as_sent(&parts.uri),
        query: parts.uri.query().unwrap_or(""),
        headers: &headers,
    };
    let is_ours = Variant::all().any(|variant| {
        let text = string_to_sign(&signed, variant);
        outside.keys.iter().any(|key| key.key.verifies(&text, signature))
    });
    if is_ours {
        return Ok(());
    }
    let text = string_to_sign(&signed, Variant::PYTHON);
    let detail = format!(
        "The MAC signature found in the HTTP request '{signature}' is not the same as any computed signature. Server \
         used following string to sign: '{text}'."
    );
    Err(failed(403, &detail))
}

fn path_as_sent(uri: &Uri) -> &str {
    match uri.path() {
        "" => "/",
        path => path,
    }
}

fn failed(status: u16, detail: &str) -> Refused {
    let message = if status == 401 {
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly."
    } else {
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly \
         including the signature."
    };
    Refused::new(status, "AuthenticationFailed", message).with("AuthenticationErrorDetail", detail)
}

fn not_allowed(kind: &str) -> Refused {
    let detail = format!("The specified type of authentication {kind} is not allowed for this account.");
    failed(403, &detail)
}

fn malformed(reason: &str) -> Refused {
    Refused::new(
        400,
        "InvalidAuthenticationInfo",
        "The authentication information was not provided in the correct format. Verify the value of Authorization header.",
    )
    .with("Reason", reason)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::Request;

    use super::super::outside::{AccountFacts, AccountKey, Modes};
    use super::super::token::{Bearer, MANAGEMENT};
    use super::*;

    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const DATE: &str = "Sun, 22 Nov 2026 09:50:08 GMT";

    fn ten_minutes_later() -> Timestamp {
        http_date(DATE).unwrap() + Span::minutes(10)
    }

    fn outside() -> Outside {
        let facts = AccountFacts {
            location: "here".to_owned(),
            is_user_subscription: false,
            dedicated_cores: 1,
            spot_cores: 1,
            family_cores: Vec::new(),
            pools_max: 1,
            jobs_max: 1,
            dedicated_cores_used: 0,
            spot_cores_used: 0,
        };
        let key = AccountKey::parse(KEY).unwrap();
        Outside {
            clock: Arc::new(ten_minutes_later),
            ..Outside::new("emuacct", &key, Arc::new(move || facts.clone()))
        }
    }

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn stop_resize(authorization: &str, date: &str) -> Parts {
        let headers = [
            ("authorization", authorization),
            ("ocp-date", date),
            ("content-length", "0"),
        ];
        request("POST", "/pools/p0/stopresize?api-version=2025-06-01", &headers)
    }

    fn refuse(parts: &Parts, outside: &Outside, status: u16, code: &str, part: &str) {
        let refused = check(parts, outside, Scheme::Https).unwrap_err();
        assert_eq!((refused.status, refused.code), (status, code));
        assert!(refused.values[0].1.contains(part), "{:?}", refused.values);
    }

    /// Computed with the official clients' own signers.
    #[test]
    fn signatures_of_both_official_clients_are_taken() {
        let get = "/pools?api-version=2025-06-01&maxresults=2&$filter=startswith%28id%2C%27p%27%29&$select=id,state";
        let list = [
            (
                "authorization",
                "SharedKey emuacct:m07BBpegr1/xi090bkl+Zts8gTR+vZePLJWzleEfOCg=",
            ),
            ("ocp-date", DATE),
        ];
        let resize = [
            (
                "authorization",
                "SharedKey emuacct:AjTBLIrI5g90I/0lJhY0Z0Xt1FZeZiwgBE6mVuOE/7g=",
            ),
            ("ocp-date", DATE),
            ("content-type", "application/json; odata=minimalmetadata"),
            ("content-length", "27"),
            ("if-match", "\"0x8D1\""),
        ];
        for parts in [
            request("GET", get, &list),
            request("POST", "/pools/p0/resize?api-version=2025-06-01", &resize),
            stop_resize(
                "SharedKey emuacct:KveDZmPwIIibyBZqoJoyvdp/RDAhtbw3IUKlWf7Ox/o=",
                DATE,
            ),
            stop_resize(
                "SharedKey emuacct:IBatmrm/CFIFSww9/NA6KbH8ksJ+w9riuGgGv8/ZnQE=",
                DATE,
            ),
        ] {
            assert_eq!(check(&parts, &outside(), Scheme::Http), Ok(()));
        }
    }

    #[test]
    fn a_wrong_signature_is_told_with_the_text_that_was_signed() {
        let parts = stop_resize("SharedKey emuacct:AAAA", DATE);
        let text = "'POST\n\n\n0\n\n\n\n\n\n\n\n\nocp-date:Sun, 22 Nov 2026 09:50:08 GMT\n/emuacct/pools/p0/stopresize\n\
                    api-version:2025-06-01'";
        refuse(&parts, &outside(), 403, "AuthenticationFailed", text);
    }

    #[test]
    fn the_second_key_counts_too() {
        let mut outside = outside();
        outside.keys[0] = AccountKey::parse("b3RoZXI=").unwrap();
        let parts = stop_resize(
            "SharedKey emuacct:KveDZmPwIIibyBZqoJoyvdp/RDAhtbw3IUKlWf7Ox/o=",
            DATE,
        );
        assert_eq!(check(&parts, &outside, Scheme::Http), Ok(()));
    }

    #[test]
    fn a_date_that_is_far_off_missing_or_none_is_told() {
        let good = "SharedKey emuacct:KveDZmPwIIibyBZqoJoyvdp/RDAhtbw3IUKlWf7Ox/o=";
        for (date, part) in [
            ("Sun, 22 Nov 2026 09:45:07 GMT", "more than 15 minutes away"),
            ("Sun, 22 Nov 2026 10:15:09 GMT", "more than 15 minutes away"),
            ("yesterday", "is not of the form"),
        ] {
            refuse(
                &stop_resize(good, date),
                &outside(),
                403,
                "AuthenticationFailed",
                part,
            );
        }
        let undated = request("GET", "/pools", &[("authorization", good)]);
        refuse(&undated, &outside(), 403, "AuthenticationFailed", "neither");
    }

    #[test]
    fn headers_that_cannot_be_read_are_told() {
        for header in [
            "SharedKey emuacct",
            "SharedKey :x",
            "SharedKey a:",
            "Basic eDp5",
            "",
            "SharedKeyemuacct:x",
        ] {
            refuse(
                &stop_resize(header, DATE),
                &outside(),
                400,
                "InvalidAuthenticationInfo",
                "",
            );
        }
        refuse(
            &request("GET", "/pools", &[]),
            &outside(),
            401,
            "AuthenticationFailed",
            "missing",
        );
        refuse(
            &stop_resize("SharedKey other:x", DATE),
            &outside(),
            403,
            "AuthenticationFailed",
            "'other' is not",
        );
    }

    #[test]
    fn an_account_may_take_tokens_only_or_keys_only() {
        let tokens = Outside {
            modes: Modes::TOKENS,
            ..outside()
        };
        let signed = stop_resize(
            "SharedKey emuacct:KveDZmPwIIibyBZqoJoyvdp/RDAhtbw3IUKlWf7Ox/o=",
            DATE,
        );
        refuse(
            &signed,
            &tokens,
            403,
            "AuthenticationFailed",
            "The specified type of authentication SharedKey is not allowed for this account.",
        );
        let keys = Outside {
            modes: Modes {
                shared_key: true,
                token: false,
            },
            ..outside()
        };
        refuse(
            &stop_resize("Bearer x", DATE),
            &keys,
            403,
            "AuthenticationFailed",
            "AAD is not allowed",
        );
    }

    #[test]
    fn tokens_are_taken_over_https_for_the_data_plane_only() {
        let outside = outside();
        let token = |audience| {
            let token = outside
                .mint
                .issue(audience, &Bearer::default(), ten_minutes_later(), Span::hours(1));
            request("GET", "/pools", &[("authorization", &format!("Bearer {token}"))])
        };
        assert_eq!(check(&token(BATCH), &outside, Scheme::Https), Ok(()));
        let plain = check(&token(BATCH), &outside, Scheme::Http).unwrap_err();
        assert_eq!(plain.status, 401);
        refuse(
            &token(MANAGEMENT),
            &outside,
            401,
            "AuthenticationFailed",
            "wrong audience",
        );
    }
}
