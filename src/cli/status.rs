//! `lowtide status`: the board of a running sidecar on one screen.

use std::io::Write;

use serde_json::Value;

use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::pause::halt_text;
use super::render::visible;
use super::server_options::ServerOptions;
use super::terminal::{Paint, Terminal};
use super::wiring;
use crate::base::Timestamp;

/// Show what a running sidecar sees and does: pools, nodes, the latest decisions, what is paused and what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 it steers (or stands by), 1 it does not answer, 3 it steers and something deserves a look, 4 it does not steer.")]
pub(super) struct Status {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    output: OutputOption,
}

impl Status {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let server = self.server.connect()?;
        let account = server.get("/api/v1/account")?;
        let pools = server.get("/api/v1/pools")?;
        match self.output.output {
            Output::Json => {
                terminal.json(&serde_json::json!({ "account": account, "pools": pools["pools"] }))?;
            }
            Output::Text => {
                let text = page(
                    &account,
                    &pools,
                    server.url(),
                    (terminal.paint(), terminal.width()),
                    wiring::now(),
                );
                terminal.out().write_all(text.as_bytes())?;
            }
        }
        Ok(match account["status"].as_str() {
            Some("ready" | "standby") => Exit::Success,
            Some("degraded") => Exit::Warnings,
            _ => Exit::Failed,
        })
    }
}

/// Columns that the reason of a pool is cut to, at the least.
const REASON_COLUMNS_MIN: usize = 20;

fn page(account: &Value, pools: &Value, url: &str, (paint, width): (Paint, usize), now: Timestamp) -> String {
    let pools = pools["pools"].as_array().cloned().unwrap_or_default();
    let mut text = head(account, url, paint, now);
    for reason in account["reasons"].as_array().into_iter().flatten() {
        text += &format!(
            "  {}\n",
            paint.on(Paint::CARE, visible(reason.as_str().unwrap_or("")))
        );
    }
    for halt in account["halts"].as_array().into_iter().flatten() {
        text += &format!(
            "  {}\n",
            paint.on(Paint::CARE, visible(&format!("paused: {}", halt_text(halt))))
        );
    }
    if pools.is_empty() {
        text += "\nno pool is steered yet\n";
        return text;
    }
    text.push('\n');
    text += &table(&pools, (paint, width), now);
    text
}

fn head(account: &Value, url: &str, paint: Paint, now: Timestamp) -> String {
    let word = |key: &str| account[key].as_str().unwrap_or("?").to_owned();
    let status = word("status");
    let (style, told) = match status.as_str() {
        "ready" => (Paint::GOOD, "steers"),
        "standby" => (Paint::GOOD, "stands by"),
        "degraded" => (Paint::CARE, "steers, and something deserves a look"),
        _ => (Paint::BAD, "does NOT steer"),
    };
    let dry = if account["dryRun"] == true {
        ", orders kept back (dryRun)"
    } else {
        ""
    };
    let seen = age(&account["lastSeen"], now).map_or("never".to_owned(), |age| format!("{age} ago"));
    let cost = &account["cost"];
    let number = |key: &str| cost[key].as_f64().unwrap_or(0.0);
    let nodes = |key: &str| {
        let lane = |lane: &str| account[key][lane].as_u64().unwrap_or(0);
        format!("{}+{}", lane("dedicated"), lane("spot"))
    };
    format!(
        "{} {} {} {dry}\n  {url}, version {}, last look {seen}\n  {} nodes of {} (dedicated+spot), ${:.2}/h, ${:.2}/h if all were dedicated\n",
        paint.on(Paint::HEADING, format!("account {}", visible(&word("account")))),
        paint.on(style, &status),
        paint.on(Paint::ASIDE, told),
        word("version"),
        nodes("current"),
        nodes("target"),
        number("now"),
        number("allDedicated"),
    )
    .replace(" \n", "\n")
}

/// Returns how long ago a moment is, in short.
fn age(moment: &Value, now: Timestamp) -> Option<String> {
    let at: Timestamp = moment.as_str()?.parse().ok()?;
    let span = now.since(at);
    let seconds = if span.is_negative() {
        0
    } else {
        span.as_seconds() as i64
    };
    Some(match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    })
}

/// The columns of the table; those in which nothing stands are left out.
const COLUMNS: [&str; 8] = ["POOL", "MODE", "NODES", "TARGET", "BUSY", "", "AGO", "WHY"];

