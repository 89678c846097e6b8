//! A ledger that has grown long: the run begins anew, writes down all that is remembered, and goes on looking.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::azure::Stop;
use lowtide::base::{Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use lowtide::serve::{Board, Control, Folder, Keeps, Steered, Steering};

/// A ledger that has grown long after three lines.
#[derive(Default)]
struct Long {
    text: String,
    since_started: usize,
}

impl Keeps for Long {
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError> {
        if line.starts_with("{\"kind\":\"started\"") {
            self.since_started = 0;
        }
        self.since_started += 1;
        self.text.push_str(line);
        self.text.push('\n');
        Ok(None)
    }

    fn keep_all(&mut self, lines: &[String]) -> Result<Option<u64>, RecordError> {
        lines.iter().try_fold(None, |_, line| self.keep(line))
    }

    fn wants_checkpoint(&self) -> bool {
        self.since_started >= 3
    }
}

/// Six looks at a pool that is as it should be.
struct Six(u32, Timestamp);

impl World for Six {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.0 = self.0.checked_sub(1)?;
        self.1 = (self.1 + Span::seconds(30)).max(at);
        Some(self.1)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        into.push(PoolState::new("a".parse().unwrap()));
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Accepted
    }
}

#[test]
fn a_ledger_that_has_grown_long_is_begun_anew_once_and_looks_go_on() {
    let place = tempfile::tempdir().unwrap();
    let policy = "version: 1\npool: a\ninterval: 30s\nbounds: { total: [0, 9] }\n\
        demand: [ { formula: { role: targets, text: \"$TargetDedicatedNodes = 0;\" } } ]\n";
    std::fs::write(place.path().join("a.yaml"), policy).unwrap();
    let start: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
    let mut folder = Folder::new(place.path().to_owned());
    let policies = folder.read().policies.unwrap();
    let control = Control::new(Stop::default());
    let world = Steered::new(Six(6, start), Long::default(), Board::new(start), control, folder).unwrap();
    let mut steering = Steering { world, policies };
    steering.run(Memory::default());
    let kinds = |kind: &str| {
        let line = format!("{{\"kind\":\"{kind}\"");
        let lines = steering.world.ledger.text.lines();
        lines.filter(|text| text.starts_with(&line)).count()
    };
    // After every two looks the three lines are there.
    assert_eq!(
        (kinds("started"), kinds("decided")),
        (3, 6),
        "{}",
        steering.world.ledger.text
    );
}
