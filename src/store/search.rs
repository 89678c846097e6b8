//! What is looked for in a ledger, and what is found.

use crate::account::PoolId;
use crate::base::Timestamp;
use crate::world::EntryKind;

/// What is looked for; all that is stated must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Lines about this pool.
    pub pool: Option<PoolId>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Not after this moment.
    pub to: Option<Timestamp>,
    /// Lines of this kind.
    pub kind: Option<EntryKind>,
    /// Decisions with a step for this reason, by its code, and orders refused for it.
    pub reason: Option<String>,
    /// Lines whose sentences have all these words; a word may end in `*`.
    pub text: Option<String>,
    /// From the latest to the oldest.
    pub newest_first: bool,
    /// Behind this line, as [`Page::next`] gave it.
    pub after: Option<u64>,
    /// At most so many; 0 is the usual number.
    pub limit: usize,
}

/// A page of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The lines, in the order asked for.
    pub found: Vec<Found>,
    /// What to ask for after this page; `None` when there is nothing more.
    pub next: Option<u64>,
}

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number in the ledger, from 1.
    pub number: u64,
    /// Its moment.
    pub at: Timestamp,
    /// The pool that it is about.
    pub pool: Option<PoolId>,
    /// What it is about.
    pub kind: EntryKind,
    /// The line, byte for byte.
    pub line: String,
}

impl Search {
    /// Lines of a page when nobody says how many.
    pub const LIMIT_USUAL: usize = 100;
    /// The most lines of a page: some megabytes of usual lines.
    pub const LIMIT_MAX: usize = 1000;
    /// A page ends early when its lines take more bytes than this, so that long lines do not fill the memory.
    pub(super) const PAGE_BYTES_MAX: usize = 16 << 20;

    /// Returns how many lines a page may have.
    pub(super) fn page_lines(&self) -> usize {
        match self.limit {
            0 => Self::LIMIT_USUAL,
            limit => limit.min(Self::LIMIT_MAX),
        }
    }

    /// Returns the words that are looked for: those with a letter or digit.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.text.as_deref().unwrap_or_default().split_whitespace();
        words.filter(|word| word.chars().any(char::is_alphanumeric))
    }
}

impl Page {
    /// Takes rows in, of which there may be one more than fits; says whether there is room for more.
    pub(super) fn take_in<E>(
        &mut self,
        search: &Search,
        rows: impl Iterator<Item = Result<Found, E>>,
    ) -> Result<bool, E> {
        let mut bytes: usize = self.found.iter().map(|found| found.line.len()).sum();
        for row in rows {
            if self.found.len() == search.page_lines() || bytes > Search::PAGE_BYTES_MAX {
                self.next = self.found.last().map(|found: &Found| found.number);
                return Ok(false);
            }
            let found = row?;
            bytes += found.line.len();
            self.found.push(found);
        }
        Ok(true)
    }
}

/// The first and the last number of a stretch of lines.
pub(super) type Numbers = (i64, i64);

/// The lines of a row by which a time is found: as many as are looked over in a millisecond, of which a million lines make 2,000 rows,
/// which take as long. The schemas have the number too.
pub(super) const BLOCK_LINES: i64 = 512;

/// Returns the stretches of lines that some blocks make, which come in their order; those of a clock that was never set back are one.
pub(super) fn numbers_of(blocks: impl IntoIterator<Item = i64>, newest_first: bool) -> Vec<Numbers> {
    let mut stretches: Vec<Numbers> = Vec::new();
    for block in blocks {
        let (first, end) = (block * BLOCK_LINES, (block + 1) * BLOCK_LINES);
        match stretches.last_mut() {
            Some((_, last)) if *last + 1 == first => *last = end - 1,
            _ => stretches.push((first, end - 1)),
        }
    }
    if newest_first {
        stretches.reverse();
    }
    stretches
}

/// Returns the first and the last line of a stretch that begins and ends with some blocks.
pub(super) const fn ends_of(first: i64, last: i64) -> [i64; 2] {
    [first * BLOCK_LINES, (last + 1) * BLOCK_LINES - 1]
}

impl super::Store {
    /// Calls with each line that is found, page by page.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn walk(&self, search: &Search, each: &mut dyn FnMut(Found)) -> Result<(), super::StoreError> {
        let mut search = search.clone();
        loop {
            let page = self.search(&search)?;
            page.found.into_iter().for_each(&mut *each);
            match page.next {
                Some(next) => search.after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
