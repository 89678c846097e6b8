//! Shared key signatures: the text that is signed and the signature over it.
//!
//! Pure, and used from both sides: the client signs with [`Variant::PYTHON`], an account on the desk takes what any client
//! signs. Source: "Authenticate requests to the Azure Batch service", and the two official clients, which differ where
//! [`Variant`] says.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

/// The key of an account; its bytes show in no output.
#[derive(Clone)]
pub struct Key(SecretSlice<u8>);

/// Says why a text is not a key; the text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing is there.
    #[error("the account key is empty")]
    Empty,
    /// It is no base64.
    #[error(
        "the account key is not base64: copy it whole, `==` at its end included, as `az batch account keys list` prints it"
    )]
    NotBase64,
}

/// What a signature speaks of.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The HTTP method, in capitals.
    pub method: &'a str,
    /// The account.
    pub account: &'a str,
    /// The path as it stands in the URL, percent signs and all.
    pub path: &'a str,
    /// The query as it stands in the URL, without its question mark.
    pub query: &'a str,
    /// The headers, names in either case.
    pub headers: &'a [(&'a str, &'a str)],
}

/// How an official client writes what the documentation leaves open; the service takes all of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent habits of the clients"
)]
pub struct Variant {
    /// Whether the length of an empty body of a write is signed as `0`; otherwise as nothing.
    pub zero_length: bool,
    /// Whether names of parameters are written in lower case; they are sorted as sent either way.
    pub lower_names: bool,
    /// Whether parameters without a value are signed.
    pub empty_parameters: bool,
    /// Whether the values of a repeated parameter are joined by commas; otherwise the first alone counts.
    pub repeated_joined: bool,
}

/// The headers whose values are signed, in their order; `content-length` has a rule of its own.
const SLOTS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

impl Variant {
    /// What the Python client signs, and ours.
    pub const PYTHON: Self = Self {
        zero_length: true,
        lower_names: false,
        empty_parameters: false,
        repeated_joined: false,
    };
    /// What the .NET client signs.
    pub const DOTNET: Self = Self {
        zero_length: false,
        lower_names: true,
        empty_parameters: true,
        repeated_joined: true,
    };

    /// Returns every combination, [`Self::PYTHON`] and [`Self::DOTNET`] first; several may give one text.
    pub fn all() -> impl Iterator<Item = Self> {
        let bit = |number: u8, place: u8| number >> place & 1 == 1;
        let others = (0..16).map(move |number| Self {
            zero_length: bit(number, 0),
            lower_names: bit(number, 1),
            empty_parameters: bit(number, 2),
            repeated_joined: bit(number, 3),
        });
        let named = [Self::PYTHON, Self::DOTNET];
        named
            .into_iter()
            .chain(others.filter(move |other| !named.contains(other)))
    }
}

/// Returns the text that is signed: no line end behind its last line.
pub fn string_to_sign(signed: &Signed<'_>, variant: Variant) -> String {
    let mut text = signed.method.to_owned();
    for slot in SLOTS {
        text.push('\n');
        text.push_str(match slot {
            "content-length" => signed.length(variant),
            // The service's own date header takes the place of the common one.
            "date" if signed.header("ocp-date").is_some() => "",
            slot => signed.header(slot).unwrap_or(""),
        });
    }
    let mut own: Vec<_> = signed
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .filter(|(name, _)| name.starts_with("ocp-"))
        .collect();
    own.sort();
    for (name, value) in own {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{name}:{value}");
    }
    let _ = write!(text, "\n/{}{}", signed.account, signed.path);
    for (name, values) in parameters(signed.query, variant) {
        let _ = write!(text, "\n{name}:{}", values.join(","));
    }
    text
}

impl Signed<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Returns what stands for the length: nothing for reads without a body, and by variant for writes without one.
    fn length(&self, variant: Variant) -> &str {
        let reads = ["GET", "HEAD"].contains(&self.method);
        match self.header("content-length").unwrap_or("0") {
            "0" if reads || !variant.zero_length => "",
            length => length,
        }
    }
}

/// Returns the parameters of a query, decoded, sorted by their names as sent.
fn parameters(query: &str, variant: Variant) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (decode(name).into_owned(), decode(value).into_owned());
        if value.is_empty() && !variant.empty_parameters {
            continue;
        }
        match found.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) if variant.repeated_joined => values.push(value),
            Some(_) => {}
            None => found.push((name, vec![value])),
        }
    }
    found.sort();
    if variant.lower_names {
        for (name, _) in &mut found {
            *name = name.to_lowercase();
        }
    }
    found
}

/// Decodes percent signs and pluses; what is no escape stays as it is.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes
            .get(at + 1..at + 3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], escape) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

impl Key {
    /// Reads a key as the service prints it; blanks around it do no harm.
    ///
    /// # Errors
    /// When it is empty or no base64.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?;
        Ok(Self(bytes.into()))
    }

    /// Returns the signature over a text, in base64.
    pub fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.mac(text).finalize().into_bytes())
    }

    /// Says whether a signature is that over a text, in a time that tells nothing of either.
    pub fn verifies(&self, text: &str, signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.mac(text).verify_slice(&signature).is_ok())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("a key of any length will do");
        mac.update(text.as_bytes());
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}

