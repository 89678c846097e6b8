//! One metric's samples on a fixed grid, with the gaps visible.
//!
//! Present values lie side by side, oldest first, and a running count says how many came before each slot of the grid. A
//! window is therefore a borrowed slice and its share of samples a subtraction: nothing is searched and nothing copied.
//! While all samples are whole numbers, as counts of tasks and nodes are, the sum of a window is a subtraction too.

use crate::base::{Span, Timestamp};

/// The samples of one metric: sample *i* was taken at `start + i × period`, or never arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    start: Timestamp,
    period: Span,
    /// Present samples, oldest first.
    values: Vec<f64>,
    /// `rank[i]` is the number of present samples before slot `i`; one longer than there are slots.
    rank: Vec<u32>,
    /// `sums[i]` is the sum of the first `i` values, as long as it is exact in any order of adding.
    sums: Vec<f64>,
}

/// Whole numbers up to 2^53 are exact in an `f64`; the difference of two sums stays there if each is at most half of it.
const EXACT_MAX: f64 = (1_u64 << 52) as f64;

/// What lies in a window of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window<'a> {
    /// The present samples, oldest first.
    pub values: &'a [f64],
    /// How many samples the window could hold.
    pub possible: u32,
}

/// Says that a series holds as many slots as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a series holds at most {} samples; start it later", Series::SLOTS_MAX)]
pub struct SeriesFull;

impl Window<'_> {
    /// Returns the share of possible samples that are present, 0 to 100, as `GetSamplePercent` gives it.
    ///
    /// More samples than the window's length suggests (the window's edges can both catch one) count as 100.
    #[inline]
    pub fn percent(&self) -> f64 {
        Self::share(self.values.len(), self.possible)
    }

    /// Returns how many samples a window of that length can hold: its periods, rounded half up, at least 1.
    #[inline]
    pub fn possible(length: Span, period: Span) -> u32 {
        let half_more = length.ticks().saturating_add(period.ticks() / 2);
        u32::try_from(periods(half_more, period))
            .unwrap_or(u32::MAX)
            .max(1)
    }

    /// Returns the percentage that `present` of `possible` samples are, at most 100.
    #[inline]
    pub fn share(present: usize, possible: u32) -> f64 {
        (100.0 * as_number(present) / f64::from(possible)).min(100.0)
    }
}

impl Series {
    /// 2^27 slots are 127 years of 30-second samples; a longer input is a mistake, not a history.
    pub const SLOTS_MAX: usize = 1 << 27;

    /// Returns a series without samples whose first slot is at `start`; a period below one tick becomes one tick.
    pub fn new(start: Timestamp, period: Span) -> Self {
        Self {
            start,
            period: period.max(Span::from_ticks(1)),
            values: Vec::new(),
            rank: vec![0],
            sums: vec![0.0],
        }
    }

    /// Adds the next slot's sample, or the gap where it is missing; a sample that is not finite is a gap.
    pub fn push(&mut self, sample: Option<f64>) -> Result<(), SeriesFull> {
        if self.slots() >= Self::SLOTS_MAX {
            return Err(SeriesFull);
        }
        if let Some(value) = sample.filter(|value| value.is_finite()) {
            self.add_up(value);
            self.values.push(value);
        }
        self.rank.push(self.values.len() as u32);
        Ok(())
    }

    /// Continues the sums, unless they were given up at an earlier value.
    fn add_up(&mut self, value: f64) {
        if self.sums.len() != self.values.len() + 1 {
            return;
        }
        let sum = self.sums[self.values.len()] + value;
        if value.fract() == 0.0 && sum.abs() <= EXACT_MAX {
            self.sums.push(sum);
        }
    }

    /// Adds a sample by its time: slots passed over become gaps, a time off the grid takes the nearest slot.
    ///
    /// Returns whether it was taken; a slot that is already filled or passed keeps what it has.
    pub fn record(&mut self, taken: Timestamp, sample: f64) -> Result<bool, SeriesFull> {
        let slot = (taken.since(self.start) / self.period).round();
        if slot < self.slots() as f64 {
            return Ok(false);
        }
        if slot >= Self::SLOTS_MAX as f64 {
            return Err(SeriesFull);
        }
        self.rank.resize(slot as usize + 1, self.values.len() as u32);
        self.push(Some(sample))?;
        Ok(true)
    }

