//! When certificates, shared access signatures and tokens end.
//!
//! What is to be looked at is handed in as text or bytes with a name; nothing of it is ever told, only its end.

use chrono::NaiveDateTime;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::checks::Found;
use super::pools::whole;
use super::{Finding, Outcome};
use crate::azure::Claims;
use crate::base::{Code, Span, Timestamp};

/// Something that ends one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// What it is, such as `the certificate in tls.crt`.
    pub what: String,
    /// When it ends.
    pub ends: Ends,
    /// How to have another.
    pub renewal: &'static str,
    /// How long before its end somebody has to act.
    pub notice: Span,
}

/// When something ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Then.
    At(Timestamp),
    /// It does not, or does not say.
    Never,
    /// It cannot be read; why.
    Unreadable(String),
}

/// Tells of what has ended, ends soon or cannot be read.
pub(super) fn examine(expiring: &[Expiring], now: Timestamp, found: &mut Found) {
    if expiring.is_empty() {
        found.check(
            "expiry",
            Outcome::Note,
            "no certificate, signature or token file is given; name those of the sidecar with --certificate, --sas and --token-file",
        );
        return;
    }
    let mut first: Option<(Span, &str)> = None;
    for thing in expiring {
        match &thing.ends {
            Ends::Never => {}
            Ends::Unreadable(why) => found.find(Finding::new(
                Code("D403"),
                Outcome::Error,
                format!("{} cannot be read: {why}", thing.what),
                "check the name and the permissions",
            )),
            Ends::At(at) => {
                let left = at.since(now);
                if first.is_none_or(|(other, _)| left < other) {
                    first = Some((left, &thing.what));
                }
                judge(thing, *at, left, found);
            }
        }
    }
    let well = match first {
        None => format!("{} looked at, none of which ends", expiring.len()),
        Some((left, what)) => format!("the first to end is {what}, in {}", roughly(left)),
    };
    found.conclude("expiry", &["D401", "D402", "D403"], well);
}

fn judge(thing: &Expiring, at: Timestamp, left: Span, found: &mut Found) {
    if left.is_negative() {
        found.find(Finding::new(
            Code("D402"),
            Outcome::Error,
            format!("{} ended {} ago, at {at}", thing.what, roughly(left.abs())),
            thing.renewal,
        ));
    } else if left < thing.notice {
        found.find(Finding::new(
            Code("D401"),
            Outcome::Warning,
            format!("{} ends in {}, at {at}", thing.what, roughly(left)),
            thing.renewal,
        ));
    }
}

/// Says a length to the day where it has days, and to the minute otherwise.
fn roughly(span: Span) -> String {
    let hours = span.as_hours();
    if hours >= 48.0 {
        format!("{} days", (hours / 24.0) as i64)
    } else if hours >= 1.0 {
        Span::minutes((hours * 60.0) as i64).in_short()
    } else {
        whole(span).in_short()
    }
}

/// Returns when the first of the certificates of a PEM file ends.
pub fn ends_of_certificates(pem: &[u8]) -> Ends {
    let mut first: Option<Timestamp> = None;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let end = match certificate {
            Ok(certificate) => not_after(&certificate),
            Err(error) => return Ends::Unreadable(error.to_string()),
        };
        let Some(end) = end else {
            return Ends::Unreadable("it holds a certificate without a term".to_owned());
        };
        first = Some(first.map_or(end, |other| other.min(end)));
    }
    first.map_or_else(
        || Ends::Unreadable("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned()),
        Ends::At,
    )
}

/// Returns when a shared access signature ends: its parameter `se` ("Create a service SAS", signed expiry).
pub fn ends_of_sas(text: &str) -> Ends {
    let query = text.trim().rsplit('?').next().unwrap_or("");
    let Some(value) = query.split('&').find_map(|pair| pair.strip_prefix("se=")) else {
        return Ends::Unreadable("it has no `se=`, the end of a shared access signature".to_owned());
    };
    let value = value.replace("%3A", ":").replace("%3a", ":");
    let value = value
        .strip_suffix("%2B00:00")
        .map_or(value.clone(), |start| format!("{start}Z"));
    // "2026-12-01", "2026-12-01T06:00Z" and "2026-12-01T06:00:00Z" are all allowed.
    let tries = [
        value.clone(),
        value.replace('Z', ":00Z"),
        format!("{value}T00:00:00Z"),
    ];
    let read = tries.iter().find_map(|text| text.parse::<Timestamp>().ok());
    read.map_or_else(|| Ends::Unreadable("its `se` is no time".to_owned()), Ends::At)
}

/// Returns when a token ends that says so itself.
pub fn ends_of_token(text: &str) -> Ends {
    match Claims::read(text).map(|claims| claims.ends()) {
        Some(Some(at)) => Ends::At(at),
        Some(None) => Ends::Never,
        None => Ends::Unreadable("it is no token of three parts".to_owned()),
    }
}

