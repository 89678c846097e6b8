//! Sources that answer over TLS by an authority of their own, which `caFile` of the sidecar's configuration names.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use lowtide::azure::Clock;
use lowtide::base::{Span, Timestamp};
use lowtide::emulator::authority::Authority;
use lowtide::serve::config::Config;
use lowtide::signal::{Asked, Found, Lack, Reading, SignalQuery};
use lowtide::source::{Environment, Sources, SourcesFile};
use lowtide::world::{MetricSource as _, Wanted};

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// Answers as a queue and as a Prometheus, by a certificate of the authority; returns where.
fn server(authority: &Authority) -> String {
    let config = Arc::new(authority.server().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(rustls::StreamOwned::new(session, stream));
            let mut head = String::new();
            // Whoever does not trust the certificate hangs up before it asks.
            while stream.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let (more, body) = if head.contains("/api/v1/") {
                let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1795867200,"7"]}}"#;
                ("", body)
            } else {
                ("x-ms-approximate-messages-count: 12\r\n", "")
            };
            let length = body.len();
            let stream = stream.get_mut();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n{body}"
            );
            if stream.write_all(answer.as_bytes()).is_ok() {
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    url
}

/// Returns what is read of a queue and of a query, with the authorities of a configuration.
fn read(url: &str, account: &str, folder: &std::path::Path) -> Vec<Reading> {
    let text = format!(
        "version = 1\n[account]\nendpoint = \"https://acme.westeurope.batch.azure.com\"\n{account}[policies]\nfolder = \"policies\"\n"
    );
    let config = Config::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults:?}"));
    let authorities = config.authorities().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let environment = || Environment::new(|name| (name == "TOKEN").then(|| "s3cret-token".to_owned()));
    let file = SourcesFile::parse(&format!(
        "[storageQueue.default]\naccount = \"acme\"\nurl = \"{url}\"\nsas = {{ variable = \"TOKEN\" }}\n\
         [prometheus.default]\nurl = \"{url}\"\ntoken = {{ variable = \"TOKEN\" }}\n"
    ))
    .unwrap();
    let sources = Sources::with_clock(
        &file,
        Clock::stepped(now()),
        (environment(), authorities.as_deref()),
        runtime.handle().clone(),
    );
    let asked = [
        Asked::StorageQueue {
            queue: "agents".to_owned(),
            visible_only: false,
        },
        Asked::Prometheus {
            query: "sum(x)".to_owned(),
        },
    ];
    let wanted = asked.map(|what| {
        let query = SignalQuery { endpoint: None, what };
        Wanted {
            id: query.id(),
            query,
            stale_after: Span::minutes(3),
        }
    });
    let mut readings = sources.unwrap().read(now(), &wanted);
    readings.sort_by(|one, other| one.signal.cmp(&other.signal));
    readings
}

#[test]
fn sources_are_trusted_by_the_authority_that_the_configuration_names_and_by_no_other() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let own = Authority::open(&folder.path().join("own")).unwrap();
    let other = Authority::open(&folder.path().join("other")).unwrap();
    let url = server(&own);
    let found = |account: &str| -> Vec<Found> {
        let readings = read(&url, account, folder.path()).into_iter();
        readings.map(|reading| reading.found).collect()
    };
    assert_eq!(
        found("caFile = \"own/ca.pem\"\n"),
        [Found::Value(7.0), Found::Value(12.0)]
    );
    drop(other);
    for account in ["caFile = \"other/ca.pem\"\n", ""] {
        for found in found(account) {
            let Found::Lacking(Lack::Fault(why)) = found else {
                panic!("{account} is trusted: {found:?}")
            };
            assert!(why.contains("is not trusted"), "{why}");
        }
    }
}
