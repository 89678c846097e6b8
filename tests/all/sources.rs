//! Sources of signals against servers that answer as the documented ones do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use lowtide::azure::Clock;
use lowtide::base::{Span, Timestamp};
use lowtide::signal::{Asked, Found, Lack, Reading, SignalQuery};
use lowtide::source::{Environment, Sources, SourcesFile};
use lowtide::world::{MetricSource as _, Wanted};

/// A request as it came: its path with the query, and its headers with names in small letters.
#[derive(Clone, Debug)]
struct Request {
    path: String,
    headers: BTreeMap<String, String>,
}

/// An answer: its status, headers and body.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// A server on this machine, with what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request by a function of it and of how many came before.
    fn open(answer: impl Fn(&Request, usize) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                let path = first.split(' ').nth(1).unwrap_or("").to_owned();
                let mut headers = BTreeMap::new();
                for line in lines.map_while(Result::ok) {
                    let Some((name, value)) = line.split_once(": ") else {
                        break;
                    };
                    headers.insert(name.to_ascii_lowercase(), value.to_owned());
                }
                let request = Request { path, headers };
                let before = kept.lock().unwrap().len();
                let (status, headers, body) = answer(&request, before);
                kept.lock().unwrap().push(request);
                let mut text = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n",
                    body.len()
                );
                for (name, value) in headers {
                    let _ = write!(text, "{name}: {value}\r\n");
                }
                let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes());
            }
        });
        Self { url, asked }
    }

    fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| request.path.clone()).collect()
    }
}

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// The sources of a file, whose clock stands where it is set, and the runtime that drives them.
struct Listening {
    sources: Sources,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
}

impl Listening {
    fn to(file: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let file = SourcesFile::parse(file).unwrap_or_else(|faults| panic!("{faults:?}"));
        let environment = Environment::new(|name| (name == "TOKEN").then(|| "s3cret-token".to_owned()));
        let clock = Clock::stepped(now());
        let sources = Sources::with_clock(
            &file,
            clock.clone(),
            (environment, None),
            runtime.handle().clone(),
        );
        Self {
            sources: sources.unwrap_or_else(|errors| panic!("{errors:?}")),
            clock,
            runtime,
        }
    }

    fn read(&mut self, asked: &[Asked]) -> Vec<Reading> {
        let wanted: Vec<Wanted> = asked
            .iter()
            .map(|what| {
                let query = SignalQuery {
                    endpoint: None,
                    what: what.clone(),
                };
                Wanted {
                    id: query.id(),
                    query,
                    stale_after: Span::minutes(3),
                }
            })
            .collect();
        let mut readings = self.sources.read(self.clock.now(), &wanted);
        readings.sort_by(|one, other| one.signal.cmp(&other.signal));
        assert!(
            !format!("{readings:?} {:?}", self.sources).contains("s3cret"),
            "{readings:?}"
        );
        readings
    }

    fn found(&mut self, asked: &Asked) -> (Timestamp, Found) {
        let reading = self.read(std::slice::from_ref(asked)).remove(0);
        (reading.taken, reading.found)
    }

    fn pass(&self, span: Span) {
        let pause = std::time::Duration::from_secs_f64(span.as_seconds());
        self.runtime.block_on(self.clock.sleep(pause));
    }
}

