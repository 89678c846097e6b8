//! Prometheus: the number that a query gives now, and the samples that it gave.
//!
//! Source: "HTTP API" of the Prometheus documentation (instant and range queries). The result of an instant query is dated when it
//! was asked, though the samples behind it may be as old as the server looks back, five minutes unless it is told otherwise. So where
//! a query names series and does nothing with them, their samples are asked for, each of which has its own time; any other query is
//! told to look back no further than its number may be old, which servers before 2.43 do not heed.

use prometheus_http_query::response::{Data, PromqlResult, RangeVector};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::asking::Way;
use super::sources_file::{PassFile, PrometheusFile, SecretFile};
use super::{number, web};
use crate::azure::Tokens;
use crate::azure::transport::Reply;
use crate::base::{Span, Timestamp};
use crate::signal::{Found, Lack, Metric};

/// A server that is asked.
pub(super) struct Prometheus {
    url: Url,
    pass: Pass,
    /// The queries that stand for the past of metrics.
    pub(super) history: Vec<(Metric, String)>,
}

/// What lets us in.
enum Pass {
    Nothing,
    Bearer(SecretFile),
    Basic(String, SecretFile),
    Identity(Box<Tokens>),
}

/// The server gives up on a query before we do.
const TIMEOUT: (&str, &str) = ("timeout", "5s");
/// A range gives 11,000 points at the most (`exceeded maximum resolution of 11,000 points per timeseries`).
pub(super) const POINTS_MAX: i64 = 10_000;
/// A sample of the past stands for itself and not for the gap behind it: scrapes are a minute apart at the most, and one may be late.
const PAST_LOOKS_BACK: Span = Span::seconds(90);

/// An answer of the interface; the result has the types of the client crate, which drops the warnings.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Option<PromqlResult>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

impl Prometheus {
    /// Prepares a server; `identity` gives the tokens of this machine for a scope.
    pub(super) fn new(
        file: &PrometheusFile,
        identity: impl FnOnce(&str) -> Result<Tokens, String>,
    ) -> Result<Self, String> {
        let url = web::base(&file.url)?;
        let PassFile {
            token,
            user,
            password,
            scope,
        } = &file.pass;
        let pass = match (token, user, password, scope) {
            (Some(token), ..) => Pass::Bearer(token.clone()),
            (_, Some(user), Some(password), _) => Pass::Basic(user.clone(), password.clone()),
            (.., Some(scope)) => {
                let resource = scope.trim_end_matches("/.default");
                Pass::Identity(Box::new(identity(resource)?))
            }
            _ => Pass::Nothing,
        };
        if !matches!(pass, Pass::Nothing) && !web::may_carry_secrets(&url) {
            return Err(format!(
                "a token or password would go over an open line to {url}; take https"
            ));
        }
        let history = file
            .history
            .iter()
            .map(|(metric, query)| (*metric, query.clone()));
        Ok(Self {
            url,
            pass,
            history: history.collect(),
        })
    }

    /// Returns the number that a query gives now, and when it was taken.
    pub(super) async fn ask(
        &self,
        way: &Way,
        query: &str,
        stale_after: Span,
    ) -> Result<(Timestamp, Found), String> {
        let lookback = seconds(stale_after);
        if is_plain_selector(query) {
            // The samples themselves, each with its own time.
            let query = format!("{query}[{lookback}s]");
            let answer = self
                .post(way, "query", &[("query", query.as_str()), TIMEOUT])
                .await?;
            return newest(&answer);
        }
        let form = [("query", query), TIMEOUT, ("lookback_delta", lookback.as_str())];
        let answer = self.post(way, "query", &form).await?;
        told(&answer)
    }

