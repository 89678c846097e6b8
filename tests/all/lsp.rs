//! The language server, asked as an editor asks it: a process of its own at the other end of two pipes.

use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};

struct Editor {
    server: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
    asked: i32,
}

impl Editor {
    /// Starts the server and agrees with it on what both can do.
    fn new(capabilities: &Value) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_lowtide"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut editor = Self {
            to: BufWriter::new(server.stdin.take().unwrap()),
            from: BufReader::new(server.stdout.take().unwrap()),
            server,
            asked: 0,
        };
        let answer = editor.ask("initialize", &json!({ "capabilities": capabilities }));
        assert_eq!(answer["serverInfo"]["name"], "lowtide");
        editor.tell("initialized", &json!({}));
        editor
    }

    fn plain() -> Self {
        Self::new(&json!({}))
    }

    fn send(&mut self, message: &Message) {
        message.write(&mut self.to).unwrap();
        self.to.flush().unwrap();
    }

    fn tell(&mut self, method: &str, parameters: &Value) {
        self.send(&Notification::new(method.to_owned(), parameters).into());
    }

    fn response(&mut self, method: &str, parameters: &Value) -> lsp_server::Response {
        self.asked += 1;
        self.send(&Request::new(self.asked.into(), method.to_owned(), parameters).into());
        match Message::read(&mut self.from).unwrap() {
            Some(Message::Response(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let response = self.response(method, parameters);
        response
            .response_result
            .unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// Returns what is told next of a text: its name, and its diagnostics.
    fn told(&mut self) -> (String, Vec<Value>) {
        match Message::read(&mut self.from).unwrap() {
            Some(Message::Notification(told)) => {
                assert_eq!(told.method, "textDocument/publishDiagnostics");
                let name = told.params["uri"].as_str().unwrap().rsplit('/').next().unwrap();
                let found = told.params["diagnostics"].as_array().unwrap().clone();
                (name.to_owned(), found)
            }
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, uri: &str, language: &str, text: &str) {
        self.tell(
            "textDocument/didOpen",
            &json!({ "textDocument": { "uri": uri, "languageId": language, "version": 1, "text": text } }),
        );
    }

    fn change(&mut self, uri: &str, text: &str) {
        self.tell(
            "textDocument/didChange",
            &json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [ { "text": text } ] }),
        );
    }

    /// Asks about a place: line and unit of a line.
    fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        let place = json!({ "line": line, "character": character });
        self.ask(
            method,
            &json!({ "textDocument": { "uri": uri }, "position": place }),
        )
    }

    fn end(mut self) {
        self.ask("shutdown", &Value::Null);
        self.tell("exit", &Value::Null);
        assert!(self.server.wait().unwrap().success());
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // One that has ended cannot be ended, and that is well.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn labels(answer: &Value) -> Vec<&str> {
    let items = answer.as_array().expect("a list");
    items.iter().map(|item| item["label"].as_str().unwrap()).collect()
}

fn codes(found: &[Value]) -> Vec<&str> {
    found
        .iter()
        .map(|found| found["code"].as_str().unwrap())
        .collect()
}

const FORMULA: &str = "file:///there/is/no/such.formula";

#[test]
fn faults_are_told_while_it_is_typed_and_taken_back() {
    let mut editor = Editor::plain();
    editor.open(FORMULA, "plaintext", "$TargetDedicatedNodes = mx(1, 2);");
    let (name, found) = editor.told();
    assert_eq!(name, "such.formula");
    assert_eq!(codes(&found), ["F102"], "{found:#?}");
    assert_eq!(found[0]["severity"], 1);
    assert_eq!(found[0]["source"], "lowtide");
    assert_eq!(found[0]["range"]["start"], json!({ "line": 0, "character": 24 }));
    assert_eq!(found[0]["range"]["end"], json!({ "line": 0, "character": 26 }));
    editor.change(FORMULA, "$TargetDedicatedNodes = max(1, 2);");
    assert_eq!(codes(&editor.told().1), [""; 0]);
    editor.tell(
        "textDocument/didClose",
        &json!({ "textDocument": { "uri": FORMULA } }),
    );
    assert_eq!(
        codes(&editor.told().1),
        [""; 0],
        "what is closed is told nothing of"
    );
    editor.end();
}

#[test]
fn a_fault_that_can_be_mended_is_with_one_choice() {
    let mut editor = Editor::plain();
    editor.open(FORMULA, "plaintext", "a = 1\n$TargetDedicatedNodes = a;");
    editor.told();
    let place = json!({ "start": { "line": 1, "character": 3 }, "end": { "line": 1, "character": 3 } });
    let choices = editor.ask(
        "textDocument/codeAction",
        &json!({ "textDocument": { "uri": FORMULA }, "range": place, "context": { "diagnostics": [] } }),
    );
    assert_eq!(choices.as_array().unwrap().len(), 1, "{choices:#}");
    let edits = &choices[0]["edit"]["changes"][FORMULA];
    assert_eq!(edits[0]["newText"], ";", "{choices:#}");
    assert_eq!(edits[0]["range"]["start"], json!({ "line": 0, "character": 5 }));
    assert_eq!(choices[0]["kind"], "quickfix");
    editor.end();
}

#[test]
fn words_are_completed_and_explained() {
    let mut editor = Editor::new(&json!({
        "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } }
    }));
    editor.open(FORMULA, "plaintext", "// 🌊\n$x = $PendingTasks.Get\n");
    editor.told();
    let found = editor.at("textDocument/completion", FORMULA, 1, 22);
    assert_eq!(labels(&found)[0], "GetSample");
    assert_eq!(found[0]["textEdit"]["newText"], "GetSample($0)");
    assert_eq!(
        found[0]["textEdit"]["range"]["start"],
        json!({ "line": 1, "character": 19 })
    );
    let said = editor.at("textDocument/hover", FORMULA, 1, 8);
    assert!(
        said["contents"]["value"]
            .as_str()
            .unwrap()
            .contains("data set $PendingTasks")
    );
    assert_eq!(editor.at("textDocument/hover", FORMULA, 0, 3), Value::Null);
    editor.end();
}

#[test]
fn the_code_of_a_fault_is_explained_where_it_stands() {
    let mut editor = Editor::plain();
    editor.open(FORMULA, "plaintext", "$TargetDedicatedNodes = mx(1, 2);");
    editor.told();
    let said = editor.at("textDocument/hover", FORMULA, 0, 25);
    let said = said["contents"]["value"].as_str().unwrap();
    assert!(said.starts_with("**F102** "), "{said}");
    editor.end();
}

#[test]
fn a_formula_is_laid_out_and_a_broken_one_left_alone() {
    let mut editor = Editor::plain();
    let ask =
        json!({ "textDocument": { "uri": FORMULA }, "options": { "tabSize": 4, "insertSpaces": true } });
    editor.open(FORMULA, "plaintext", "a=1;$TargetDedicatedNodes=a;");
    editor.told();
    let edits = editor.ask("textDocument/formatting", &ask);
    assert_eq!(edits[0]["newText"], "a = 1;\n$TargetDedicatedNodes = a;\n");
    assert_eq!(edits[0]["range"]["end"], json!({ "line": 0, "character": 28 }));
    editor.change(FORMULA, "a = 1;\n$TargetDedicatedNodes = a;\n");
    editor.told();
    assert_eq!(editor.ask("textDocument/formatting", &ask), json!([]));
    editor.change(FORMULA, "a = (1;");
    editor.told();
    assert_eq!(editor.ask("textDocument/formatting", &ask), Value::Null);
    editor.end();
}

const POLICY: &str = "version: 1
pool: render
interval: 30s
bounds: { dedicated: [0, 4] }
demand:
  - formula: { file: own.formula, role: targets }
";

#[test]
fn a_policy_is_read_with_the_formula_that_is_open_beside_it() {
    let place = tempfile::tempdir().unwrap();
    let policy = uri(&place.path().join("render.yaml"));
    let formula = uri(&place.path().join("own.formula"));
    std::fs::write(place.path().join("own.formula"), "$TargetDedicatedNodes = mx(1);").unwrap();
    let mut editor = Editor::plain();
    editor.open(&policy, "yaml", POLICY);
    let mut told = [editor.told(), editor.told()];
    told.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(told[0].0, "own.formula", "told though it is not open: {told:#?}");
    assert_eq!(codes(&told[0].1), ["F102"]);
    assert_eq!(codes(&told[1].1), [""; 0]);
    // What is typed counts, and not what is saved.
    editor.open(&formula, "plaintext", "$TargetDedicatedNodes = max(1, 2);");
    let told = [editor.told(), editor.told()];
    assert!(told.iter().all(|(_, found)| found.is_empty()), "{told:#?}");
    editor.change(&policy, &POLICY.replace("interval: 30s", "interval: 5s"));
    let told = [editor.told(), editor.told()];
    let (_, found) = told.iter().find(|(name, _)| name == "render.yaml").unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["range"]["start"]["line"], 2);
    editor.end();
}

#[test]
fn keys_of_a_policy_come_from_its_schema() {
    let mut editor = Editor::plain();
    let policy = "file:///there/is/no/policy.yaml";
    editor.open(policy, "yaml", "version: 1\npool: a\nmode: \n\n");
    editor.told();
    let found = editor.at("textDocument/completion", policy, 3, 0);
    assert!(labels(&found).contains(&"demand"), "{:?}", labels(&found));
    assert!(!labels(&found).contains(&"pool"));
    let found = editor.at("textDocument/completion", policy, 2, 6);
    assert!(labels(&found).contains(&"shadow"), "{:?}", labels(&found));
    let said = editor.at("textDocument/hover", policy, 2, 1);
    assert!(said["contents"]["value"].as_str().unwrap().starts_with("`mode`"));
    editor.end();
}

#[test]
fn nothing_is_said_of_other_files() {
    let mut editor = Editor::plain();
    let other = "file:///there/is/no/deployment.yaml";
    editor.open(other, "yaml", "apiVersion: v1\nkind: Pod\nbroken: [\n");
    assert_eq!(editor.at("textDocument/hover", other, 0, 2), Value::Null);
    assert_eq!(editor.at("textDocument/completion", other, 0, 2), Value::Null);
    editor.end();
}

#[test]
fn what_it_does_not_know_is_refused_and_it_goes_on() {
    let mut editor = Editor::plain();
    let unknown = editor.response("textDocument/rename", &json!({}));
    assert_eq!(unknown.response_result.unwrap_err().code, -32601);
    let broken = editor.response("textDocument/hover", &json!({ "textDocument": 3 }));
    assert_eq!(broken.response_result.unwrap_err().code, -32602);
    editor.tell("textDocument/didOpen", &json!({ "textDocument": 3 }));
    editor.tell("$/setTrace", &json!({ "value": "off" }));
    assert_eq!(
        editor.at("textDocument/hover", "file:///not/open", 0, 0),
        Value::Null
    );
    editor.end();
}

#[test]
fn bytes_are_counted_where_the_editor_offers_it() {
    let mut editor = Editor::new(&json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } }));
    let text = "$a = /* 🌊 */ mx(1);";
    editor.open(FORMULA, "plaintext", text);
    let found = editor.told().1;
    let fault = found.iter().find(|found| found["code"] == "F102").unwrap();
    assert_eq!(fault["range"]["start"]["character"], text.find("mx").unwrap());
    editor.end();
}

#[test]
fn what_is_no_protocol_ends_it_with_a_reason() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .arg("lsp")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    server.stdin.take().unwrap().write_all(b"hello\r\n\r\n").unwrap();
    let output = server.wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("language server protocol"), "{said}");
    assert!(!said.contains("panic"), "{said}");
}
