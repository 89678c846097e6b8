//! Small numerics: the area under a survival curve, and the place where a function changes its sign.

/// Nodes and weights of the Gauss-Legendre rule of eight points on (-1, 1), the positive half (Abramowitz and Stegun, 25.4).
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// Below e^-40 what is left of a survival curve adds nothing to its area in floating point.
const NEGLIGIBLE: f64 = 40.0;

/// Returns the integral of exp(-H(t)) for t from 0 to `length`; `kinks`, rising, are where the slope of H jumps.
///
/// H must not fall. Each stretch between kinks is cut until H rises by at most 1 on it, where the rule is exact to eleven
/// digits; near 0 the stretches are short, for a hazard may have no bound there.
pub(super) fn area_survived(cumulative: impl Fn(f64) -> f64, length: f64, kinks: &[f64]) -> f64 {
    let mut area = 0.0;
    let mut from = 0.0;
    let inner = kinks.iter().copied().filter(|kink| *kink > 0.0 && *kink < length);
    for to in inner.chain(std::iter::once(length)) {
        if to <= from {
            continue;
        }
        // Ten stretches, each twice as long as the one before: the first is a thousandth of the whole.
        let mut low = from;
        for halvings in (0..10).rev() {
            let high = from + (to - from) * 0.5_f64.powi(halvings);
            area += stretch(&cumulative, low, high, 0);
            low = high;
        }
        from = to;
    }
    area
}

fn stretch(cumulative: &impl Fn(f64) -> f64, low: f64, high: f64, depth: u32) -> f64 {
    let (first, last) = (cumulative(low), cumulative(high));
    if first > NEGLIGIBLE {
        return 0.0;
    }
    // A hard end makes H infinite, and no cut makes its rise small: 30 of them leave a billionth of the stretch.
    let is_smooth = last - first <= 1.0;
    if !is_smooth && depth < 30 {
        let middle = f64::midpoint(low, high);
        return stretch(cumulative, low, middle, depth + 1) + stretch(cumulative, middle, high, depth + 1);
    }
    let (middle, half) = (f64::midpoint(low, high), 0.5 * (high - low));
    let survived = |t: f64| (-cumulative(t)).exp();
    let points = GAUSS
        .iter()
        .map(|(node, weight)| weight * (survived(middle - half * node) + survived(middle + half * node)));
    half * points.sum::<f64>()
}

/// Returns where a function that rises from below 0 at `low` to above 0 at `high` crosses 0, by halving.
pub(super) fn crossing(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    // A hundred halvings leave nothing of any interval of floating-point numbers that matters here.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if function(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_agree_with_closed_forms() {
        for rate in [1e-6, 0.1, 1.0, 50.0, 1e5] {
            let area = area_survived(|t| rate * t, 7.0, &[]);
            let exact = -(-rate * 7.0_f64).exp_m1() / rate;
            assert!((area / exact - 1.0).abs() < 1e-9, "{rate}: {area} {exact}");
        }
        // S = exp(-sqrt t): the integral to x is 2 (1 - (1 + sqrt x) exp(-sqrt x)).
        let area = area_survived(f64::sqrt, 9.0, &[]);
        assert!(
            (area - 2.0 * (1.0 - 4.0 * (-3.0_f64).exp())).abs() < 1e-6,
            "{area}"
        );
        // A step at 2: everything dies there.
        let area = area_survived(|t| if t < 2.0 { 0.0 } else { f64::INFINITY }, 5.0, &[]);
        assert!((area - 2.0).abs() < 1e-6, "{area}");
    }

    #[test]
    fn a_crossing_is_found() {
        assert!((crossing(0.0, 4.0, |x| x * x - 2.0) - std::f64::consts::SQRT_2).abs() < 1e-14);
    }
}
