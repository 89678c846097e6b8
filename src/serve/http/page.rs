//! The dashboard: a page of a few files that are in the program, which asks the interface for everything that it shows.
//!
//! Its files tell nothing of the account and are open to everybody. They may load nothing from elsewhere, and run no script that
//! stands in the page itself: that is what their policy says to the browser.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// One file of the page.
struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal, $kind:ident, $file:literal;)*) => {
        &[$(File { path: $path, kind: $kind, bytes: include_bytes!(concat!("page/", $file)) },)*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

#[rustfmt::skip] // A table: its rows stay together.
const FILES: &[File] = files! {
    "/", HTML, "index.html";
    "/page/icon.svg", IMAGE, "icon.svg";
    "/page/base.css", CSS, "base.css";
    "/page/parts.css", CSS, "parts.css";
    "/page/theme.js", SCRIPT, "theme.js";
    "/page/main.js", SCRIPT, "main.js";
    "/page/api.js", SCRIPT, "api.js";
    "/page/live.js", SCRIPT, "live.js";
    "/page/dom.js", SCRIPT, "dom.js";
    "/page/words.js", SCRIPT, "words.js";
    "/page/account.js", SCRIPT, "account.js";
    "/page/alerts.js", SCRIPT, "alerts.js";
    "/page/savings.js", SCRIPT, "savings.js";
    "/page/pools.js", SCRIPT, "pools.js";
    "/page/pool.js", SCRIPT, "pool.js";
    "/page/chart.js", SCRIPT, "chart.js";
    "/page/marks.js", SCRIPT, "marks.js";
    "/page/chain.js", SCRIPT, "chain.js";
    "/page/whatif.js", SCRIPT, "whatif.js";
    "/page/halts.js", SCRIPT, "halts.js";
    "/page/token.js", SCRIPT, "token.js";
    "/page/pool.css", CSS, "pool.css";
    "/page/vendor/uplot/uplot.js", SCRIPT, "vendor/uplot/uplot.js";
    "/page/vendor/uplot/uplot.css", CSS, "vendor/uplot/uplot.css";
    "/page/vendor/uplot/LICENSE", TEXT, "vendor/uplot/LICENSE";
};

/// What the page may do: load its own files, ask its own sidecar, and nothing else. Text never becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// What tells each file from its other versions.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(|file| tag(file.bytes)).collect());

fn tag(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let first = digest.first_chunk().copied().unwrap_or_default();
    format!("\"{:016x}\"", u64::from_be_bytes(first))
}

/// Returns the files of the page.
pub(super) fn router() -> Router {
    FILES
        .iter()
        .zip(TAGS.iter())
        .fold(Router::new(), |router, (file, tag)| {
            router.route(
                file.path,
                get(move |headers: HeaderMap| async move { answer(file, tag, &headers) }),
            )
        })
}

/// Says whether a path is a file of the page.
pub(super) fn is_part(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

/// Answers with the file, or that the one that the browser has is still right.
fn answer(file: &'static File, tag: &'static str, headers: &HeaderMap) -> Response {
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, file.kind)], file.bytes).into_response()
    };
    let headers = response.headers_mut();
    // Asked for each time, so that a new version of the program is a new page at once.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, HeaderValue::from_static(tag));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
