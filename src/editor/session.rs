//! One editor at the other end: its texts, its questions, and what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ls_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Notification as _,
    PublishDiagnostics,
};
use ls_types::request::{CodeActionRequest, Completion, Formatting, HoverRequest, Request as _};
use ls_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, CompletionResponse,
    Hover, HoverProviderCapability, InitializeParams, OneOf, Position, PublishDiagnosticsParams,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextEdit, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, ProtocolError, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::place::{Encoding, Lines};
use super::{Kind, answers, keys, words};
use crate::base::{Code, Diagnostic};
use crate::formula::{self, Dialect};

/// What is said of texts, by the floor that reads files and names the formats.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge {
    /// Says everything that can be said of a text: what is its own, and what is about files that it names.
    pub findings: fn(Kind, &Path, &str, &Open) -> Vec<TextFindings>,
    /// Returns the JSON Schema of a kind of text that is YAML.
    pub schema: fn(Kind) -> Option<Value>,
    /// Says why a code is given.
    pub why: fn(Code) -> Option<&'static str>,
}

/// The texts that are open in the editor, saved or not.
#[derive(Debug, Default)]
pub struct Open(BTreeMap<PathBuf, String>);

/// What was found in one text.
#[derive(Clone, Debug)]
pub struct TextFindings {
    /// Where it stands.
    pub path: PathBuf,
    /// The text that the places are of.
    pub text: String,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a session ended before its time.
#[derive(Debug)]
pub struct SessionError(String);

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the editor does not speak the language server protocol: {}",
            self.0
        )
    }
}

impl std::error::Error for SessionError {}

impl From<ProtocolError> for SessionError {
    fn from(error: ProtocolError) -> Self {
        Self(error.to_string())
    }
}

