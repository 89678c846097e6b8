//! Who steers: at most one, whatever happens to it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lowtide::store::{Lead, StoreFault};

use crate::server::{LINE, database, lines, lowtide, open, until};

pub(crate) fn one_steers_and_the_next_follows() {
    let url = database();
    let (one, other) = (open(&url), open(&url));
    assert_eq!(one.lease("one").acquire().unwrap(), Lead::Ours { fence: 1 });
    assert_eq!(
        other.lease("other").acquire().unwrap(),
        Lead::Theirs { holder: "one".into() }
    );
    one.keep(LINE).unwrap();
    let refused = other.keep(LINE).unwrap_err();
    assert_eq!(
        (refused.fault, refused.message.contains("steered by one")),
        (StoreFault::NotLeading, true)
    );
    assert!(one.still_leads() && !other.still_leads());
    one.lease("one").release().unwrap();
    assert!(!one.still_leads());
    assert_eq!(other.lease("other").acquire().unwrap(), Lead::Ours { fence: 2 });
    other.keep(LINE).unwrap();
    drop(other);
    // A process that ends gives the lead back: nobody waits for its time to be over.
    assert_eq!(one.lease("one").acquire().unwrap(), Lead::Ours { fence: 3 });
}

pub(crate) fn a_lead_that_is_not_renewed_is_taken_over() {
    let url = database();
    let (one, other) = (open(&url), open(&url));
    let (of_one, of_other) = (one.lease("one"), other.lease("other"));
    of_one.acquire().unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(of_one.renew().unwrap(), Lead::Ours { fence: 1 });
        assert!(
            matches!(of_other.acquire().unwrap(), Lead::Theirs { .. }),
            "it is renewed"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let stopped = Instant::now();
    let mut ended_here = None;
    until("the standby takes over", || {
        if !one.still_leads() {
            ended_here.get_or_insert(stopped.elapsed());
        }
        matches!(of_other.acquire().unwrap(), Lead::Ours { fence: 2 })
    });
    let taken = stopped.elapsed();
    assert!(taken < Duration::from_millis(2600), "{taken:?}");
    assert!(
        ended_here.is_some_and(|ended| ended < taken),
        "who loses the lead stops before the next begins: {ended_here:?} {taken:?}"
    );
    assert_eq!(
        of_one.renew().unwrap(),
        Lead::Theirs {
            holder: "other".into()
        }
    );
}

pub(crate) fn a_holder_that_slept_writes_nothing() {
    let url = database();
    let (one, other) = (open(&url), open(&url));
    one.lease("one").acquire().unwrap();
    one.keep(LINE).unwrap();
    std::thread::sleep(Duration::from_millis(2100));
    // Its time is over, by its own clock too.
    assert!(!one.still_leads());
    assert_eq!(one.keep(LINE).unwrap_err().fault, StoreFault::NotLeading);
    other.lease("other").acquire().unwrap();
    other.keep(LINE).unwrap();
    assert_eq!(
        one.lease("one").renew().unwrap(),
        Lead::Theirs {
            holder: "other".into()
        }
    );
    assert_eq!(one.keep(LINE).unwrap_err().fault, StoreFault::NotLeading);
    assert_eq!(lines(&other).len(), 2);
}

/// A real process is stopped (SIGSTOP) with lines before it, and wakes when another has the lead.
pub(crate) fn a_stopped_process_writes_nothing_when_it_wakes() {
    let url = database();
    drop(open(&url));
    let mut child = Command::new(lowtide())
        .args(["ledger", "import", "-", "--each", "--append", "--ledger", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(input, "{LINE}").unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "1");
    let signal = |word: &str| {
        assert!(
            Command::new("kill")
                .args([word, &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    };
    signal("-STOP");
    writeln!(input, "{LINE}\n{LINE}").unwrap();
    let standby = open(&url);
    let lease = standby.lease("standby");
    let begun = Instant::now();
    // A command holds the lead for the usual half minute.
    while !matches!(lease.acquire().unwrap(), Lead::Ours { .. }) {
        assert!(
            begun.elapsed() < Duration::from_secs(35),
            "the standby takes over when the time is over"
        );
        std::thread::sleep(Duration::from_millis(250));
    }
    standby.keep(LINE).unwrap();
    signal("-CONT");
    assert!(answers.next().is_none(), "nothing more is acknowledged");
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(lines(&standby).len(), 2);
}

pub(crate) fn many_that_want_the_lead() {
    let url = database();
    drop(open(&url));
    let (leading, over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (url, leading, over) = (url.clone(), leading.clone(), over.clone());
            std::thread::spawn(move || {
                let store = open(&url);
                let lease = store.lease(&format!("number {number}"));
                let mut led = 0;
                while !over.load(Ordering::Relaxed) {
                    if let Ok(Lead::Ours { .. }) = lease.acquire() {
                        assert_eq!(leading.fetch_add(1, Ordering::SeqCst), 0, "two lead");
                        store.keep(LINE).unwrap();
                        led += 1;
                        assert_eq!(leading.fetch_sub(1, Ordering::SeqCst), 1, "two lead");
                        lease.release().unwrap();
                    }
                }
                led
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(3));
    over.store(true, Ordering::Relaxed);
    let led: Vec<usize> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(lines(&open(&url)).len(), led.iter().sum::<usize>());
    assert!(led.iter().sum::<usize>() > 20, "{led:?}");
}
