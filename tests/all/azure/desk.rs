//! A server on loopback that answers as a test tells it to, faults included, and keeps what it was asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It answers whole.
    Whole {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// It promises more than it sends.
    Torn { body: String },
    /// It hangs up without an answer.
    Lost,
    /// It never answers.
    Silent,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Whole {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Whole {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Whole {
                status,
                mut headers,
                body,
            } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Whole {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }
}

/// The server; it ends with the process, and its threads wait for nothing else.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Desk {
    /// Starts a server whose answers a function gives, one request at a time.
    pub(crate) fn open(answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let kept = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (kept.clone(), answer.clone());
                std::thread::spawn(move || {
                    let mut stream = stream;
                    if let Some(request) = read(&mut stream) {
                        kept.lock().unwrap().push(request.clone());
                        let given = answer.lock().unwrap()(&request);
                        give(&mut stream, &request, given);
                    }
                });
            }
        });
        Self { url, asked }
    }

    /// Starts a server that gives these answers in turn, and the last one from then on.
    pub(crate) fn script(answers: Vec<Answer>) -> Self {
        let mut answers = answers.into_iter().peekable();
        let mut last = Answer::Lost;
        Self::open(move |_| {
            if let Some(next) = answers.next() {
                last = next;
            }
            last.clone()
        })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads a request whose body, if any, tells its length.
fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let mut asked = Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        ..Asked::default()
    };
    for line in lines {
        let (name, value) = line.split_once(':')?;
        asked
            .headers
            .insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = asked.header("content-length").unwrap_or("0").parse().ok()?;
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut piece).ok()? {
            0 => return None,
            n => body.extend_from_slice(&piece[..n]),
        }
    }
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}

fn give(stream: &mut TcpStream, asked: &Asked, answer: Answer) {
    let text = match answer {
        Answer::Lost => return,
        Answer::Silent => {
            // Longer than any deadline of a test; the thread ends with the process.
            std::thread::sleep(Duration::from_mins(1));
            return;
        }
        Answer::Torn { body } => format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len() + 100
        ),
        Answer::Whole {
            status,
            headers,
            body,
        } => {
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let headers = headers.concat();
            let length = body.len();
            let body = if asked.method == "HEAD" { "" } else { &body };
            format!(
                "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
            )
        }
    };
    let _ = stream.write_all(text.as_bytes());
}