/// Reads `notAfter` of a certificate (RFC 5280, 4.1): the second time of the fourth or fifth element of the first element.
fn not_after(der: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, certificate, _) = element(der)?;
    let (inner, mut rest, _) = element(certificate)?;
    if tag != SEQUENCE || inner != SEQUENCE {
        return None;
    }
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // The serial number, the algorithm and the issuer come before the term.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (tag, term, _) = element(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, rest) = element(term)?;
    let (tag, text, _) = element(rest)?;
    let text = std::str::from_utf8(text).ok()?;
    let at = match tag {
        // Two digits of a year: 50 and above belong to the last century (RFC 5280, 4.1.2.5.1).
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u32>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            NaiveDateTime::parse_from_str(&format!("{century}{text}"), "%Y%m%d%H%M%SZ").ok()?
        }
        GENERALIZED_TIME => NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%SZ").ok()?,
        _ => return None,
    };
    Some(Timestamp::from_utc(at.and_utc()))
}

/// Cuts the first element of DER off: its tag, what is in it, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let n_bytes = usize::from(first & 0x7f);
        // A certificate of 16 MiB is none.
        if n_bytes == 0 || n_bytes > 3 || rest.len() < n_bytes {
            return None;
        }
        let (bytes, rest) = rest.split_at(n_bytes);
        let length = bytes
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        (length, rest)
    };
    (length <= rest.len()).then(|| {
        let (inside, after) = rest.split_at(length);
        (tag, inside, after)
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> String {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 2, 28);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_first_certificate_of_a_chain_to_end_counts() {
        for years in [[2031, 2027], [2060, 2027]] {
            let pem = years.map(certificate).concat();
            let expected = Ends::At("2027-02-28T00:00:00Z".parse().unwrap());
            assert_eq!(ends_of_certificates(pem.as_bytes()), expected);
        }
        let expected = Ends::At("2060-02-28T00:00:00Z".parse().unwrap());
        assert_eq!(ends_of_certificates(certificate(2060).as_bytes()), expected);
    }

    #[test]
    fn what_is_no_certificate_is_told_and_never_panics() {
        for text in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                matches!(ends_of_certificates(text.as_bytes()), Ends::Unreadable(_)),
                "{text}"
            );
        }
        let pem = certificate(2030);
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        for cut in 0..der.len() {
            not_after(&der[..cut]);
            let mut wrong = der.to_vec();
            wrong[cut] ^= 0xff;
            not_after(&wrong);
        }
    }

    #[test]
    fn the_end_of_a_signature_is_read_in_every_form_that_is_written() {
        let expected = Ends::At("2026-12-01T06:00:00Z".parse().unwrap());
        for text in [
            "https://a.queue.core.windows.net/q?sv=2024-11-04&se=2026-12-01T06%3A00%3A00Z&sp=r&sig=abc%3D",
            "?sv=1&se=2026-12-01T06:00:00Z&sig=x",
            "se=2026-12-01T06:00Z&sig=x",
            "sig=x&se=2026-12-01T06%3A00Z",
        ] {
            assert_eq!(ends_of_sas(text), expected, "{text}");
        }
        let midnight = Ends::At("2026-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(ends_of_sas("se=2026-12-01&sig=x"), midnight);
        for text in ["", "sig=x", "se=soon&sig=x"] {
            assert!(matches!(ends_of_sas(text), Ends::Unreadable(_)), "{text}");
        }
    }

    #[test]
    fn ends_are_judged_by_their_notice() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let check = |ends: Ends| {
            let mut found = Found::default();
            let thing = Expiring {
                what: "the certificate in tls.crt".to_owned(),
                ends,
                renewal: "have a new one issued",
                notice: Span::days(21),
            };
            examine(&[thing], now, &mut found);
            let (checks, findings) = found.in_order();
            let codes: Vec<_> = findings.iter().map(|finding| finding.code.0).collect();
            let told = findings.first().map_or(&checks[0].told, |finding| &finding.what);
            (checks[0].outcome, codes.join(" "), told.clone())
        };
        for (ends, outcome, codes, told) in [
            (
                Ends::At(now + Span::days(90)),
                Outcome::Ok,
                "",
                "the first to end is the certificate in tls.crt, in 90 days",
            ),
            (
                Ends::At(now + Span::days(20)),
                Outcome::Warning,
                "D401",
                "ends in 20 days",
            ),
            (
                Ends::At(now - Span::hours(3)),
                Outcome::Error,
                "D402",
                "ended 3h ago",
            ),
            (Ends::Never, Outcome::Ok, "", "none of which ends"),
            (
                Ends::Unreadable("no such file".to_owned()),
                Outcome::Error,
                "D403",
                "cannot be read: no such file",
            ),
        ] {
            let checked = check(ends.clone());
            assert_eq!((checked.0, checked.1.as_str()), (outcome, codes), "{ends:?}");
            assert!(checked.2.contains(told), "{}", checked.2);
        }
    }
}