/// Returns the value of the `Authorization` header of a signed request.
pub fn authorization(account: &str, signature: &str) -> String {
    format!("SharedKey {account}:{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const DATE: (&str, &str) = ("ocp-date", "Sun, 22 Nov 2026 09:50:08 GMT");

    fn signed<'a>(method: &'a str, path: &'a str, query: &'a str) -> Signed<'a> {
        Signed {
            method,
            account: "emuacct",
            path,
            query,
            headers: &[DATE],
        }
    }

    fn check(signed: &Signed<'_>, variant: Variant, expected: &str) {
        let key = Key::parse(KEY).unwrap();
        let text = string_to_sign(signed, variant);
        assert_eq!(key.sign(&text), expected, "{text:?}");
        assert!(key.verifies(&text, expected));
    }

    // The four signatures were made with the clients' own signing code.

    #[test]
    fn a_list_with_filter_and_select() {
        let query =
            "api-version=2025-06-01&maxresults=2&$filter=startswith%28id%2C%27p%27%29&$select=id,state";
        let list = signed("GET", "/pools", query);
        assert_eq!(
            string_to_sign(&list, Variant::PYTHON),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nocp-date:Sun, 22 Nov 2026 09:50:08 GMT\n/emuacct/pools\n\
             $filter:startswith(id,'p')\n$select:id,state\napi-version:2025-06-01\nmaxresults:2"
        );
        check(
            &list,
            Variant::PYTHON,
            "m07BBpegr1/xi090bkl+Zts8gTR+vZePLJWzleEfOCg=",
        );
    }

    #[test]
    fn a_resize_with_body_and_condition() {
        let headers = [
            DATE,
            ("Content-Type", "application/json; odata=minimalmetadata"),
            ("Content-Length", "27"),
            ("If-Match", "\"0x8D1\""),
        ];
        let resize = Signed {
            headers: &headers,
            ..signed("POST", "/pools/p0/resize", "api-version=2025-06-01")
        };
        check(
            &resize,
            Variant::PYTHON,
            "AjTBLIrI5g90I/0lJhY0Z0Xt1FZeZiwgBE6mVuOE/7g=",
        );
        check(
            &resize,
            Variant::DOTNET,
            "AjTBLIrI5g90I/0lJhY0Z0Xt1FZeZiwgBE6mVuOE/7g=",
        );
    }

    #[test]
    fn a_write_without_a_body_by_either_client() {
        let stop = signed("POST", "/pools/p0/stopresize", "api-version=2025-06-01");
        check(
            &stop,
            Variant::PYTHON,
            "KveDZmPwIIibyBZqoJoyvdp/RDAhtbw3IUKlWf7Ox/o=",
        );
        check(
            &stop,
            Variant::DOTNET,
            "IBatmrm/CFIFSww9/NA6KbH8ksJ+w9riuGgGv8/ZnQE=",
        );
    }

    #[test]
    fn parameters_by_either_client() {
        let list = signed("GET", "/jobs", "timeOut=3&b=2&b=1&Empty=&a=x%2by+z%zz&flag");
        let of = |variant| {
            let text = string_to_sign(&list, variant);
            text.split_once("/jobs\n").unwrap().1.replace('\n', " | ")
        };
        assert_eq!(of(Variant::PYTHON), "a:x+y z%zz | b:2 | timeOut:3");
        assert_eq!(
            of(Variant::DOTNET),
            "empty: | a:x+y z%zz | b:2,1 | flag: | timeout:3"
        );
    }

    #[test]
    fn a_common_date_counts_where_the_services_own_is_missing() {
        let date = "Mon, 23 Nov 2026 00:00:00 GMT";
        let common = [("date", date)];
        let list = Signed {
            headers: &common,
            ..signed("GET", "/pools", "")
        };
        assert!(string_to_sign(&list, Variant::PYTHON).contains(date));
        let both = [("Date", date), DATE];
        let list = Signed {
            headers: &both,
            ..list
        };
        assert!(!string_to_sign(&list, Variant::PYTHON).contains(date));
    }

    #[test]
    fn every_variant_is_there_once() {
        let all: Vec<_> = Variant::all().collect();
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (16, 16));
        assert_eq!(all[..2], [Variant::PYTHON, Variant::DOTNET]);
    }

    #[test]
    fn keys_are_read_as_they_are_printed_and_never_shown() {
        let key = Key::parse(&format!(" {KEY}\n")).unwrap();
        assert_eq!(format!("{key:?}"), "Key([REDACTED])");
        assert_eq!(Key::parse(" ").unwrap_err(), KeyError::Empty);
        let error = Key::parse("not/a=key").unwrap_err();
        assert_eq!(error, KeyError::NotBase64);
        assert!(!error.to_string().contains("not/a"), "{error}");
    }
}
