//! A hazard that is constant between some ages: the family that takes any shape and little data.

use serde::{Deserialize, Serialize};

use super::Hazard;

/// A hazard that is constant on each piece of the age: `hazards[0]` up to `cuts_hours[0]`, the last one for ever after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Pieces")]
pub struct Piecewise {
    cuts_hours: Vec<f64>,
    hazards: Vec<Hazard>,
}

/// A [`Piecewise`] as it is written, before it is known to be one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pieces {
    cuts_hours: Vec<f64>,
    hazards: Vec<Hazard>,
}

impl TryFrom<Pieces> for Piecewise {
    type Error = &'static str;
    fn try_from(pieces: Pieces) -> Result<Self, &'static str> {
        Self::new(pieces.cuts_hours, pieces.hazards)
            .ok_or("pieces need rising cuts above 0 and one hazard more than cuts, none below 0")
    }
}

impl Piecewise {
    /// Returns a piecewise constant hazard; `None` unless the cuts rise, the first is above 0, there is one hazard more
    /// than cuts, and every hazard is finite and not below 0.
    pub fn new(cuts_hours: Vec<f64>, hazards: Vec<Hazard>) -> Option<Self> {
        let rises = cuts_hours.windows(2).all(|pair| pair[0] < pair[1]);
        let positive = cuts_hours.iter().all(|cut| cut.is_finite() && *cut > 0.0);
        let rates = hazards
            .iter()
            .all(|hazard| hazard.0.is_finite() && hazard.0 >= 0.0);
        (rises && positive && rates && hazards.len() == cuts_hours.len() + 1)
            .then_some(Self { cuts_hours, hazards })
    }

    /// Returns the ages at which the hazard changes, in hours.
    pub fn cuts_hours(&self) -> &[f64] {
        &self.cuts_hours
    }

    /// Returns the hazards, youngest piece first; one more than cuts.
    pub fn hazards(&self) -> &[Hazard] {
        &self.hazards
    }

    pub(super) fn hazard(&self, age: f64) -> f64 {
        self.hazards[self.cuts_hours.partition_point(|cut| *cut <= age)].0
    }

    pub(super) fn cumulative(&self, age: f64) -> f64 {
        let mut from = 0.0;
        let mut sum = 0.0;
        for (cut, hazard) in self.cuts_hours.iter().zip(&self.hazards) {
            if age <= *cut {
                return sum + hazard.0 * (age - from);
            }
            sum += hazard.0 * (cut - from);
            from = *cut;
        }
        sum + self.hazards[self.cuts_hours.len()].0 * (age - from)
    }

    /// Returns the age at which the cumulative hazard reaches a value; infinite when it never does.
    pub(super) fn age_at_cumulative(&self, value: f64) -> f64 {
        let mut from = 0.0;
        let mut left = value;
        for (cut, hazard) in self.cuts_hours.iter().zip(&self.hazards) {
            let piece = hazard.0 * (cut - from);
            if left <= piece {
                return if left <= 0.0 { from } else { from + left / hazard.0 };
            }
            left -= piece;
            from = *cut;
        }
        from + left / self.hazards[self.cuts_hours.len()].0
    }
}

/// Returns in how many hours of a stretch of age each piece lies: pairs of piece and hours, only those that are touched.
pub(super) fn overlaps(cuts: &[f64], from: f64, to: f64) -> impl Iterator<Item = (usize, f64)> {
    let first = cuts.partition_point(|cut| *cut <= from);
    (first..=cuts.len()).map_while(move |piece| {
        let low = if piece == first { from } else { cuts[piece - 1] };
        let high = cuts.get(piece).map_or(to, |cut| cut.min(to));
        (high > low).then_some((piece, high - low))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Piecewise {
        Piecewise::new(vec![1.0, 3.0], vec![Hazard(0.5), Hazard(0.0), Hazard(0.25)]).unwrap()
    }

    #[test]
    fn the_cumulative_hazard_is_a_line_on_each_piece_and_can_be_inverted() {
        let pieces = three();
        for (age, hazard, cumulative) in [
            (0.0, 0.5, 0.0),
            (0.5, 0.5, 0.25),
            (1.0, 0.0, 0.5),
            (2.0, 0.0, 0.5),
            (3.0, 0.25, 0.5),
            (7.0, 0.25, 1.5),
        ] {
            assert_eq!((pieces.hazard(age), pieces.cumulative(age)), (hazard, cumulative));
        }
        assert_eq!(pieces.age_at_cumulative(0.25), 0.5);
        assert_eq!(pieces.age_at_cumulative(1.5), 7.0);
        let ends = Piecewise::new(vec![1.0], vec![Hazard(1.0), Hazard(0.0)]).unwrap();
        assert_eq!(ends.age_at_cumulative(2.0), f64::INFINITY);
    }

    #[test]
    fn a_stretch_of_age_is_shared_out_over_the_pieces_it_touches() {
        let shared = |from, to| overlaps(&[1.0, 3.0], from, to).collect::<Vec<_>>();
        assert_eq!(shared(0.5, 4.0), [(0, 0.5), (1, 2.0), (2, 1.0)]);
        assert_eq!(shared(1.0, 3.0), [(1, 2.0)]);
        assert_eq!(shared(5.0, 6.5), [(2, 1.5)]);
        assert_eq!(shared(2.0, 2.0), []);
    }

    #[test]
    fn pieces_that_make_no_sense_are_refused() {
        let hazards = |n: usize| vec![Hazard(0.1); n];
        for (cuts, rates) in [
            (vec![1.0], hazards(1)),
            (vec![2.0, 1.0], hazards(3)),
            (vec![0.0], hazards(2)),
            (vec![f64::NAN], hazards(2)),
            (vec![], vec![Hazard(-1.0)]),
        ] {
            assert_eq!(Piecewise::new(cuts, rates), None);
        }
        let json = r#"{"cutsHours":[1.0],"hazards":[0.1]}"#;
        assert!(serde_json::from_str::<Piecewise>(json).is_err());
    }
}