    /// Returns what a query gave at each step from one moment to another, both included; gaps stay gaps.
    pub(super) async fn range(
        &self,
        way: &Way,
        query: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<(Timestamp, f64)>, String> {
        let lookback = seconds(PAST_LOOKS_BACK);
        let query = if is_plain_selector(query) {
            format!("last_over_time({query}[{lookback}s])")
        } else {
            query.to_owned()
        };
        let frame = (from, to, Span::SAMPLE_PERIOD);
        points(&self.ranges(way, &query, frame, Some(PAST_LOOKS_BACK)).await?)
    }

    /// Returns every series that a query gave from one moment to another, both included, at each step; looks back as far as the
    /// server does where nothing else is said.
    pub(super) async fn ranges(
        &self,
        way: &Way,
        query: &str,
        (from, to, step): (Timestamp, Timestamp, Span),
        lookback: Option<Span>,
    ) -> Result<Vec<RangeVector>, String> {
        let [start, end] = [from, to].map(|at| format!("{:.3}", at.unix_seconds()));
        let (step, lookback) = (seconds(step), lookback.map(seconds));
        let mut form = vec![
            ("query", query),
            ("start", start.as_str()),
            ("end", end.as_str()),
            ("step", step.as_str()),
            TIMEOUT,
        ];
        form.extend(lookback.as_deref().map(|lookback| ("lookback_delta", lookback)));
        let answer = self.post(way, "query_range", &form).await?;
        match answer.data.map(|result| result.into_inner().0) {
            Some(Data::Matrix(series)) => Ok(series),
            _ => Err("the answer to a range query is no range".to_owned()),
        }
    }

    async fn post(&self, way: &Way, what: &str, form: &[(&str, &str)]) -> Result<Answer, String> {
        let url = web::below(&self.url, &["api", "v1", what]);
        let bearer = match &self.pass {
            Pass::Identity(tokens) => Some(web::bearer(tokens, &way.clock).await?),
            _ => None,
        };
        let request = || self.let_in(way, way.http.post(url.clone()).form(form), bearer.as_deref());
        let reply = web::ask(&way.clock, &request).await?;
        read(&reply)
    }

    fn let_in(
        &self,
        way: &Way,
        request: RequestBuilder,
        bearer: Option<&str>,
    ) -> Result<RequestBuilder, String> {
        Ok(match (&self.pass, bearer) {
            (Pass::Bearer(token), _) => request.bearer_auth(token.read(&way.environment)?.expose_secret()),
            (Pass::Basic(user, password), _) => {
                let password = password.read(&way.environment)?;
                request.basic_auth(user, Some(password.expose_secret()))
            }
            (Pass::Identity(_), Some(bearer)) => request.header("authorization", bearer),
            (Pass::Identity(_), None) | (Pass::Nothing, _) => request,
        })
    }
}

/// Returns a span in seconds, as the interface takes it.
fn seconds(span: Span) -> String {
    format!("{}", span.as_seconds())
}

/// Reads an answer, or what stands in its place.
fn read(reply: &Reply) -> Result<Answer, String> {
    let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| {
        if reply.status.is_success() {
            "the answer is none of Prometheus; does the url end before /api/v1?".to_owned()
        } else {
            web::refused(reply)
        }
    })?;
    if answer.status == "success" {
        return Ok(answer);
    }
    Err(format!("{}: {}", reply.status.as_u16(), answer.error))
}

/// Returns the one number of an answer, and when it is dated.
fn told(answer: &Answer) -> Result<(Timestamp, Found), String> {
    let sample = match answer.data.as_ref().map(PromqlResult::data) {
        Some(Data::Scalar(sample)) => *sample,
        Some(Data::Vector(series)) => match &series[..] {
            [] => return Ok((Timestamp::from_unix_seconds(0), Found::Lacking(Lack::Empty))),
            [one] => *one.sample(),
            several => return Err(several_series(several.len())),
        },
        Some(Data::Matrix(_)) => {
            return Err("the query gives a range; put avg_over_time(…) around it".to_owned());
        }
        None => return Ok((Timestamp::from_unix_seconds(0), Found::Lacking(Lack::Null))),
    };
    Ok(dated(answer, sample.timestamp(), sample.value()))
}

/// Returns the newest sample of the one series of an answer, and when it was taken.
fn newest(answer: &Answer) -> Result<(Timestamp, Found), String> {
    let Some(Data::Matrix(series)) = answer.data.as_ref().map(PromqlResult::data) else {
        return told(answer);
    };
    let sample = match &series[..] {
        [] => return Ok((Timestamp::from_unix_seconds(0), Found::Lacking(Lack::Empty))),
        [one] => one.samples().last(),
        several => return Err(several_series(several.len())),
    };
    let Some(sample) = sample else {
        return Ok((Timestamp::from_unix_seconds(0), Found::Lacking(Lack::Empty)));
    };
    Ok(dated(answer, sample.timestamp(), sample.value()))
}

fn several_series(n: usize) -> String {
    format!("the query gives {n} series, and one number is wanted; put sum(…), max(…) or avg(…) around it")
}

