//! Puts a page together: look, chart library, script and data in one file that loads nothing.
//!
//! The files are those of the dashboard where it has them. Its scripts are modules that import one another; from a disk a browser lets no
//! module import, so that they stand one behind the other in one module here, without their imports and exports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::data::Data;

macro_rules! dashboard {
    ($file:literal) => {
        include_str!(concat!("../serve/http/page/", $file))
    };
}

const STYLES: [&str; 5] = [
    dashboard!("base.css"),
    dashboard!("parts.css"),
    dashboard!("vendor/uplot/uplot.css"),
    dashboard!("pool.css"),
    include_str!("look/report.css"),
];

/// What is done before anything is drawn.
const THEME: &str = dashboard!("theme.js");

const LIBRARY: &str = dashboard!("vendor/uplot/uplot.js");
const LICENSE: &str = dashboard!("vendor/uplot/LICENSE");
const ICON: &str = dashboard!("icon.svg");

/// In the order in which they need each other.
const SCRIPTS: [&str; 7] = [
    dashboard!("dom.js"),
    dashboard!("words.js"),
    dashboard!("chart.js"),
    include_str!("look/moments.js"),
    include_str!("look/plots.js"),
    include_str!("look/sheets.js"),
    include_str!("look/report.js"),
];

/// Returns the page as one file. `plain` is what those see who let no script run.
pub fn html(data: &Data, plain: &str) -> String {
    let style = STYLES.join("\n");
    let script = script();
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(THEME),
        hash(&script),
        hash(&style)
    );
    let icon = STANDARD.encode(ICON);
    let title = escaped(&data.title);
    let json = inert(&serde_json::to_string(data).expect("a page is made of numbers and text"));
    let plain = escaped(plain);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:image/svg+xml;base64,{icon}\">\n\
         <style>{style}</style>\n<script>{THEME}</script>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">Skip to the content</a>\n\
         <header class=\"top\" id=\"top\"></header>\n<main id=\"content\" tabindex=\"-1\"></main>\n\
         <footer class=\"foot\" id=\"foot\"></footer>\n\
         <div id=\"said\" class=\"unseen\" role=\"status\" aria-live=\"polite\"></div>\n\
         <noscript><h1>{title}</h1><pre>{plain}</pre></noscript>\n\
         <script type=\"application/json\" id=\"data\">{json}</script>\n\
         <script type=\"module\">{script}</script>\n</body>\n</html>\n"
    )
}

/// Returns all scripts as one module. The library keeps its names to itself.
fn script() -> String {
    let library = LIBRARY.replace("export { uPlot as default };", "");
    let mut text = format!(
        "/* The charts are drawn by uPlot:\n{LICENSE}*/\nconst uPlot = (() => {{\n{library}\n\
         uPlot.sharpness = (ratio) => {{ pxRatio = uPlot.pxRatio = ratio; }};\nreturn uPlot;\n}})();\n"
    );
    for script in SCRIPTS {
        for line in script.lines().filter(|line| !line.starts_with("import ")) {
            text += line.strip_prefix("export ").unwrap_or(line);
            text.push('\n');
        }
    }
    text
}

/// Returns what the browser is told of a text in the page that may have an effect.
fn hash(text: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// Returns JSON that ends no element and begins no comment, whatever stands in it.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_are_one_module_that_imports_nothing_and_ends_no_element() {
        let script = script();
        let wrong = |line: &&str| line.starts_with("import ") || line.starts_with("export ");
        // Comments of the library speak of exports.
        let (_, ours) = script
            .split_once("return uPlot;")
            .expect("the library comes first");
        assert_eq!(ours.lines().find(wrong), None);
        assert!(!script.contains("</script") && !script.contains("<!--"));
        let style = STYLES.join("\n");
        assert!(!style.contains("</style") && !style.contains("url(") && !style.contains("@import"));
    }

    #[test]
    fn the_library_is_used_whole_but_for_its_export() {
        let published = LIBRARY.trim_end().strip_suffix("export { uPlot as default };");
        assert!(script().contains(published.expect("it ends in its export").trim_end()));
        assert!(
            script().contains("Leon Sorokin"),
            "its licence asks for the notice"
        );
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            inert("\"</script><!--&\""),
            "\"\\u003c/script\\u003e\\u003c!--\\u0026\""
        );
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
