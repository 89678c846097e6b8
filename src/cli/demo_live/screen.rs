//! Draws a frame of the live demo: header, money, pools as bars of nodes, what was decided, keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::bar;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::scene::{NodeStates, PoolScene, Scene, Told};
use crate::base::Lane;

/// Rows of a pool: its name and queue, a bar for each lane, and the sentence of its latest decision.
const POOL_ROWS: u16 = 4;
/// Columns of the queue and its past, at the right of a pool.
const QUEUE_COLUMNS: u16 = 26;
/// Columns before a bar: the lane, and how many of how many.
const LANE_COLUMNS: usize = 20;

/// How things are painted; without colour the shapes say everything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paints {
    pub(super) colored: bool,
}

impl Paints {
    fn of(self, color: Color) -> Style {
        if self.colored {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }

    fn dim() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn word(self, word: &str) -> Style {
        match word {
            "out" => self.of(Color::Green),
            "in" => self.of(Color::Cyan),
            "shift" => self.of(Color::Magenta),
            "refused" => self.of(Color::Red),
            "hold" => self.of(Color::Yellow),
            _ => Self::dim(),
        }
    }

    fn lane(self, lane: Lane) -> Style {
        self.of(match lane {
            Lane::Dedicated => Color::Blue,
            Lane::Spot => Color::Green,
        })
    }
}

/// Draws a frame.
pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene, paints: Paints) {
    let n_pools = u16::try_from(scene.pools.len()).unwrap_or(u16::MAX);
    let pools_rows = n_pools.saturating_mul(POOL_ROWS + 1).saturating_sub(1);
    let [head, money, pools, told, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(pools_rows.saturating_add(2)),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(header(scene, paints), head);
    frame.render_widget(cost(scene, paints), money);
    draw_pools(frame, pools, scene, paints);
    draw_told(frame, told, scene, paints);
    frame.render_widget(legend(paints), keys);
    if let Some(pool) = scene.pools.get(scene.chosen).filter(|_| scene.explains) {
        explain(frame, pool, paints);
    }
}

fn header(scene: &Scene, paints: Paints) -> Line<'static> {
    let clock = scene
        .at
        .map_or(String::new(), |at| at.to_utc().format("%a %H:%M").to_string());
    let mut parts = vec![
        Span::styled(" lowtide ", Paints::bold().add_modifier(Modifier::REVERSED)),
        Span::raw(format!(" account {} · ", scene.account)),
        Span::styled(clock, Paints::bold()),
        Span::styled(format!(" {}× · ", scene.speed), Paints::dim()),
        Span::styled(scene.url.clone(), paints.of(Color::Cyan)),
    ];
    if scene.storm.is_none() {
        // The line is for what goes on; while nothing does there is room.
        parts.push(Span::styled(format!(" · token {}", scene.token), Paints::dim()));
    }
    if let Some(left) = scene.storm {
        let minutes = (left.as_seconds() / 60.0).ceil();
        let style = paints.of(Color::Red).add_modifier(Modifier::BOLD);
        parts.push(Span::styled(
            format!("  ⚡ spot storm, {minutes} min left"),
            style,
        ));
    }
    Line::from(parts)
}

fn cost(scene: &Scene, paints: Paints) -> Paragraph<'static> {
    let money = scene.money;
    let mut parts = vec![
        Span::raw(" now "),
        Span::styled(format!("${:.2}/h", money.hourly), Paints::bold()),
        Span::styled(
            format!(", as dedicated nodes ${:.2}/h", money.hourly_dedicated),
            Paints::dim(),
        ),
        Span::raw(format!(" · so far ${:.2}", money.spent)),
        Span::styled(format!(" of ${:.2}", money.spent_dedicated), Paints::dim()),
    ];
    if let Some(saved) = money.saved() {
        let style = paints.of(Color::Green).add_modifier(Modifier::BOLD);
        parts.push(Span::styled(format!(" · {saved:.0} % saved"), style));
    }
    Paragraph::new(Line::from(parts))
}

