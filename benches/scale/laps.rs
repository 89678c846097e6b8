//! Where the time of a look goes: what the world and the ledger are asked is timed around them.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use lowtide::account::{Order, Receipt};
use lowtide::azure::Client;
use lowtide::base::Timestamp;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use lowtide::serve::{Book, Keeps};

/// How often figures of memory are told.
const TOLD_AT_HOURS: [f64; 7] = [0.0, 1.0, 3.0, 6.0, 12.0, 18.0, 24.0];

/// One look, and the wait before it.
#[derive(Clone, Copy, Debug, Default)]
struct Lap {
    whole: Duration,
    look: Duration,
    record: Duration,
    order: Duration,
    cpu: Duration,
    lines: usize,
    orders: usize,
    requests: u64,
    /// Requests of the wait before it, for samples.
    sampling: u64,
}

/// All looks so far.
pub(crate) struct Laps {
    client: Client,
    until: Timestamp,
    began_at: Option<Timestamp>,
    began: Option<(Instant, Duration, u64)>,
    now: Lap,
    done: Vec<Lap>,
    /// Resident memory at some hours.
    memory: Vec<(f64, f64)>,
}

impl Laps {
    pub(crate) fn begin(client: Client, until: Timestamp) -> Self {
        Self {
            client,
            until,
            began_at: None,
            began: None,
            now: Lap::default(),
            done: Vec::new(),
            memory: Vec::new(),
        }
    }

    fn end_one(&mut self) {
        if let Some((began, cpu, sent)) = self.began.take() {
            self.now.whole = began.elapsed();
            self.now.cpu = cpu_time().saturating_sub(cpu);
            self.now.requests = self.client.traffic().sent - sent;
            self.done.push(std::mem::take(&mut self.now));
        }
    }

    fn begin_one(&mut self, now: Timestamp, sent_before: u64) {
        let began_at = *self.began_at.get_or_insert(now);
        let hours = now.since(began_at).as_hours();
        let told = self.memory.len();
        if TOLD_AT_HOURS.get(told).is_some_and(|hour| hours >= *hour) && !self.done.is_empty() {
            self.memory.push((hours, resident()));
        }
        let sent = self.client.traffic().sent;
        self.now.sampling = sent - sent_before;
        self.began = Some((Instant::now(), cpu_time(), sent));
    }

    /// Prints what was measured.
    pub(crate) fn tell(&mut self, hours: f64) {
        self.memory.push((hours, resident()));
        let Some((first, rest)) = self.done.split_first() else {
            println!("not one look");
            return;
        };
        println!(
            "{:<14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   {:>6} {:>6} {:>9} {:>9}",
            "ms",
            "whole",
            "look",
            "decide",
            "record",
            "order",
            "cpu",
            "lines",
            "orders",
            "requests",
            "sampling"
        );
        print_lap("first look", first);
        let mut sorted: Vec<&Lap> = rest.iter().collect();
        sorted.sort_unstable_by_key(|lap| lap.whole);
        for (name, share) in [("median", 0.5), ("95 of 100", 0.95), ("slowest", 1.0)] {
            if let Some(last) = sorted.len().checked_sub(1) {
                print_lap(name, sorted[(last as f64 * share) as usize]);
            }
        }
        let most_orders = rest.iter().max_by_key(|lap| lap.orders);
        if let Some(lap) = most_orders {
            print_lap("most orders", lap);
        }
        let n = rest.len().max(1) as f64;
        let whole: f64 = rest.iter().map(|lap| lap.whole.as_secs_f64()).sum::<f64>() / n;
        let cpu: f64 = rest.iter().map(|lap| lap.cpu.as_secs_f64()).sum::<f64>() / n;
        println!(
            "{} looks: {:.0} ms each on average, {:.1} % of the 30 s; {:.0} ms of the processor, {:.1} % of a core",
            self.done.len(),
            whole * 1e3,
            whole / 0.3,
            cpu * 1e3,
            cpu / 0.3
        );
        let told: Vec<String> = self
            .memory
            .iter()
            .map(|(hours, mib)| format!("{mib:.0} MiB at {hours:.1} h"))
            .collect();
        println!("memory: {}; {:.0} MiB at most", told.join(", "), peak());
    }
}

fn print_lap(name: &str, lap: &Lap) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let decide = lap.whole.saturating_sub(lap.look + lap.record + lap.order);
    println!(
        "{name:<14} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}   {:>6} {:>6} {:>9} {:>9}",
        ms(lap.whole),
        ms(lap.look),
        ms(decide),
        ms(lap.record),
        ms(lap.order),
        ms(lap.cpu),
        lap.lines,
        lap.orders,
        lap.requests,
        lap.sampling
    );
}

/// Returns the time that this process has had a processor, to the hundredth of a second.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name of the program: field 14 of all is the time in the program, 15 that in the system (proc(5)).
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}

fn status(field: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

fn resident() -> f64 {
    status("VmRSS:")
}

fn peak() -> f64 {
    status("VmHWM:")
}

type Shared = Arc<Mutex<Laps>>;

fn lock(laps: &Shared) -> MutexGuard<'_, Laps> {
    laps.lock().expect("nobody panics with it")
}

/// A world whose answers are timed.
pub(crate) struct Timed<W> {
    inside: W,
    laps: Shared,
}

impl<W> Timed<W> {
    pub(crate) const fn around(inside: W, laps: Shared) -> Self {
        Self { inside, laps }
    }
}

impl<W: World> World for Timed<W> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        let before = {
            let mut laps = lock(&self.laps);
            laps.end_one();
            if at >= laps.until {
                return None;
            }
            laps.client.traffic().sent
        };
        let now = self.inside.wait_until(at)?;
        lock(&self.laps).begin_one(now, before);
        Some(now)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let began = Instant::now();
        let answer = self.inside.observe(question, into);
        lock(&self.laps).now.look += began.elapsed();
        for view in into.pools() {
            assert!(view.fault.is_none(), "{:?}", view.fault);
        }
        answer
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.inside.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let began = Instant::now();
        let receipt = self.inside.act(order);
        let mut laps = lock(&self.laps);
        laps.now.order += began.elapsed();
        laps.now.orders += 1;
        receipt
    }
}

/// A ledger that is timed.
pub(crate) struct TimedBook {
    book: Book,
    laps: Shared,
    alone: Alone,
}

/// What is kept by itself, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alone {
    None,
    Answers,
    Lines,
}

impl TimedBook {
    pub(crate) const fn around(book: Book, laps: Shared, alone: Alone) -> Self {
        Self { book, laps, alone }
    }
}

impl Keeps for TimedBook {
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError> {
        let began = Instant::now();
        let kept = self.book.keep(line);
        let mut laps = lock(&self.laps);
        laps.now.record += began.elapsed();
        laps.now.lines += 1;
        kept
    }

    fn keep_all(&mut self, lines: &[String]) -> Result<Option<u64>, RecordError> {
        let began = Instant::now();
        let answers = lines[0].starts_with(r#"{"kind":"settled""#);
        let kept = if self.alone == Alone::Lines || answers && self.alone == Alone::Answers {
            lines.iter().try_fold(None, |_, line| self.book.keep(line))
        } else {
            self.book.keep_all(lines)
        };
        let mut laps = lock(&self.laps);
        laps.now.record += began.elapsed();
        laps.now.lines += lines.len();
        kept
    }

    fn still_leads(&self) -> bool {
        self.book.still_leads()
    }

    fn wants_checkpoint(&self) -> bool {
        self.book.wants_checkpoint()
    }
}
