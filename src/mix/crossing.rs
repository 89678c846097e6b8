//! Where a gain changes its sign.

/// A quarter of the steps halve the 22 units of nine and a half decades; these leave less than a part in a hundred thousand of them.
const STEPS_MAX: usize = 88;

/// A rate, as a logarithm, and what spot saves there.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub at: f64,
    pub gain: f64,
}

/// Returns the two ends between which a gain changes its sign, or twice the place at which it is none: the secant of the two ends, a
/// stale end weighed down by half (the Illinois method), and a plain half where a gain is no number or the ends close in slowly.
pub(super) fn crossing(
    mut with: End,
    mut without: End,
    (near, tolerance): (f64, f64),
    mut gain: impl FnMut(f64) -> f64,
) -> (End, End) {
    let (mut gains, mut stale) = ((with.gain, without.gain), 0_i32);
    for round in 0..STEPS_MAX {
        let width = without.at - with.at;
        if width.abs() <= near {
            break;
        }
        let share = gains.0 / (gains.0 - gains.1);
        let is_secant = gains.0.is_finite() && gains.1.is_finite() && share.is_finite();
        let share = if is_secant && round % 4 != 3 {
            // Never the end itself: what is left on that side must shrink too.
            let margin = 0.4 * near / width.abs();
            share.clamp(margin, 1.0 - margin)
        } else {
            0.5
        };
        let at = with.at + share * width;
        let here = End { at, gain: gain(at) };
        if here.gain.abs() < tolerance {
            return (here, here);
        }
        if here.gain > 0.0 {
            (with, gains.0) = (here, here.gain);
            stale = stale.max(0) + 1;
            if stale > 1 {
                gains.1 *= 0.5;
            }
        } else {
            (without, gains.1) = (here, here.gain);
            stale = stale.min(0) - 1;
            if stale < -1 {
                gains.0 *= 0.5;
            }
        }
    }
    (with, without)
}
