//! The live demo: an account, tasks that come, spot storms, and the sidecar that steers, in one process and over real sockets.
//!
//! ```text
//! Stage (desk behind its door) ◄── http ── Client ◄─ Live ◄─ Steering, as `lowtide serve` runs it ─► Store, Board
//!    ▲                                                                                              │
//!    └──────────────── keys: storm, pause ── this loop, ten frames a second ◄───────────────────────┘
//! ```

mod keys;
mod scene;
mod screen;
mod show;
mod sidecar;
mod stage;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};
use tokio::sync::watch;

use super::exit::{Exit, Failure};
use super::terminal::{Paint, Terminal};
use crate::base::Span;
use keys::Action;
use screen::Paints;
use show::Show;
use sidecar::Sidecar;
use stage::Stage;

/// How the demo runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveDemo {
    /// How many times as fast as the wall's the account's clock runs.
    pub(super) speed: f64,
    /// The seed of the tasks that come.
    pub(super) seed: u64,
    /// How long it runs, on the wall's clock; until somebody ends it on a terminal, a minute otherwise.
    pub(super) lasts: Option<Span>,
    /// Where the sidecar answers.
    pub(super) listen: SocketAddr,
}

/// A screen that is drawn more often flickers on slow lines and shows nothing more.
const FRAME: Duration = Duration::from_millis(100);
/// How long a demo without a terminal runs when nobody says it: long enough for a storm at the usual speed.
const LASTS_WITHOUT_TERMINAL: Duration = Duration::from_mins(2);

impl LiveDemo {
    /// Runs it on a terminal, or as lines where there is none.
    pub(super) fn run(self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(());
        let world = |message: String| Failure::World { message, help: None };
        let stage = runtime
            .block_on(Stage::open((self.speed, self.seed), until(&stopped)))
            .map_err(world)?;
        let sidecar =
            Sidecar::begin(&runtime, (&stage, self.speed, self.listen), until(&stopped)).map_err(world)?;
        let show = Show::new(stage, sidecar, self.speed);
        let is_shown = io::stdout().is_terminal() && io::stdin().is_terminal();
        let ended = if is_shown {
            let paints = Paints {
                colored: terminal.paint().colored,
            };
            on_screen(show, self.lasts, paints)
        } else {
            let lasts = self.lasts.map_or(LASTS_WITHOUT_TERMINAL, |lasts| {
                Duration::from_secs_f64(lasts.as_seconds())
            });
            as_lines(show, lasts, terminal)
        };
        drop(stop);
        let show = ended?;
        let money = show.money();
        show.end();
        runtime.shutdown_timeout(Duration::from_secs(2));
        let paint = terminal.paint();
        let saved = money
            .saved()
            .map_or(String::new(), |saved| format!(", {saved:.0} % saved"));
        let words = format!(
            "${:.2} spent, ${:.2} as dedicated nodes{saved}",
            money.spent, money.spent_dedicated
        );
        writeln!(terminal.out(), "{}", paint.on(Paint::HEADING, words))?;
        Ok(Exit::Success)
    }
}

/// Returns what waits until the demo is over.
fn until(
    stopped: &watch::Receiver<()>,
) -> futures_util::future::Shared<futures_util::future::BoxFuture<'static, ()>> {
    use futures_util::FutureExt as _;
    let mut stopped = stopped.clone();
    async move {
        // The sender says nothing and goes when it is time.
        let _ = stopped.changed().await;
    }
    .boxed()
    .shared()
}

fn on_screen(mut show: Show, lasts: Option<Span>, paints: Paints) -> Result<Show, Failure> {
    let mut screen = ratatui::try_init()?;
    let ended = draw_until_quit(&mut screen, &mut show, lasts, paints);
    // The terminal is given back whatever happened; a panic gives it back by its own hook.
    ratatui::restore();
    ended?;
    Ok(show)
}

fn draw_until_quit(
    screen: &mut ratatui::DefaultTerminal,
    show: &mut Show,
    lasts: Option<Span>,
    paints: Paints,
) -> io::Result<()> {
    let begun = Instant::now();
    let ends = lasts.map(|lasts| begun + Duration::from_secs_f64(lasts.as_seconds()));
    loop {
        show.pass();
        screen.draw(|frame| screen::draw(frame, show.scene(), paints))?;
        if ends.is_some_and(|ends| ends <= Instant::now()) {
            return Ok(());
        }
        let next = Instant::now() + FRAME;
        while event::poll(next.saturating_duration_since(Instant::now()))? {
            if let Event::Key(key) = event::read()?
                && let Some(action) = keys::action(key)
            {
                if action == Action::Quit {
                    return Ok(());
                }
                show.take(action);
            }
        }
    }
}

/// Tells what happens line by line, for as long as it lasts.
fn as_lines(mut show: Show, lasts: Duration, terminal: &mut Terminal) -> Result<Show, Failure> {
    let ends = Instant::now() + lasts;
    let paint = terminal.paint();
    let (url, token) = (&show.scene().url, &show.scene().token);
    writeln!(
        terminal.out(),
        "the sidecar answers at {url}, its dashboard to browsers; what changes something needs the token {token}"
    )?;
    while Instant::now() < ends {
        show.pass();
        for line in show.untold() {
            writeln!(terminal.out(), "{}", visible_line(&line, paint))?;
        }
        terminal.flush()?;
        std::thread::sleep(FRAME.min(ends.saturating_duration_since(Instant::now())));
    }
    Ok(show)
}

fn visible_line(told: &scene::Told, paint: Paint) -> String {
    let style = match told.word.as_str() {
        "out" | "in" | "shift" => Paint::GOOD,
        "hold" => Paint::CARE,
        "refused" | "storm" => Paint::BAD,
        _ => Paint::ASIDE,
    };
    let clock = told.at.to_utc().format("%H:%M");
    format!(
        "{clock}  {:<8} {} {}",
        told.pool.as_str(),
        paint.on(style, format!("{:<8}", told.word)),
        super::render::visible(&told.text)
    )
}
