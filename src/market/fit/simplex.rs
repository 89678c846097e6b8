//! Nelder and Mead's simplex: the least value of a function of a few numbers, without its slope.

/// Reflections before it is said to be good enough; a likelihood of four parameters takes about 300.
const STEPS_MAX: usize = 1000;

/// Returns where the function is least near a start, with the value there. A value that is no number counts as infinite.
///
/// J. A. Nelder and R. Mead, The Computer Journal 7 (1965), with reflection 1, expansion 2, contraction and shrinkage 1/2. The
/// search begins again where it has ended until that gains nothing, for a simplex may collapse short of the least value.
pub(super) fn least<const N: usize>(
    function: impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    step: f64,
) -> ([f64; N], f64) {
    let value = |point: &[f64; N]| {
        let value = function(point);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let mut best = (start, value(&start));
    // Ten rounds always were enough; each takes a smaller step.
    for round in 0..10 {
        let found = search(&value, best.0, step * 0.5_f64.powi(round));
        let gained = best.1 - found.1;
        if found.1 < best.1 {
            best = found;
        }
        if round > 0 && (gained.is_nan() || gained < 1e-6) {
            break;
        }
    }
    best
}

fn search<const N: usize>(value: &impl Fn(&[f64; N]) -> f64, start: [f64; N], step: f64) -> ([f64; N], f64) {
    let mut corners = vec![(start, value(&start))];
    for axis in 0..N {
        let mut corner = start;
        corner[axis] += step;
        corners.push((corner, value(&corner)));
    }
    for _ in 0..STEPS_MAX {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (low, high) = (corners[0].1, corners[N].1);
        if high - low <= 1e-9 * (1.0 + low.abs()) {
            break;
        }
        let mut middle = [0.0; N];
        for (corner, _) in &corners[..N] {
            for (sum, coordinate) in middle.iter_mut().zip(corner) {
                *sum += coordinate / N as f64;
            }
        }
        let worst = corners[N];
        let towards = |factor: f64| {
            let point: [f64; N] =
                std::array::from_fn(|axis| middle[axis] + factor * (middle[axis] - worst.0[axis]));
            (point, value(&point))
        };
        let reflected = towards(1.0);
        let next = if reflected.1 < low {
            let expanded = towards(2.0);
            Some(if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            })
        } else if reflected.1 < corners[N - 1].1 {
            Some(reflected)
        } else {
            let contracted = towards(if reflected.1 < worst.1 { 0.5 } else { -0.5 });
            (contracted.1 < worst.1.min(reflected.1)).then_some(contracted)
        };
        match next {
            Some(corner) => corners[N] = corner,
            None => shrink(&mut corners, value),
        }
    }
    corners.sort_by(|a, b| a.1.total_cmp(&b.1));
    corners[0]
}

/// Pulls every corner halfway to the best one.
fn shrink<const N: usize>(corners: &mut [([f64; N], f64)], value: &impl Fn(&[f64; N]) -> f64) {
    let best = corners[0].0;
    for (corner, held) in &mut corners[1..] {
        for (coordinate, to) in corner.iter_mut().zip(best) {
            *coordinate = f64::midpoint(*coordinate, to);
        }
        *held = value(corner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_bent_valley() {
        // Rosenbrock: least at (1, 1).
        let valley = |[x, y]: &[f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let (at, value) = least(valley, [-1.2, 1.0], 0.5);
        assert!(
            (at[0] - 1.0).abs() < 1e-3 && (at[1] - 1.0).abs() < 1e-3 && value < 1e-6,
            "{at:?} {value}"
        );
    }

    #[test]
    fn it_stays_where_the_function_is_a_number() {
        let (at, _) = least(
            |[x]: &[f64; 1]| if *x > 0.0 { x - x.ln() } else { f64::NAN },
            [5.0],
            1.0,
        );
        assert!((at[0] - 1.0).abs() < 1e-4, "{at:?}");
        let (_, value) = least(|_: &[f64; 2]| f64::NAN, [0.0, 0.0], 1.0);
        assert_eq!(value, f64::INFINITY);
    }
}