impl Open {
    /// Returns the text of a file as it stands in the editor.
    pub fn text(&self, path: &Path) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// Speaks with an editor until it says that it is done.
///
/// # Errors
/// When what comes is not the protocol, or nobody is there any more.
pub fn serve(connection: &Connection, knowledge: Knowledge) -> Result<(), SessionError> {
    let (id, parameters) = connection.initialize_start()?;
    let parameters: InitializeParams = match serde_json::from_value(parameters) {
        Ok(parameters) => parameters,
        Err(error) => {
            let refusal = Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string());
            // Whoever is gone hears nothing.
            let _ = connection.sender.send(refusal.into());
            return Err(SessionError(error.to_string()));
        }
    };
    let capabilities = &parameters.capabilities;
    let general = capabilities.general.as_ref();
    let offered = general.and_then(|general| general.position_encodings.as_deref());
    let completion = capabilities.text_document.as_ref();
    let completion = completion.and_then(|texts| texts.completion.as_ref()?.completion_item.as_ref());
    let mut session = Session {
        connection,
        knowledge,
        encoding: Encoding::agreed(offered),
        snippets: completion.is_some_and(|item| item.snippet_support == Some(true)),
        texts: BTreeMap::new(),
        found: BTreeMap::new(),
        schemas: BTreeMap::new(),
    };
    let answer = json!({
        "capabilities": session.offers(),
        "serverInfo": { "name": "lowtide", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer)?;
    session.run()
}

/// A text that is open.
struct Document {
    path: PathBuf,
    language: String,
    version: i32,
    text: String,
}

impl Document {
    fn kind(&self) -> Option<Kind> {
        Kind::of(&self.path, &self.language, &self.text)
    }
}

struct Session<'a> {
    connection: &'a Connection,
    knowledge: Knowledge,
    encoding: Encoding,
    snippets: bool,
    texts: BTreeMap<Uri, Document>,
    /// What the editor was told last, for each text with findings.
    found: BTreeMap<Uri, Vec<Diagnostic>>,
    schemas: BTreeMap<Kind, Option<Value>>,
}

impl Session<'_> {
    fn offers(&self) -> ServerCapabilities {
        ServerCapabilities {
            position_encoding: Some(self.encoding.name()),
            // A formula has at most 8 KB, and a policy not much more.
            text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
            completion_provider: Some(CompletionOptions {
                trigger_characters: Some(vec!["$".to_owned(), ".".to_owned()]),
                ..CompletionOptions::default()
            }),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            document_formatting_provider: Some(OneOf::Left(true)),
            code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
                ..CodeActionOptions::default()
            })),
            ..ServerCapabilities::default()
        }
    }

    fn run(&mut self) -> Result<(), SessionError> {
        let mut changed = false;
        while let Ok(message) = self.connection.receiver.recv() {
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let response = self.answer(request);
                    self.send(response.into())?;
                }
                Message::Notification(notification) => changed |= self.hear(notification),
                Message::Response(_) => {}
            }
            // Whoever types fast is told once, of the latest text.
            if changed && self.connection.receiver.is_empty() {
                self.tell()?;
                changed = false;
            }
        }
        Err(SessionError("it went without a word".to_owned()))
    }

    fn send(&self, message: Message) -> Result<(), SessionError> {
        let sent = self.connection.sender.send(message);
        sent.map_err(|_| SessionError("nobody listens any more".to_owned()))
    }

    /// Takes in what an editor tells; says whether a text has changed.
    fn hear(&mut self, notification: Notification) -> bool {
        fn read<N: ls_types::notification::Notification>(parameters: Value) -> Option<N::Params> {
            // There is no answer to a notification that cannot be read.
            serde_json::from_value(parameters).ok()
        }
        let parameters = notification.params;
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(opened) = read::<DidOpenTextDocument>(parameters) else {
                    return false;
                };
                let document = opened.text_document;
                let path = document.uri.to_file_path();
                let path = path.map_or_else(
                    || PathBuf::from(document.uri.path().as_str()),
                    std::borrow::Cow::into_owned,
                );
                let text = Document {
                    path,
                    language: document.language_id,
                    version: document.version,
                    text: document.text,
                };
                self.texts.insert(document.uri, text);
                true
            }
            DidChangeTextDocument::METHOD => {
                let Some(mut change) = read::<DidChangeTextDocument>(parameters) else {
                    return false;
                };
                let text = self.texts.get_mut(&change.text_document.uri);
                let (Some(text), Some(last)) = (text, change.content_changes.pop()) else {
                    return false;
                };
                text.text = last.text;
                text.version = change.text_document.version;
                true
            }
            DidCloseTextDocument::METHOD => read::<DidCloseTextDocument>(parameters)
                .is_some_and(|closed| self.texts.remove(&closed.text_document.uri).is_some()),
            // A file beside a policy may have changed with it.
            DidSaveTextDocument::METHOD => true,
            _ => false,
        }
    }

    /// Tells what is found now, and takes back what is not found any more.
    fn tell(&mut self) -> Result<(), SessionError> {
        let texts = self.texts.values();
        let open = Open(texts.map(|text| (text.path.clone(), text.text.clone())).collect());
        let mut now: BTreeMap<Uri, (Option<i32>, TextFindings)> = BTreeMap::new();
        for (uri, text) in &self.texts {
            let Some(kind) = text.kind() else { continue };
            for findings in (self.knowledge.findings)(kind, &text.path, &text.text, &open) {
                if findings.path == text.path {
                    now.insert(uri.clone(), (Some(text.version), findings));
                } else if open.text(&findings.path).is_none()
                    && let Some(beside) = Uri::from_file_path(&findings.path)
                {
                    // What is open is told by itself.
                    now.insert(beside, (None, findings));
                }
            }
        }
        let gone: BTreeSet<Uri> = self
            .found
            .keys()
            .filter(|uri| !now.contains_key(uri))
            .cloned()
            .collect();
        for uri in gone {
            self.found.remove(&uri);
            self.publish(uri, None, Vec::new())?;
        }
        for (uri, (version, findings)) in now {
            let lines = Lines::of(&findings.text, self.encoding);
            let told = findings
                .diagnostics
                .iter()
                .map(|found| answers::diagnostic(&uri, &lines, found));
            self.publish(uri.clone(), version, told.collect())?;
            self.found.insert(uri, findings.diagnostics);
        }
        Ok(())
    }

    fn publish(
        &self,
        uri: Uri,
        version: Option<i32>,
        diagnostics: Vec<ls_types::Diagnostic>,
    ) -> Result<(), SessionError> {
        let parameters = PublishDiagnosticsParams::new(uri, diagnostics, version);
        let method = PublishDiagnostics::METHOD.to_owned();
        self.send(Notification::new(method, parameters).into())
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let answer = match method.as_str() {
            Completion::METHOD => parse::<Completion>(params).map(|asked| {
                let place = asked.text_document_position;
                to_json(self.complete(&place.text_document.uri, place.position))
            }),
            HoverRequest::METHOD => parse::<HoverRequest>(params).map(|asked| {
                let place = asked.text_document_position_params;
                to_json(self.hover(&place.text_document.uri, place.position))
            }),
            Formatting::METHOD => {
                parse::<Formatting>(params).map(|asked| to_json(self.format(&asked.text_document.uri)))
            }
            CodeActionRequest::METHOD => parse::<CodeActionRequest>(params)
                .map(|asked| to_json(self.mend(&asked.text_document.uri, asked.range))),
            _ => {
                let message = format!("`{method}` is not offered");
                return Response::new_err(id, ErrorCode::MethodNotFound as i32, message);
            }
        };
        match answer {
            Ok(value) => Response::new_ok(id, value),
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
        }
    }

    fn complete(&mut self, uri: &Uri, position: Position) -> Option<CompletionResponse> {
        let kind = self.texts.get(uri)?.kind()?;
        self.know(kind);
        let text = &self.texts.get(uri)?.text;
        let lines = Lines::of(text, self.encoding);
        let at = lines.offset(position);
        let (word, proposals) = match (kind, self.schema(kind)) {
            (Kind::Formula, _) => (words::word_at(text, at), words::propose(text, at)),
            (_, Some(schema)) => keys::propose(text, at, schema),
            (_, None) => return None,
        };
        let items = answers::completions(proposals, lines.range(&word), self.snippets);
        Some(CompletionResponse::Array(items))
    }

    fn hover(&mut self, uri: &Uri, position: Position) -> Option<Hover> {
        let kind = self.texts.get(uri)?.kind()?;
        self.know(kind);
        let text = &self.texts.get(uri)?.text;
        let lines = Lines::of(text, self.encoding);
        let at = lines.offset(position);
        let said = match (kind, self.schema(kind)) {
            (Kind::Formula, _) => {
                let word = words::word_at(text, at);
                words::explain(&text[word.clone()], text).map(|said| (word, said))
            }
            (_, Some(schema)) => keys::explain(text, at, schema),
            (_, None) => None,
        };
        let mut parts = Vec::new();
        let mut place: Option<Range<usize>> = None;
        for found in self.found.get(uri).into_iter().flatten() {
            let touches = found.span.start <= at && at <= found.span.end;
            if let Some(why) = (self.knowledge.why)(found.code).filter(|_| touches) {
                let why = format!("**{}** {why}", found.code);
                if !parts.contains(&why) {
                    parts.push(why);
                }
                place = place.or(Some(found.span.clone()));
            }
        }
        if let Some((word, said)) = said {
            parts.insert(0, said);
            place = Some(word);
        }
        Some(answers::hover(parts.join("\n\n---\n\n"), lines.range(&place?)))
    }

    /// Lays a formula out; what cannot be read stays as it is, and its faults are told already.
    fn format(&self, uri: &Uri) -> Option<Vec<TextEdit>> {
        let text = self.texts.get(uri)?;
        if text.kind()? != Kind::Formula {
            return None;
        }
        let laid_out = formula::format(&text.text, Dialect::default()).ok()?;
        if laid_out == text.text {
            return Some(Vec::new());
        }
        let whole = Lines::of(&text.text, self.encoding).whole();
        Some(vec![TextEdit::new(whole, laid_out)])
    }

    fn mend(&self, uri: &Uri, range: ls_types::Range) -> Vec<ls_types::CodeActionOrCommand> {
        let (Some(text), Some(found)) = (self.texts.get(uri), self.found.get(uri)) else {
            return Vec::new();
        };
        let lines = Lines::of(&text.text, self.encoding);
        let (start, end) = (lines.offset(range.start), lines.offset(range.end));
        found
            .iter()
            .filter(|found| found.span.start <= end && start <= found.span.end)
            .filter_map(|found| answers::mend(uri, &lines, found))
            .collect()
    }

    fn know(&mut self, kind: Kind) {
        let schema = self.knowledge.schema;
        self.schemas.entry(kind).or_insert_with(|| schema(kind));
    }

    fn schema(&self, kind: Kind) -> Option<&Value> {
        self.schemas.get(&kind)?.as_ref()
    }
}

fn parse<R: ls_types::request::Request>(parameters: Value) -> Result<R::Params, serde_json::Error>
where
    R::Params: DeserializeOwned,
{
    serde_json::from_value(parameters)
}

fn to_json<T: serde::Serialize>(answer: T) -> Value {
    serde_json::to_value(answer).expect("an answer is made of numbers and text")
}