    /// Forgets everything taken before `keep_from`, when that frees at least a quarter of the memory.
    pub fn forget_before(&mut self, keep_from: Timestamp) {
        let slot = self.slot_at_or_after(keep_from);
        // Seldom enough to cost nothing, and soon enough that little is kept in vain.
        if slot < 256 || slot < self.slots() / 4 {
            return;
        }
        let gone = self.rank[slot];
        self.values.drain(..gone as usize);
        self.rank.drain(..slot);
        self.rank.iter_mut().for_each(|count| *count -= gone);
        self.sums.truncate(1);
        for value in std::mem::take(&mut self.values) {
            self.add_up(value);
            self.values.push(value);
        }
        self.start = self.taken(slot);
    }

    /// Returns the time between two samples.
    pub fn period(&self) -> Span {
        self.period
    }

    /// Returns the number of slots, gaps included.
    pub fn slots(&self) -> usize {
        self.rank.len() - 1
    }

    /// Returns the present samples, oldest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns when a slot's sample is taken.
    pub fn taken(&self, slot: usize) -> Timestamp {
        let slot = i64::try_from(slot).unwrap_or(i64::MAX);
        self.start + Span::from_ticks(self.period.ticks().saturating_mul(slot))
    }

    /// Returns a slot's sample, if it arrived.
    pub fn get(&self, slot: usize) -> Option<f64> {
        let (before, after) = (*self.rank.get(slot)?, *self.rank.get(slot + 1)?);
        (before < after).then(|| self.values[before as usize])
    }

    /// Returns when the oldest present sample was taken.
    pub fn oldest(&self) -> Option<Timestamp> {
        let slot = self.rank.partition_point(|count| *count == 0);
        (slot < self.rank.len()).then(|| self.taken(slot - 1))
    }

    /// Returns when the newest present sample was taken.
    pub fn newest(&self) -> Option<Timestamp> {
        let last = *self.rank.last().expect("the rank has one entry more than slots");
        let slot = self.rank.partition_point(|count| *count < last);
        (last > 0).then(|| self.taken(slot - 1))
    }

    /// Returns the samples of age *a* with near ≤ *a* < far, in whatever order the two bounds are given.
    ///
    /// Sample age is `now − taken`. Possible samples: max(1, round((far − near) / period)), as INTERFACES.md defines it.
    #[inline]
    pub fn window(&self, now: Timestamp, one: Span, other: Span) -> Window<'_> {
        let (near, far) = if one <= other { (one, other) } else { (other, one) };
        Window {
            values: self.between(now, near, far),
            possible: Window::possible(far - near, self.period),
        }
    }

    /// Returns the present samples of age *a* with near ≤ *a* < far, oldest first; the nearer bound comes first.
    #[inline]
    pub fn between(&self, now: Timestamp, near: Span, far: Span) -> &[f64] {
        let (first, end) = self.places(now, near, far);
        &self.values[first..end]
    }

    /// Returns the same samples, and their sum where it is known without adding them up.
    ///
    /// It is exact, and so is the sum of whole numbers in any order: whoever adds them up gets the same.
    #[inline]
    pub fn between_with_sum(&self, now: Timestamp, near: Span, far: Span) -> (&[f64], Option<f64>) {
        let (first, end) = self.places(now, near, far);
        let sum = self.sums.get(end).map(|sum| sum - self.sums[first]);
        (&self.values[first..end], sum)
    }

    /// Returns where the samples of a window lie among the present ones.
    #[inline]
    fn places(&self, now: Timestamp, near: Span, far: Span) -> (usize, usize) {
        // Age < far is taken > now − far; age ≥ near is taken ≤ now − near.
        // Both lie in the years 1 to 9999: their difference is far from the ends of an `i64`.
        let since_start = now.ticks() - self.start.ticks();
        let first = self.slot_after(since_start.saturating_sub(far.ticks()));
        let end = self
            .slot_after(since_start.saturating_sub(near.ticks()))
            .max(first);
        (self.rank[first] as usize, self.rank[end] as usize)
    }

    /// Returns the newest `count` samples, however old, oldest first.
    pub fn latest(&self, count: usize) -> &[f64] {
        &self.values[self.values.len().saturating_sub(count)..]
    }

    /// The first slot taken strictly after so many ticks since the start.
    #[inline]
    fn slot_after(&self, ticks: i64) -> usize {
        if ticks < 0 {
            return 0;
        }
        let before = periods(ticks, self.period).unsigned_abs();
        before.saturating_add(1).min(self.slots() as u64) as usize
    }

    fn slot_at_or_after(&self, at: Timestamp) -> usize {
        self.clamp_slot(
            at.since(self.start)
                .ticks()
                .max(0)
                .div_ceil_signed(self.period.ticks()),
        )
    }

    #[inline]
    fn clamp_slot(&self, slot: i64) -> usize {
        usize::try_from(slot).map_or(0, |slot| slot.min(self.slots()))
    }
}