fn draw_pools(frame: &mut Frame<'_>, area: Rect, scene: &Scene, paints: Paints) {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Paints::dim())
        .title(" pools ");
    let inside = block.inner(area).inner(Margin::new(1, 0));
    frame.render_widget(block, area);
    let longest = scene
        .pools
        .iter()
        .flat_map(|pool| pool.nodes.map(NodeStates::total));
    let most = longest
        .chain(scene.pools.iter().flat_map(|pool| pool.target))
        .max()
        .unwrap_or(0);
    for (number, pool) in scene.pools.iter().enumerate() {
        let top = u16::try_from(number)
            .unwrap_or(u16::MAX)
            .saturating_mul(POOL_ROWS + 1);
        if top + POOL_ROWS > inside.height {
            return;
        }
        let rows = Rect::new(inside.x, inside.y + top, inside.width, POOL_ROWS);
        draw_pool(frame, rows, pool, (number == scene.chosen, most), paints);
    }
}

fn draw_pool(
    frame: &mut Frame<'_>,
    rows: Rect,
    pool: &PoolScene,
    (chosen, most): (bool, u32),
    paints: Paints,
) {
    let [left, right] =
        Layout::horizontal([Constraint::Min(30), Constraint::Length(QUEUE_COLUMNS)]).areas(rows);
    let mut name = vec![
        Span::styled(if chosen { "▸ " } else { "  " }, paints.of(Color::Cyan)),
        Span::styled(pool.id.clone(), Paints::bold()),
    ];
    if let Some(halt) = &pool.halt {
        name.push(Span::styled(format!("  ‖ {halt}"), paints.of(Color::Yellow)));
    }
    let mut decision = vec![Span::raw("  ")];
    if !pool.verdict.is_empty() {
        decision.push(Span::styled(
            format!("{:<6} ", pool.verdict),
            paints.word(&pool.verdict),
        ));
        decision.push(Span::styled(pool.reason.clone(), Paints::dim()));
    }
    let room = usize::from(left.width).saturating_sub(LANE_COLUMNS + 2);
    let lines = vec![
        Line::from(name),
        lane(pool, Lane::Dedicated, (room, most), paints),
        lane(pool, Lane::Spot, (room, most), paints),
    ];
    frame.render_widget(Paragraph::new(lines), left);
    let whole = Rect::new(rows.x, rows.y + POOL_ROWS - 1, rows.width, 1);
    frame.render_widget(Paragraph::new(Line::from(decision)), whole);
    draw_queue(frame, Rect { height: 3, ..right }, pool, paints);
}

/// Returns a lane as a bar of its nodes, some letters each, or one for several where they would not fit.
fn lane(pool: &PoolScene, lane: Lane, (room, most): (usize, u32), paints: Paints) -> Line<'static> {
    let (target, nodes) = pool.of_lane(lane);
    let room = u32::try_from(room).unwrap_or(u32::MAX).max(1);
    let nodes_per_letter = most.div_ceil(room).max(1);
    let letters_per_node = (room / most.max(1)).clamp(1, 3);
    let style = paints.lane(lane);
    let bar = |n: u32, letter: &str, style: Style| {
        let letters = n.div_ceil(nodes_per_letter) * letters_per_node;
        Span::styled(letter.repeat(usize::try_from(letters).unwrap_or(0)), style)
    };
    let missing = target.saturating_sub(nodes.total());
    Line::from(vec![
        Span::raw(format!("  {:<10}", lane.word())),
        Span::styled(format!("{:>3}", nodes.total()), Paints::bold()),
        Span::styled(format!("→{target:<4} "), Paints::dim()),
        bar(nodes.running, "█", style),
        bar(nodes.idle, "▒", style),
        bar(nodes.starting, "░", style),
        bar(nodes.preempted, "×", paints.of(Color::Red)),
        bar(nodes.unusable, "!", paints.of(Color::Red)),
        bar(missing, "·", Paints::dim()),
    ])
}

