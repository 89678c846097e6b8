//! What may be asked of the running loop from outside: to end, to read the policies again, to look at once, to step back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::azure::Stop;

/// Asks something of the running loop; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
    wait: Stop,
}

#[derive(Debug, Default)]
struct Shared {
    asked: Mutex<Asked>,
    heard: Condvar,
}

/// What was asked since it was last seen to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may be asked beside the others"
)]
pub struct Asked {
    /// To end.
    pub end: bool,
    /// To read the policies again.
    pub reload: bool,
    /// To look at every pool at once.
    pub look: bool,
    /// To step back, because another instance steers now.
    pub step_back: bool,
}

impl Control {
    /// Returns a control of a loop whose waiting can be cut short.
    pub fn new(wait: Stop) -> Self {
        Self {
            shared: Arc::default(),
            wait,
        }
    }

    /// Asks it to finish what it does and end.
    pub fn end(&self) {
        self.ask(|asked| asked.end = true);
    }

    /// Asks it to read the policies again.
    pub fn reload(&self) {
        self.ask(|asked| asked.reload = true);
    }

    /// Asks it to look at every pool at once.
    pub fn look(&self) {
        self.ask(|asked| asked.look = true);
    }

    /// Asks it to step back, because another instance steers now.
    pub fn step_back(&self) {
        self.ask(|asked| asked.step_back = true);
    }

    /// Returns what was asked and is not seen to.
    pub fn asked(&self) -> Asked {
        *self.lock()
    }

    /// Says whether it shall end.
    pub fn is_ended(&self) -> bool {
        self.lock().end
    }

    /// Returns what was asked, and lets the loop wait again; that it shall end stays asked.
    pub fn take(&self) -> Asked {
        // First the waiting and then the questions, so that what is asked between the two is seen.
        self.wait.go_on();
        let mut asked = self.lock();
        let taken = *asked;
        *asked = Asked {
            end: taken.end,
            ..Asked::default()
        };
        taken
    }

    /// Says that the policies are being read again; lets the loop wait again.
    pub(super) fn reloading(&self) {
        self.wait.go_on();
        self.lock().reload = false;
    }

    /// Says whether the waiting was cut short for something that is seen to already, and lets the loop wait again.
    pub(super) fn was_cut_for_nothing(&self) -> bool {
        self.wait.go_on() && self.asked() == Asked::default()
    }

    /// Waits for a while, or until it shall end; says whether it shall.
    pub fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut asked = self.lock();
        while !asked.end {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.heard.wait_timeout(asked, left);
            asked = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn ask(&self, what: impl FnOnce(&mut Asked)) {
        what(&mut self.lock());
        self.shared.heard.notify_all();
        self.wait.stop();
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        // Whoever panicked while holding it left flags that are as good as any.
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
