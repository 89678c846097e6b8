//! What is found, as the protocol writes it.

use ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CompletionItem, CompletionItemKind, CompletionTextEdit,
    DiagnosticRelatedInformation, DiagnosticSeverity, Documentation, Hover, HoverContents, InsertTextFormat,
    Location, MarkupContent, MarkupKind, NumberOrString, TextEdit, Uri, WorkspaceEdit,
};

use super::place::Lines;
use super::{Proposal, Sort};
use crate::base::{Diagnostic, Severity};

/// Returns a diagnostic as an editor shows it; the way out stands below the sentence.
pub(super) fn diagnostic(uri: &Uri, lines: &Lines<'_>, found: &Diagnostic) -> ls_types::Diagnostic {
    let message = match &found.help {
        Some(help) => format!("{}\n{help}", found.message),
        None => found.message.clone(),
    };
    let related = found.labels.iter().map(|label| DiagnosticRelatedInformation {
        location: Location::new(uri.clone(), lines.range(&label.span)),
        message: label.text.clone(),
    });
    ls_types::Diagnostic {
        range: lines.range(&found.span),
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(found.code.to_string())),
        source: Some("lowtide".to_owned()),
        message,
        related_information: (!found.labels.is_empty()).then(|| related.collect()),
        ..ls_types::Diagnostic::default()
    }
}

/// Returns the edit that mends a fault, when there is one that is sure.
pub(super) fn mend(uri: &Uri, lines: &Lines<'_>, found: &Diagnostic) -> Option<CodeActionOrCommand> {
    let fix = found.fix.as_ref()?;
    let title = match (fix.replacement.trim(), &found.help) {
        (_, Some(help)) => help.clone(),
        ("", None) => "remove it".to_owned(),
        (text, None) => format!("write `{text}`"),
    };
    let edit = TextEdit::new(lines.range(&fix.span), fix.replacement.clone());
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: format!("{}: {title}", found.code),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(uri, lines, found)]),
        edit: Some(WorkspaceEdit::new([(uri.clone(), vec![edit])].into())),
        is_preferred: Some(true),
        ..CodeAction::default()
    }))
}

/// Returns proposals as an editor lists them, in their order.
pub(super) fn completions(
    proposals: Vec<Proposal>,
    range: ls_types::Range,
    snippets: bool,
) -> Vec<CompletionItem> {
    let item = |(number, proposal): (usize, Proposal)| {
        let (before, after) = proposal.around;
        let is_snippet = snippets && !after.is_empty();
        let text = match (before, after) {
            _ if is_snippet => format!("{}{before}$0{after}", proposal.label.replace('$', "\\$")),
            // Without a place for the cursor the brackets would be in the way.
            (_, "") => format!("{}{before}", proposal.label),
            (..) => proposal.label.clone(),
        };
        CompletionItem {
            kind: Some(sign(proposal.sort)),
            detail: (!proposal.detail.is_empty()).then_some(proposal.detail),
            documentation: (!proposal.doc.is_empty())
                .then(|| Documentation::MarkupContent(markdown(proposal.doc))),
            sort_text: Some(format!("{number:04}")),
            filter_text: Some(proposal.label.clone()),
            insert_text_format: is_snippet.then_some(InsertTextFormat::SNIPPET),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(range, text))),
            label: proposal.label,
            ..CompletionItem::default()
        }
    };
    proposals.into_iter().enumerate().map(item).collect()
}

const fn sign(sort: Sort) -> CompletionItemKind {
    match sort {
        Sort::Function => CompletionItemKind::FUNCTION,
        Sort::Method => CompletionItemKind::METHOD,
        Sort::Member => CompletionItemKind::FIELD,
        Sort::Variable => CompletionItemKind::VARIABLE,
        Sort::Constant => CompletionItemKind::CONSTANT,
        Sort::Key => CompletionItemKind::PROPERTY,
        Sort::Value => CompletionItemKind::ENUM_MEMBER,
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    }
}

/// Returns an explanation.
pub(super) fn hover(value: String, range: ls_types::Range) -> Hover {
    Hover {
        contents: HoverContents::Markup(markdown(value)),
        range: Some(range),
    }
}