fn draw_queue(frame: &mut Frame<'_>, area: Rect, pool: &PoolScene, paints: Paints) {
    let busy = if pool.waiting > 0 {
        paints.of(Color::Yellow)
    } else {
        Paints::dim()
    };
    let head = Line::from(vec![
        Span::styled(
            format!("{:>4} wait", pool.waiting),
            busy.add_modifier(Modifier::BOLD),
        ),
        Span::styled(format!(" {:>4} run", pool.running), Paints::dim()),
    ]);
    let width = usize::from(area.width);
    let shown = &pool.queue[pool.queue.len().saturating_sub(width)..];
    let most = shown.iter().copied().max().unwrap_or(0).max(1);
    let lines = vec![
        head,
        Line::styled(row(shown, most, true), busy),
        Line::styled(row(shown, most, false), busy),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns one of the two rows of a plot that is two letters high.
fn row(values: &[u64], most: u64, upper: bool) -> String {
    const LETTERS: [&str; 9] = [
        " ",
        bar::ONE_EIGHTH,
        bar::ONE_QUARTER,
        bar::THREE_EIGHTHS,
        bar::HALF,
        bar::FIVE_EIGHTHS,
        bar::THREE_QUARTERS,
        bar::SEVEN_EIGHTHS,
        bar::FULL,
    ];
    let letter = |value: &u64| {
        // Sixteenths of the whole height, at least one where anything waits.
        let height = (value * 16).div_ceil(most).min(16);
        let of_row = if upper {
            height.saturating_sub(8)
        } else {
            height.min(8)
        };
        LETTERS[usize::try_from(of_row).unwrap_or(0)]
    };
    values.iter().map(letter).collect()
}

fn draw_told(frame: &mut Frame<'_>, area: Rect, scene: &Scene, paints: Paints) {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Paints::dim())
        .title(" what was decided, dedicated+spot, and why ");
    let inside = block.inner(area).inner(Margin::new(1, 0));
    frame.render_widget(block, area);
    let columns = scene.pools.iter().map(|pool| pool.id.len()).max().unwrap_or(0);
    let line = |told: &Told| {
        Line::from(vec![
            Span::styled(told.at.to_utc().format("%H:%M ").to_string(), Paints::dim()),
            Span::raw(format!("{:<columns$} ", told.pool.as_str())),
            Span::styled(format!("{:<8}", told.word), paints.word(&told.word)),
            Span::raw(told.text.clone()),
        ])
    };
    let lines: Vec<Line<'_>> = scene
        .told
        .iter()
        .take(usize::from(inside.height))
        .map(line)
        .collect();
    frame.render_widget(Paragraph::new(lines), inside);
}

fn legend(paints: Paints) -> Line<'static> {
    let mut parts = Vec::new();
    for (key, what) in [
        ("q", "quit"),
        ("space", "pause"),
        ("s", "storm"),
        ("↑↓", "pool"),
        ("enter", "explain"),
    ] {
        parts.push(Span::styled(
            format!(" {key}"),
            paints.of(Color::Cyan).add_modifier(Modifier::BOLD),
        ));
        parts.push(Span::styled(format!(" {what} "), Paints::dim()));
    }
    parts.push(Span::styled(
        " █ busy ▒ idle ░ coming × taken ! broken · due",
        Paints::dim(),
    ));
    Line::from(parts)
}

fn explain(frame: &mut Frame<'_>, pool: &PoolScene, paints: Paints) {
    let area = frame.area().inner(Margin::new(4, 2));
    let block = Block::bordered()
        .border_type(BorderType::Double)
        .border_style(paints.of(Color::Cyan))
        .title(format!(" {}: the latest decision, step by step ", pool.id))
        .title_bottom(" enter closes ");
    let text = Paragraph::new(pool.steps.clone()).wrap(Wrap { trim: false });
    let inside = block.inner(area).inner(Margin::new(1, 0));
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    frame.render_widget(text, inside);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::scene::Money;
    use super::*;
    use crate::base::Span as Length;

    fn scene() -> Scene {
        let nodes = |running, idle, starting, preempted, unusable| NodeStates {
            running,
            idle,
            starting,
            preempted,
            unusable,
        };
        Scene {
            account: "lowtide".to_owned(),
            at: Some("2026-11-23T09:41:00Z".parse().unwrap()),
            speed: 60.0,
            url: "http://127.0.0.1:40123".to_owned(),
            token: "0123456789abcdef".to_owned(),
            storm: Some(Length::minutes(12)),
            money: Money {
                hourly: 1.234,
                hourly_dedicated: 3.5,
                spent: 12.0,
                spent_dedicated: 40.0,
            },
            pools: vec![
                PoolScene {
                    id: "builds".to_owned(),
                    target: [2, 12],
                    nodes: [nodes(2, 0, 0, 0, 0), nodes(5, 1, 2, 3, 1)],
                    waiting: 17,
                    running: 28,
                    queue: (0..30).map(|n| n * 2 % 19).collect(),
                    verdict: "out".to_owned(),
                    reason: "17 tasks wait; 12 nodes start them within 5m".to_owned(),
                    steps: "builds: order 2 dedicated + 8 spot → 2 dedicated + 12 spot\n  propose …"
                        .to_owned(),
                    ..PoolScene::default()
                },
                PoolScene {
                    id: "render".to_owned(),
                    target: [1, 0],
                    nodes: [nodes(0, 1, 0, 0, 0), NodeStates::default()],
                    halt: Some("paused until somebody resumes it".to_owned()),
                    verdict: "hold".to_owned(),
                    reason: "somebody has paused it".to_owned(),
                    ..PoolScene::default()
                },
            ],
            told: vec![Told {
                at: "2026-11-23T09:41:00Z".parse().unwrap(),
                pool: "builds".parse().unwrap(),
                word: "out".to_owned(),
                text: "2+8 → 2+12  17 tasks wait: spot nodes for them all".to_owned(),
            }],
            ..Scene::default()
        }
    }

    fn drawn(scene: &Scene, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let paints = Paints { colored: false };
        terminal.draw(|frame| draw(frame, scene, paints)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_frame_shows_money_nodes_queues_and_reasons() {
        let drawn = drawn(&scene(), (100, 22));
        for expected in [
            "account lowtide · Mon 09:41 60× · http://127.0.0.1:40123  ⚡ spot storm, 12 min left",
            "now $1.23/h, as dedicated nodes $3.50/h · so far $12.00 of $40.00 · 70 % saved",
            "▸ builds",
            "17 wait   28 run",
            "dedicated   2→2    ██████",
            "spot       12→12   ███████████████▒▒▒░░░░░░×××××××××!!!",
            "out    17 tasks wait; 12 nodes start them within 5m",
            "render  ‖ paused until somebody resumes it",
            "09:41 builds out     2+8 → 2+12  17 tasks wait: spot nodes for them all",
            "q quit  space pause  s storm  ↑↓ pool  enter explain",
        ] {
            assert!(drawn.contains(expected), "{expected}:\n{drawn}");
        }
    }

    #[test]
    fn a_decision_is_explained_over_the_frame() {
        let mut scene = scene();
        scene.explains = true;
        let drawn = drawn(&scene, (100, 22));
        assert!(
            drawn.contains("builds: order 2 dedicated + 8 spot → 2 dedicated + 12 spot"),
            "{drawn}"
        );
    }

    #[test]
    fn no_terminal_is_too_small_and_no_pool_too_large() {
        let mut scene = scene();
        scene.pools[0].nodes[1].running = 5_000;
        scene.pools[1].queue = vec![u64::MAX / 32; 500];
        scene.explains = true;
        for size in [(1, 1), (10, 3), (40, 10), (80, 24), (300, 100)] {
            drawn(&scene, size);
        }
    }
}