fn fault(found: &Found) -> &str {
    match found {
        Found::Lacking(Lack::Fault(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn azure_dev_ops_is_asked_for_the_pool_once_and_left_alone_when_it_says_so() {
    let server = Server::open(|request, before| {
        if request
            .path
            .starts_with("/acme/_apis/distributedtask/pools?poolName=")
        {
            let known = request.path.ends_with("=batch");
            let pools = if known {
                r#"{"id":9,"name":"other"},{"id":7,"name":"Batch"}"#
            } else {
                ""
            };
            return (200, Vec::new(), format!(r#"{{"count":1,"value":[{pools}]}}"#));
        }
        assert!(
            request
                .path
                .starts_with("/acme/_apis/distributedtask/pools/7/jobrequests?"),
            "{request:?}"
        );
        if before >= 3 {
            return (429, vec![("retry-after", "120".to_owned())], String::new());
        }
        let jobs = r#"{"value":[
            {"requestId":1,"demands":["docker","Agent.Version -gtVersion 2.182.1"]},
            {"requestId":2,"demands":["gpu"]},
            {"requestId":3,"receiveTime":"2026-11-28T11:59:00Z"},
            {"requestId":4,"result":"succeeded"}]}"#;
        (200, Vec::new(), jobs.to_owned())
    });
    let mut listening = Listening::to(&format!(
        "[azureDevOps.default]\nurl = \"{}/acme\"\ntoken = {{ variable = \"TOKEN\" }}\n",
        server.url
    ));
    let all = Asked::AzureDevOps {
        pool: "batch".to_owned(),
        demands: Vec::new(),
    };
    let docker = Asked::AzureDevOps {
        pool: "batch".to_owned(),
        demands: vec!["docker".to_owned()],
    };
    assert_eq!(listening.found(&all), (now(), Found::Value(2.0)));
    assert_eq!(listening.found(&docker), (now(), Found::Value(1.0)));
    let authorization = server.asked.lock().unwrap()[0].headers["authorization"].clone();
    assert_eq!(
        authorization, "Basic OnMzY3JldC10b2tlbg==",
        "nobody's name, and the token"
    );
    // It asks to be left alone: the last number is told, with its age, and nobody is asked meanwhile.
    assert!(fault(&listening.found(&all).1).contains("429"));
    let n_asked = server.paths().len();
    listening.pass(Span::minutes(1));
    assert_eq!(listening.found(&all), (now(), Found::Value(2.0)));
    assert_eq!(server.paths().len(), n_asked);
    listening.pass(Span::minutes(2));
    assert!(fault(&listening.found(&all).1).contains("429"));
    assert!(server.paths().len() > n_asked);
    let pools = server
        .paths()
        .iter()
        .filter(|path| path.contains("poolName"))
        .count();
    assert_eq!(pools, 1, "the number of a pool never changes");
}

#[test]
fn an_agent_pool_that_is_not_there_is_absent_and_a_sign_in_page_is_told() {
    let server = Server::open(|_, _| (200, Vec::new(), r#"{"value":[]}"#.to_owned()));
    let source = |url: &str| {
        format!("[azureDevOps.default]\nurl = \"{url}/acme\"\ntoken = {{ variable = \"TOKEN\" }}\n")
    };
    let asked = Asked::AzureDevOps {
        pool: "batch".to_owned(),
        demands: Vec::new(),
    };
    let (_, found) = Listening::to(&source(&server.url)).found(&asked);
    assert_eq!(found, Found::Lacking(Lack::Absent));
    let page = Server::open(|_, _| (203, Vec::new(), "<html>Sign in</html>".to_owned()));
    let (_, found) = Listening::to(&source(&page.url)).found(&asked);
    assert!(fault(&found).contains("sign in"), "{found:?}");
}

#[test]
fn git_hub_counts_what_waits_and_runs_and_pays_for_nothing_that_has_not_changed() {
    let server = Server::open(|request, _| {
        let unchanged = request
            .headers
            .get("if-none-match")
            .is_some_and(|tag| tag == "\"1\"");
        let mut headers = vec![
            ("etag", "\"1\"".to_owned()),
            ("x-ratelimit-remaining", "4000".to_owned()),
        ];
        headers.push(("x-ratelimit-reset", "1795870800".to_owned()));
        if unchanged {
            return (304, headers, String::new());
        }
        let jobs = |labels: &str, statuses: &[&str]| {
            let jobs = statuses
                .iter()
                .map(|status| format!(r#"{{"status":"{status}","labels":[{labels}]}}"#));
            format!(
                r#"{{"total_count":1,"jobs":[{}]}}"#,
                jobs.collect::<Vec<_>>().join(",")
            )
        };
        let body = match request.path.as_str() {
            "/repos/acme/app/actions/runs?per_page=100&status=queued" => {
                r#"{"workflow_runs":[{"id":1}]}"#.to_owned()
            }
            "/repos/acme/app/actions/runs?per_page=100&status=in_progress" => {
                r#"{"workflow_runs":[{"id":2},{"id":1}]}"#.to_owned()
            }
            "/repos/acme/app/actions/runs/1/jobs?per_page=100" => {
                jobs(r#""self-hosted","Linux","batch""#, &["queued", "queued"])
            }
            "/repos/acme/app/actions/runs/2/jobs?per_page=100" => jobs(
                r#""self-hosted","batch""#,
                &["in_progress", "completed", "queued"],
            ),
            _ => return (404, Vec::new(), r#"{"message":"Not Found"}"#.to_owned()),
        };
        (200, headers, body)
    });
    let mut listening = Listening::to(&format!(
        "[gitHub.default]\nurl = \"{}\"\ntoken = {{ variable = \"TOKEN\" }}\nrepositories = [\"app\", \"gone\"]\n",
        server.url
    ));
    let asked = |repository: &str, labels: &[&str], queued_only| Asked::GitHub {
        repository: repository.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        queued_only,
    };
    assert_eq!(
        listening.found(&asked("acme/app", &["batch"], false)).1,
        Found::Value(4.0)
    );
    let authorization = server.asked.lock().unwrap()[0].headers["authorization"].clone();
    assert_eq!(authorization, "Bearer s3cret-token");
    let n_asked = server.paths().len();
    assert_eq!(n_asked, 4, "{:?}", server.paths());
    // The same answers again, none of which is sent again.
    assert_eq!(
        listening.found(&asked("acme/app", &["batch"], true)).1,
        Found::Value(3.0)
    );
    assert!(
        server.asked.lock().unwrap()[n_asked..]
            .iter()
            .all(|request| request.headers.contains_key("if-none-match"))
    );
    assert_eq!(
        listening.found(&asked("acme/app", &[], false)).1,
        Found::Value(0.0),
        "runners without that label"
    );
    assert_eq!(
        listening.found(&asked("acme/none", &[], false)).1,
        Found::Lacking(Lack::Absent)
    );
    // One repository of the owner is gone: the other's jobs are a part of the whole.
    assert_eq!(
        listening.found(&asked("acme", &["batch"], false)).1,
        Found::AtLeast(4.0)
    );
    assert!(fault(&listening.found(&asked("other", &[], false)).1).contains("other/app is not there"));
}

#[test]
fn git_hub_is_left_alone_when_its_limit_is_used_up() {
    let server = Server::open(|request, before| {
        let reset = (now() + Span::minutes(20)).unix_seconds().to_string();
        let left = if before >= 1 { "0" } else { "1" };
        let headers = vec![
            ("x-ratelimit-remaining", left.to_owned()),
            ("x-ratelimit-reset", reset),
        ];
        assert!(request.path.contains("/actions/runs?"), "{request:?}");
        (200, headers, r#"{"workflow_runs":[]}"#.to_owned())
    });
    let mut listening = Listening::to(&format!("[gitHub.default]\nurl = \"{}\"\n", server.url));
    let asked = Asked::GitHub {
        repository: "acme/app".to_owned(),
        labels: Vec::new(),
        queued_only: false,
    };
    assert_eq!(listening.found(&asked), (now(), Found::Value(0.0)));
    listening.pass(Span::minutes(19));
    assert_eq!(
        listening.found(&asked),
        (now(), Found::Value(0.0)),
        "as old as it is"
    );
    assert_eq!(server.paths().len(), 2);
    listening.pass(Span::minutes(2));
    assert_eq!(listening.found(&asked).0, now() + Span::minutes(21));
}

#[test]
fn a_source_that_fails_hides_its_own_signals_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("depth"), "12").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut listening = Listening::to(&format!(
        "[storageQueue.default]\naccount = \"acme\"\nurl = \"http://{closed}\"\nkey = {{ variable = \"ABSENT\" }}\n\
         [prometheus.default]\nurl = \"http://{closed}\"\ntoken = {{ variable = \"TOKEN\" }}\n\
         [files]\nfolder = '{}'\n[command.depth]\nrun = [\"echo\", \"{{argument}}\"]\n",
        folder.path().display()
    ));
    let readings = listening.read(&[
        Asked::StorageQueue {
            queue: "agents".to_owned(),
            visible_only: false,
        },
        Asked::Prometheus {
            query: "x".to_owned(),
        },
        Asked::File {
            path: "depth".to_owned(),
        },
        Asked::File {
            path: "other".to_owned(),
        },
        Asked::Command {
            name: "depth/41".to_owned(),
        },
        Asked::Command {
            name: "none".to_owned(),
        },
        Asked::AzureDevOps {
            pool: "batch".to_owned(),
            demands: Vec::new(),
        },
    ]);
    let of = |id: &str| {
        let reading = readings.iter().find(|reading| reading.signal.as_str() == id);
        reading
            .unwrap_or_else(|| panic!("{id} is not told: {readings:?}"))
            .found
            .clone()
    };
    assert_eq!(of("file:depth"), Found::Value(12.0));
    assert_eq!(of("file:other"), Found::Lacking(Lack::Absent));
    assert_eq!(of("command:depth/41"), Found::Value(41.0));
    assert!(fault(&of("storageQueue:agents")).contains("variable ABSENT is not set"));
    assert!(fault(&of("prometheus:x")).contains("cannot be reached"));
    assert!(fault(&of("command:none")).contains("[command.none]"));
    assert!(fault(&of("azureDevOps:batch")).contains("[azureDevOps.default]"));
}