/// Returns a number with its time.
fn dated(answer: &Answer, seconds: f64, value: f64) -> (Timestamp, Found) {
    let taken = Timestamp::from_unix_seconds(0) + Span::from_seconds(seconds);
    let found = match number::of(value) {
        // A store that did not answer, or a rule that failed: the rest of the number is somewhere else.
        Found::Value(value) if !answer.warnings.is_empty() => Found::AtLeast(value),
        found => found,
    };
    (taken, found)
}

/// Returns the points of the one series of a range; what is no number is a gap.
fn points(series: &[RangeVector]) -> Result<Vec<(Timestamp, f64)>, String> {
    match series {
        [] => Ok(Vec::new()),
        [one] => Ok(one
            .samples()
            .iter()
            .filter(|sample| sample.value().is_finite())
            .map(|sample| {
                let at = Timestamp::from_unix_seconds(0) + Span::from_seconds(sample.timestamp());
                (at, sample.value())
            })
            .collect()),
        several => Err(format!(
            "the query gives {} series, and one is wanted",
            several.len()
        )),
    }
}

/// Says whether a query names series and does nothing with them, so that its samples have a time of their own.
fn is_plain_selector(query: &str) -> bool {
    let (name, rest) = query.split_once('{').unwrap_or((query, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let name = name.trim_end();
    let begins = name.starts_with(|c: char| !c.is_ascii_digit());
    // What follows the labels would be an operator, an offset or a range.
    let ends = rest.is_empty() || rest.rfind('}').is_some_and(|at| rest[at + 1..].trim().is_empty());
    !name.is_empty() && begins && name.chars().all(is_name) && ends && !rest.contains("} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tells(body: &str) -> Result<Found, String> {
        told(&serde_json::from_str(body).unwrap()).map(|(_, found)| found)
    }

    fn vector(values: &str, warnings: &str) -> String {
        let series: Vec<String> = values
            .split_whitespace()
            .map(|value| format!(r#"{{"metric":{{"pool":"a"}},"value":[1795400000.123,"{value}"]}}"#))
            .collect();
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}},"warnings":[{warnings}]}}"#,
            series.join(",")
        )
    }

    #[test]
    fn one_series_is_a_number_and_nothing_else_is() {
        assert_eq!(tells(&vector("42", "")), Ok(Found::Value(42.0)));
        assert_eq!(tells(&vector("0", "")), Ok(Found::Value(0.0)));
        assert_eq!(tells(&vector("", "")), Ok(Found::Lacking(Lack::Empty)));
        for value in ["NaN", "+Inf", "-Inf"] {
            assert_eq!(
                tells(&vector(value, "")),
                Ok(Found::Lacking(Lack::NotANumber)),
                "{value}"
            );
        }
        assert!(tells(&vector("1 2", "")).unwrap_err().contains("2 series"));
        let partial = vector("42", r#""store 3 did not answer""#);
        assert_eq!(tells(&partial), Ok(Found::AtLeast(42.0)));
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1795400000.123,"7"]}}"#;
        assert_eq!(tells(scalar), Ok(Found::Value(7.0)));
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        assert!(tells(matrix).unwrap_err().contains("range"));
    }

    #[test]
    fn samples_have_a_time_of_their_own() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[1795400000,"1"],[1795400015.5,"3"]]}]}}"#;
        let (taken, found) = newest(&serde_json::from_str(body).unwrap()).unwrap();
        let at = Timestamp::from_unix_seconds(1_795_400_015) + Span::from_seconds(0.5);
        assert_eq!((taken, found), (at, Found::Value(3.0)));
        let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let (_, found) = newest(&serde_json::from_str(empty).unwrap()).unwrap();
        assert_eq!(found, Found::Lacking(Lack::Empty));
    }

    #[test]
    fn selectors_are_told_from_what_is_reckoned_with_them() {
        for query in ["queue_length", "queue_length{pool=\"a\"}", "a:b:c { x = \"}\" }"] {
            assert!(is_plain_selector(query), "{query}");
        }
        for query in [
            "sum(x)",
            "x{a=\"b\"} / 2",
            "x offset 5m",
            "x{a=\"b\"}[5m]",
            "1",
            "x + y",
            "{__name__=\"x\"}",
            "",
            "x{a=\"b\"} / y{c=\"d\"}",
        ] {
            assert!(!is_plain_selector(query), "{query}");
        }
    }
}
