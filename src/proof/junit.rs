//! Reports as `JUnit` XML, which every build server reads.

use std::fmt::Write;

use super::report::{Check, Mismatch, ScriptReport};

/// Returns reports as one `JUnit` document: a suite for each script, a case for each expectation.
pub fn junit(reports: &[ScriptReport]) -> String {
    let tests: usize = reports.iter().map(|report| report.checks.len()).sum();
    let failures: usize = reports.iter().map(ScriptReport::failed).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lowtide test\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    for report in reports {
        suite(report, &mut xml);
    }
    xml + "</testsuites>\n"
}

fn suite(report: &ScriptReport, xml: &mut String) {
    let name = escape(&report.name);
    put(
        xml,
        format_args!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">\n",
            report.checks.len(),
            report.failed()
        ),
    );
    for check in &report.checks {
        case(&name, check, xml);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(suite: &str, check: &Check, xml: &mut String) {
    let title = escape(&format!("line {}: {}", check.line, check.expectation));
    put(
        xml,
        format_args!("    <testcase classname=\"{suite}\" name=\"{title}\""),
    );
    let Some(Mismatch { expected, got, trace }) = &check.mismatch else {
        xml.push_str("/>\n");
        return;
    };
    let message = escape(&format!("expected {expected}, got {got}"));
    let body = escape(&format!(
        "of        {}\nexpected  {expected}\ngot       {got}\n{}",
        check.evaluated,
        trace.join("\n")
    ));
    put(
        xml,
        format_args!(">\n      <failure message=\"{message}\">{body}</failure>\n    </testcase>\n"),
    );
}

fn put(xml: &mut String, text: std::fmt::Arguments<'_>) {
    xml.write_fmt(text)
        .expect("a string takes all that is written to it");
}

/// Escapes text for XML 1.0; control characters that XML cannot hold become the replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c if c.is_control() && c < ' ' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_xml_cannot_hold_is_escaped_or_replaced() {
        assert_eq!(
            escape("a < \"b\" & c\u{1}\n"),
            "a &lt; &quot;b&quot; &amp; c\u{FFFD}&#10;"
        );
    }
}
