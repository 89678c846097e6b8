//! What may be asked of the running loop from outside: to end, to read the policies again, to look at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::azure::Stop;

/// Asks something of the running loop; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    asked: Arc<Mutex<Asked>>,
    wait: Stop,
}

/// What was asked since it was last seen to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// To end.
    pub end: bool,
    /// To read the policies again.
    pub reload: bool,
    /// To look at every pool at once.
    pub look: bool,
}

impl Control {
    /// Returns a control of a loop whose waiting can be cut short.
    pub fn new(wait: Stop) -> Self {
        Self {
            asked: Arc::default(),
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

    /// Says whether something was asked that is not seen to.
    pub fn is_asked(&self) -> bool {
        *self.lock() != Asked::default()
    }

    /// Says whether the waiting was cut short for something that is seen to already, and lets the loop wait again.
    pub(super) fn was_cut_for_nothing(&self) -> bool {
        self.wait.go_on() && !self.is_asked()
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

    fn ask(&self, what: impl FnOnce(&mut Asked)) {
        what(&mut self.lock());
        self.wait.stop();
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        // Whoever panicked while holding it left flags that are as good as any.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
