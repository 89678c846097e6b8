//! The jobs of GitHub Actions that wait for a runner, or run on one, counted as KEDA's scaler counts them.
//!
//! Source: `kedacore/keda`, `pkg/scalers/github_runner_scaler.go`, and "List workflow runs for a repository", "List jobs for a
//! workflow run" of the REST reference (version 2022-11-28). An answer that has not changed (304) costs nothing of the rate limit,
//! so every answer is kept with its tag.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::asking::Way;
use super::sources_file::{GitHubFile, SecretFile};
use super::web;
use crate::azure::transport::Reply;
use crate::base::{Span, Timestamp};
use crate::signal::{Found, Lack};

/// GitHub, or a server of its enterprise edition.
pub(super) struct GitHub {
    url: Url,
    token: Option<SecretFile>,
    repositories: Vec<String>,
    runner_labels: Vec<String>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Answers by their URLs, with their tags.
    answers: BTreeMap<String, (String, Vec<u8>)>,
    /// What was last counted, by what was asked.
    counts: BTreeMap<Question, (Timestamp, Found)>,
    /// Until when nothing may be asked.
    rest_until: Option<Timestamp>,
}

type Question = (String, Vec<String>, bool);

/// The most entries of a page, as the service has it.
const PAGE: usize = 100;
/// Pages of one list: a thousand runs, or a thousand jobs of one run, are more than a pool has nodes for.
const PAGES_MAX: usize = 10;
/// Answers that are kept: each look asks again for the same few lists and for the runs that are open.
const ANSWERS_MAX: usize = 500;
/// The longest rest that is kept to without asking again: the limit is one of an hour.
const REST_MAX: Span = Span::hours(1);

#[derive(Deserialize)]
struct Runs {
    workflow_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
}

#[derive(Deserialize)]
struct JobsPage {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    status: String,
    #[serde(default)]
    labels: Vec<String>,
}

/// What is counted, and whether all that should be was.
#[derive(Clone, Copy, Default)]
struct Count {
    jobs: u64,
    is_part: bool,
}

impl GitHub {
    /// Prepares a server.
    pub(super) fn new(file: &GitHubFile) -> Result<Self, String> {
        let url = web::base(&file.url)?;
        if file.token.is_some() && !web::may_carry_secrets(&url) {
            return Err(format!("a token would go over an open line to {url}; take https"));
        }
        Ok(Self {
            url,
            token: file.token.clone(),
            repositories: file.repositories.clone(),
            runner_labels: file.runner_labels.clone(),
            kept: Mutex::default(),
        })
    }

    /// Returns the jobs of a repository, or of an owner's repositories, and when they were counted.
    pub(super) async fn count(
        &self,
        way: &Way,
        repository: &str,
        (labels, queued_only): (&[String], bool),
    ) -> Result<(Timestamp, Found), String> {
        let now = way.clock.now();
        let question = (repository.to_owned(), labels.to_vec(), queued_only);
        if let Some(until) = self
            .with_kept(|kept| kept.rest_until)
            .filter(|until| now < *until)
        {
            // The last number grows old, and says so.
            return self
                .with_kept(|kept| kept.counts.get(&question).cloned())
                .ok_or_else(|| format!("the rate limit is used up until {until}"));
        }
        let repositories = self.repositories_of(repository)?;
        let mut whole = Count::default();
        let mut faults = Vec::new();
        for repository in &repositories {
            match self.count_one(way, repository, (labels, queued_only)).await {
                Ok(Some(count)) => {
                    whole.jobs += count.jobs;
                    whole.is_part |= count.is_part;
                }
                Ok(None) if repositories.len() == 1 => return Ok((now, Found::Lacking(Lack::Absent))),
                Ok(None) => faults.push(format!("{repository} is not there, or the token may not see it")),
                Err(why) => faults.push(why),
            }
        }
        if faults.len() == repositories.len() {
            return Err(faults.remove(0));
        }
        let jobs = whole.jobs as f64;
        let found = if whole.is_part || !faults.is_empty() {
            Found::AtLeast(jobs)
        } else {
            Found::Value(jobs)
        };
        let counted = (now, found);
        self.with_kept(|kept| kept.counts.insert(question, counted.clone()));
        Ok(counted)
    }

    fn repositories_of(&self, name: &str) -> Result<Vec<String>, String> {
        if name.contains('/') {
            return Ok(vec![name.to_owned()]);
        }
        let own = self
            .repositories
            .iter()
            .map(|repository| match repository.split_once('/') {
                Some(_) => repository.clone(),
                None => format!("{name}/{repository}"),
            });
        let begins = format!("{}/", name.to_ascii_lowercase());
        let own = own.filter(|repository| repository.to_ascii_lowercase().starts_with(&begins));
        let own: Vec<String> = own.collect();
        if own.is_empty() {
            return Err(format!(
                "no repository of `{name}` is named; add repositories = [\"…\"] to the source, or write `name: {name}/repository`"
            ));
        }
        Ok(own)
    }