/// Returns a pool as a row of the table.
fn row(pool: &Value, now: Timestamp) -> [String; 8] {
    let nodes = |mix: &Value| {
        let lane = |lane: &str| mix[lane].as_u64().map_or("?".to_owned(), |n| n.to_string());
        format!("{}+{}", lane("dedicated"), lane("spot"))
    };
    let word = |key: &str| visible(pool[key].as_str().unwrap_or(""));
    let count = |key: &str| {
        let count = pool["nodes"][key].as_u64();
        count.map_or("?".to_owned(), |n| n.to_string())
    };
    let target = if pool["order"].is_null() {
        &pool["target"]
    } else {
        &pool["order"]
    };
    let fault = pool["fault"]
        .as_str()
        .map(|fault| visible(&format!("NOT SEEN: {fault}")));
    [
        word("pool"),
        Some(word("mode"))
            .filter(|mode| mode != "full")
            .unwrap_or_default(),
        nodes(&pool["current"]),
        nodes(target),
        format!("{}/{}", count("running"), count("usable")),
        word("verdict"),
        age(&pool["decidedAt"], now).unwrap_or_default(),
        fault.unwrap_or_else(|| word("reason")),
    ]
}

fn table(pools: &[Value], (paint, width): (Paint, usize), now: Timestamp) -> String {
    let names = COLUMNS.map(str::to_owned);
    let rows: Vec<[String; 8]> = pools.iter().map(|pool| row(pool, now)).collect();
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| {
            let is_empty = rows.iter().all(|row| row[column].is_empty());
            let cells = std::iter::once(&names).chain(&rows);
            let widest = cells.map(|row| row[column].chars().count()).max().unwrap_or(0);
            if is_empty { 0 } else { widest }
        })
        .collect();
    let before: usize = widths[..7]
        .iter()
        .filter(|width| **width > 0)
        .map(|width| width + 2)
        .sum();
    let room = width.saturating_sub(before).max(REASON_COLUMNS_MIN);
    let line = |row: &[String; 8], style: &dyn Fn(usize, &str) -> String| {
        let mut text = String::new();
        for (column, cell) in row.iter().enumerate() {
            if column == 7 {
                text += &style(column, &cut(cell, room));
            } else if widths[column] > 0 {
                let padding = " ".repeat(widths[column].saturating_sub(cell.chars().count()) + 2);
                text += &format!("{}{padding}", style(column, cell));
            }
        }
        text.trim_end().to_owned() + "\n"
    };
    let mut text = line(&names, &|_, cell| paint.on(Paint::ASIDE, cell));
    for (row, pool) in rows.iter().zip(pools) {
        let style = match (pool["fault"].is_string(), row[5].as_str()) {
            (true, _) => Paint::BAD,
            (_, "out" | "in" | "shift") => Paint::GOOD,
            (_, "hold") => Paint::CARE,
            _ => Paint::ASIDE,
        };
        text += &line(row, &|column, cell| match column {
            0 => paint.on(Paint::NAME, cell),
            5 => paint.on(style, cell),
            7 if pool["fault"].is_string() => paint.on(style, cell),
            _ => cell.to_owned(),
        });
    }
    text
}

/// Cuts a text that is longer than its column.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_board_is_a_screen() {
        let account = json!({
            "account": "acme", "version": "0.1.0", "status": "degraded", "dryRun": false,
            "reasons": ["night.yaml:3: there is no key `bonds`"], "lastSeen": "2026-11-23T03:00:10Z",
            "current": { "dedicated": 3, "spot": 14 }, "target": { "dedicated": 3, "spot": 20 },
            "cost": { "now": 1.2, "allDedicated": 3.4 },
            "halts": [ { "pool": "render", "scope": "all", "why": "a release runs", "by": "ada" } ],
        });
        let pool = |pool: &str, verdict: &str, reason: &str| {
            json!({
                "pool": pool, "mode": "full", "verdict": verdict, "reason": reason, "decidedAt": "2026-11-23T03:00:00Z",
                "current": { "dedicated": 2, "spot": 7 }, "target": { "dedicated": 2, "spot": 10 },
                "nodes": { "usable": 8, "running": 5 },
            })
        };
        let mut unseen = pool("genomics-main", "hold", "");
        unseen["fault"] = json!("GET /pools/genomics-main/nodes: 403");
        unseen["mode"] = json!("shadow");
        let mut grows = pool(
            "render",
            "out",
            "17 tasks wait; 12 nodes start them within 5m, which is what the policy asks for and more than fits",
        );
        grows["order"] = json!({ "dedicated": 2, "spot": 12 });
        let pools = json!({ "pools": [unseen, grows] });
        let paint = Paint { colored: false };
        let now = "2026-11-23T03:00:42Z".parse().unwrap();
        let page = page(&account, &pools, "http://127.0.0.1:9464", (paint, 100), now);
        for expected in [
            "account acme degraded steers, and something deserves a look\n",
            "http://127.0.0.1:9464, version 0.1.0, last look 32s ago",
            "3+14 nodes of 3+20 (dedicated+spot), $1.20/h, $3.40/h if all were dedicated",
            "night.yaml:3: there is no key `bonds`",
            "paused: render: nothing is ordered until it is resumed: a release runs (by ada)",
            "NOT SEEN: GET /pools/genomics-main/nodes: 403",
            "17 tasks wait; 12 nodes start them",
        ] {
            assert!(page.contains(expected), "{expected}:\n{page}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    }
}
