//! The jobs that tasks belong to: a name once, and a small number on every task.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The place of a job's name in [`JobNames`]; four bytes, and none more in an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobIndex(NonZeroU32);

/// The names of jobs, each once, in the order in which they were first told; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobNames(Arc<Names>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    ordered: Vec<Arc<str>>,
    known: BTreeMap<Arc<str>, JobIndex>,
}

impl JobIndex {
    fn of(place: usize) -> Self {
        let number = u32::try_from(place + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("there are fewer jobs than an account may have tasks"))
    }

    /// Returns the place, from 0.
    pub const fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl JobNames {
    /// Returns the number of a name, a new one for a name that is new.
    pub fn add(&mut self, name: &str) -> JobIndex {
        if let Some(known) = self.0.known.get(name) {
            return *known;
        }
        let names = Arc::make_mut(&mut self.0);
        let index = JobIndex::of(names.ordered.len());
        let name: Arc<str> = name.into();
        names.ordered.push(Arc::clone(&name));
        names.known.insert(name, index);
        index
    }

    /// Returns the name of a job; `None` for a number of other names.
    pub fn name(&self, index: JobIndex) -> Option<&str> {
        self.0.ordered.get(index.place()).map(|name| &**name)
    }

    /// Returns the names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.ordered.iter().map(|name| &**name)
    }

    /// Says whether no job was told.
    pub fn is_empty(&self) -> bool {
        self.0.ordered.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_an_option_of_its_number_takes_no_room() {
        let mut names = JobNames::default();
        let (nightly, daily) = (names.add("nightly"), names.add("daily"));
        let before = names.clone();
        assert_eq!((names.add("nightly"), names.clone()), (nightly, before));
        assert_eq!(names.name(daily), Some("daily"));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["nightly", "daily"]);
        assert_eq!(JobNames::default().name(daily), None);
        assert_eq!(size_of::<Option<JobIndex>>(), 4);
    }
}