    /// Counts the jobs of one repository; `None` when it is not there.
    async fn count_one(
        &self,
        way: &Way,
        repository: &str,
        (labels, queued_only): (&[String], bool),
    ) -> Result<Option<Count>, String> {
        let mut count = Count::default();
        let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
        let mut seen = Vec::new();
        // A run in progress may have jobs that wait, and one that waits has nothing else.
        for status in ["queued", "in_progress"] {
            for page in 1..=PAGES_MAX {
                let path = ["repos", owner, name, "actions", "runs"];
                let Some(body) = self.page(way, &path, (Some(status), page)).await? else {
                    return Ok(None);
                };
                let runs: Runs = read(&body)?;
                let n_runs = runs.workflow_runs.len();
                seen.extend(runs.workflow_runs.into_iter().map(|run| run.id));
                count.is_part |= n_runs == PAGE && page == PAGES_MAX;
                if n_runs < PAGE {
                    break;
                }
            }
        }
        // A run that was started between the two lists stands in both.
        seen.sort_unstable();
        seen.dedup();
        for run in seen {
            let run = run.to_string();
            let path = ["repos", owner, name, "actions", "runs", run.as_str(), "jobs"];
            for page in 1..=PAGES_MAX {
                // A run that was deleted meanwhile has no jobs.
                let Some(body) = self.page(way, &path, (None, page)).await? else {
                    break;
                };
                let jobs: JobsPage = read(&body)?;
                let counted = jobs
                    .jobs
                    .iter()
                    .filter(|job| self.counts(job, labels, queued_only));
                count.jobs += counted.count() as u64;
                count.is_part |= jobs.jobs.len() == PAGE && page == PAGES_MAX;
                if jobs.jobs.len() < PAGE {
                    break;
                }
            }
        }
        Ok(Some(count))
    }

    fn counts(&self, job: &Job, labels: &[String], queued_only: bool) -> bool {
        let is_open = job.status == "queued" || (job.status == "in_progress" && !queued_only);
        let has = |wanted: &String| {
            let mut all = labels.iter().chain(&self.runner_labels);
            all.any(|label| label.eq_ignore_ascii_case(wanted))
        };
        is_open && job.labels.iter().all(has)
    }

    /// Returns a page as it is now: the one that is kept, when the service says that it has not changed.
    async fn page(
        &self,
        way: &Way,
        path: &[&str],
        (status, page): (Option<&str>, usize),
    ) -> Result<Option<Vec<u8>>, String> {
        let mut url = web::below(&self.url, path);
        let mut parameters = url.query_pairs_mut();
        parameters.append_pair("per_page", &PAGE.to_string());
        if let Some(status) = status {
            parameters.append_pair("status", status);
        }
        if page > 1 {
            parameters.append_pair("page", &page.to_string());
        }
        drop(parameters);
        let known = self.with_kept(|kept| kept.answers.get(url.as_str()).cloned());
        let tag = known.as_ref().map(|(tag, _)| tag.as_str());
        let request = || self.request(way, url.clone(), tag);
        let reply = web::ask(&way.clock, &request).await?;
        let rest_until = web::rest_until(&reply, way.clock.now(), REST_MAX);
        self.with_kept(|kept| kept.rest_until = rest_until.or(kept.rest_until));
        match reply.status.as_u16() {
            200 => {
                self.keep(url.as_str(), &reply);
                Ok(Some(reply.body))
            }
            304 => Ok(known.map(|(_, body)| body)),
            404 => Ok(None),
            401 => Err(format!(
                "{}; the token is not one, or has expired",
                web::refused(&reply)
            )),
            _ => Err(web::refused(&reply)),
        }
    }

    fn request(&self, way: &Way, url: Url, tag: Option<&str>) -> Result<RequestBuilder, String> {
        let mut request = way
            .http
            .get(url)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.read(&way.environment)?.expose_secret());
        }
        Ok(match tag {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        })
    }

    fn keep(&self, url: &str, reply: &Reply) {
        let tag = reply.headers.get("etag").and_then(|tag| tag.to_str().ok());
        self.with_kept(|kept| {
            if kept.answers.len() >= ANSWERS_MAX {
                // Most are of runs that have ended; the few that are asked for again cost a request each.
                kept.answers.clear();
            }
            if let Some(tag) = tag {
                let answer = (tag.to_owned(), reply.body.clone());
                kept.answers.insert(url.to_owned(), answer);
            }
        });
    }

    fn with_kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        // Whoever panicked while holding it left answers that are as good as any.
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|_| "the answer is none of GitHub; is the url that of its API?".to_owned())
}
