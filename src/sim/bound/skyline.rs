//! A symmetric matrix whose rows begin at their first entry, and its Cholesky factor, which fills the same room.

/// A symmetric positive definite matrix: each row from its first entry to the diagonal.
#[derive(Debug)]
pub(super) struct Skyline {
    first: Vec<usize>,
    /// Where row `r` would hold its column 0 if it had one: entry `(r, c)` is at `shift[r] + c`.
    shift: Vec<isize>,
    values: Vec<f64>,
}

/// Below this a pivot is taken for rounding: its unknown is fixed at zero, which keeps every other one right.
const PIVOT_MIN: f64 = 1e-30;

impl Skyline {
    /// Returns a matrix of zeros with rows that begin at these columns, none right of its diagonal.
    pub(super) fn new(first: Vec<usize>) -> Self {
        let mut end = 0_isize;
        let shift = first
            .iter()
            .enumerate()
            .map(|(row, first)| {
                let shift = end - first.cast_signed();
                end += (row + 1 - first).cast_signed();
                shift
            })
            .collect();
        Self {
            values: vec![0.0; end.unsigned_abs()],
            shift,
            first,
        }
    }

    /// Returns how many multiplications a factorisation takes, about.
    pub(super) fn work(first: &[usize]) -> f64 {
        let widths = first
            .iter()
            .enumerate()
            .map(|(row, first)| (row + 1 - first) as f64);
        widths.map(|width| width * width / 2.0).sum()
    }

    pub(super) fn clear(&mut self) {
        self.values.fill(0.0);
    }

    fn at(&self, row: usize, column: usize) -> usize {
        (self.shift[row] + column.cast_signed()).unsigned_abs()
    }

    /// Adds to an entry at or left of the diagonal, within its row.
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        let at = self.at(row, column);
        self.values[at] += value;
    }

    /// Subtracts `scale` times the outer product of a vector that stands at rows `low..`.
    pub(super) fn subtract_outer(&mut self, low: usize, vector: &[f64], scale: f64) {
        for (offset, value) in vector.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            let from = self.at(low + offset, low);
            let factor = scale * value;
            let row = &mut self.values[from..=from + offset];
            for (entry, other) in row.iter_mut().zip(vector) {
                *entry -= factor * other;
            }
        }
    }

    /// Replaces the matrix by its lower Cholesky factor.
    pub(super) fn factor(&mut self) {
        for row in 0..self.first.len() {
            let first = self.first[row];
            let start = self.at(row, first);
            let (above, rest) = self.values.split_at_mut(start);
            let own = &mut rest[..=row - first];
            for column in first..row {
                let common = first.max(self.first[column]);
                let other_at = (self.shift[column] + common.cast_signed()).unsigned_abs();
                let other = &above[other_at..=other_at + (column - common)];
                let sum = dot(&own[common - first..column - first], &other[..column - common]);
                own[column - first] = (own[column - first] - sum) / other[column - common];
            }
            let before = &own[..row - first];
            let pivot = own[row - first] - dot(before, before);
            own[row - first] = if pivot > PIVOT_MIN { pivot.sqrt() } else { f64::MAX };
        }
    }

    /// Solves for a right side, in place, with the factor.
    pub(super) fn solve(&self, right: &mut [f64]) {
        for row in 0..self.first.len() {
            let first = self.first[row];
            let own = &self.values[self.at(row, first)..=self.at(row, row)];
            let sum = dot(&own[..row - first], &right[first..row]);
            right[row] = (right[row] - sum) / own[row - first];
        }
        for row in (0..self.first.len()).rev() {
            let first = self.first[row];
            let own = &self.values[self.at(row, first)..=self.at(row, row)];
            right[row] /= own[row - first];
            let value = right[row];
            for (entry, factor) in right[first..row].iter_mut().zip(own) {
                *entry -= factor * value;
            }
        }
    }
}

/// The inner product, summed in four lanes that a processor can take at once.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (quads_a, rest_a) = a.as_chunks::<8>();
    let (quads_b, rest_b) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in quads_a.iter().zip(quads_b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_was_multiplied() {
        // Rows begin at 0, 0, 1, 0, 3; the matrix is L Lᵀ for the L below.
        let first = vec![0, 0, 1, 0, 3];
        let lower = [
            [2.0, 0.0, 0.0, 0.0, 0.0],
            [1.0, 3.0, 0.0, 0.0, 0.0],
            [0.0, -1.0, 1.0, 0.0, 0.0],
            [4.0, 0.5, 2.0, 5.0, 0.0],
            [0.0, 0.0, 0.0, 1.0, 2.0],
        ];
        let product = |row: usize, other: usize| -> f64 {
            lower[row].iter().zip(lower[other]).map(|(a, b)| a * b).sum()
        };
        let mut matrix = Skyline::new(first.clone());
        for (row, first) in first.into_iter().enumerate() {
            for column in first..=row {
                matrix.add(row, column, product(row, column));
            }
        }
        // Added and taken away again: nothing is changed.
        matrix.subtract_outer(0, &[1.0, 3.0], 0.5);
        matrix.subtract_outer(0, &[1.0, 3.0], -0.5);
        let wanted = [1.0, -2.0, 3.0, 0.25, 7.0];
        let times = |row: usize| (0..5).map(|other| product(row, other) * wanted[other]).sum();
        let mut right: Vec<f64> = (0..5).map(times).collect();
        matrix.factor();
        matrix.solve(&mut right);
        for (found, wanted) in right.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{right:?}");
        }
    }
}