trait DivCeil {
    fn div_ceil_signed(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_signed(self, by: i64) -> i64 {
        self / by + i64::from(self % by > 0)
    }
}

/// Returns a count as a number; no slice is longer than `i64` can say, and signed integers convert in one instruction.
#[inline]
pub fn as_number(count: usize) -> f64 {
    i64::try_from(count).unwrap_or(i64::MAX) as f64
}

/// Divides by a period; by the usual one it is a multiplication, and every window takes three of them.
#[inline]
fn periods(ticks: i64, period: Span) -> i64 {
    const USUAL: i64 = Span::SAMPLE_PERIOD.ticks();
    if period.ticks() == USUAL {
        ticks / USUAL
    } else {
        ticks / period.ticks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: &[Option<f64>]) -> Series {
        let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
        for sample in samples {
            series.push(*sample).unwrap();
        }
        series
    }

    #[test]
    fn a_window_is_half_open_in_age() {
        // Taken at 0 s, 30 s, (60 s missing), 90 s; seen from 120 s their ages are 120, 90, 60, 30.
        let series = series(&[Some(1.0), Some(2.0), None, Some(4.0)]);
        let now = Timestamp::from_unix_seconds(120);
        for (near, far, values, possible) in [
            (0, 30, &[][..], 1),
            (0, 31, &[4.0][..], 1),
            (30, 90, &[4.0][..], 2),
            (90, 30, &[4.0][..], 2),
            (30, 120, &[2.0, 4.0][..], 3),
            (0, 600, &[1.0, 2.0, 4.0][..], 20),
            (500, 600, &[][..], 3),
            (-60, 0, &[][..], 2),
        ] {
            let window = series.window(now, Span::seconds(near), Span::seconds(far));
            assert_eq!(
                (window.values, window.possible),
                (values, possible),
                "({near} s, {far} s)"
            );
        }
    }

    #[test]
    fn samples_recorded_by_time_leave_gaps_and_never_rewrite() {
        let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
        for (second, taken) in [(0, true), (89, true), (60, false), (121, true), (90, false)] {
            let at = Timestamp::from_unix_seconds(second);
            assert_eq!(series.record(at, second as f64), Ok(taken), "{second} s");
        }
        let got: Vec<_> = (0..series.slots()).map(|slot| series.get(slot)).collect();
        assert_eq!(got, [Some(0.0), None, None, Some(89.0), Some(121.0)]);
        assert_eq!(series.oldest(), Some(Timestamp::EPOCH));
        assert_eq!(series.newest(), Some(Timestamp::from_unix_seconds(120)));
    }

    #[test]
    fn a_sum_that_is_known_is_the_sum() {
        let whole: Vec<_> = (0..3000)
            .map(|i| (i % 5 != 2).then_some(f64::from(i % 97) - 40.0))
            .collect();
        let mut broken = whole.clone();
        broken[2000] = Some(0.5);
        let mut vast = whole.clone();
        vast[2000] = Some(EXACT_MAX + 2.0);
        for (samples, known_to_the_end) in [(whole, true), (broken, false), (vast, false)] {
            let mut series = series(&samples);
            for slots in [10, 1990, 2010, 2999] {
                let now = Timestamp::from_unix_seconds(30 * slots);
                let (values, sum) = series.between_with_sum(now, Span::ZERO, Span::minutes(60));
                let added = values.iter().rev().fold(0.0, |sum, x| sum + x);
                let known = known_to_the_end || slots < 2000;
                assert_eq!(sum, known.then_some(added), "{slots} slots");
            }
            // Once what broke the sums is forgotten, they are known again.
            series.forget_before(Timestamp::from_unix_seconds(30 * 2001));
            let now = Timestamp::from_unix_seconds(30 * 3000);
            let (values, sum) = series.between_with_sum(now, Span::ZERO, Span::minutes(60));
            assert_eq!(sum, Some(values.iter().sum()));
        }
    }

    #[test]
    fn forgetting_the_past_changes_no_window_of_the_present() {
        let samples: Vec<_> = (0..5000).map(|i| (i % 7 != 3).then_some(f64::from(i))).collect();
        let whole = series(&samples);
        let mut trimmed = whole.clone();
        let now = Timestamp::from_unix_seconds(30 * 5000);
        trimmed.forget_before(now - Span::hours(2));
        assert!(trimmed.slots() < 300);
        for minutes in [1, 7, 60, 120] {
            let span = Span::minutes(minutes);
            assert_eq!(
                whole.window(now, Span::ZERO, span),
                trimmed.window(now, Span::ZERO, span)
            );
        }
    }
}
