//! Named distributions of times, and chance that is the same everywhere for a seed.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::base::Span;

/// How a time is spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Times {
    /// Always the same.
    Fixed(Span),
    /// Without memory.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Its logarithm is normal: run times of jobs, up-runs and outages of spot markets.
    LogNormal {
        /// Half of them are shorter.
        median: Span,
        /// The standard deviation of the logarithm, 0 to [`Times::SIGMA_MAX`].
        sigma: f64,
    },
    /// A hazard that falls with age below shape 1 and rises above it.
    Weibull {
        /// 63 of 100 are shorter.
        scale: Span,
        /// The shape, [`Times::SHAPE_MIN`] to [`Times::SHAPE_MAX`].
        shape: f64,
    },
    /// A heavy tail that is cut off.
    Pareto {
        /// The least.
        least: Span,
        /// The exponent of the tail, [`Times::SHAPE_MIN`] to [`Times::SHAPE_MAX`]; the smaller, the heavier.
        shape: f64,
        /// The most.
        most: Span,
    },
}

impl Times {
    /// A mean `e^8`, three thousand times the median: no recorded log is spread as far.
    pub const SIGMA_MAX: f64 = 4.0;
    /// Below, a single draw outweighs all others.
    pub const SHAPE_MIN: f64 = 0.1;
    /// Above, all draws are as good as equal.
    pub const SHAPE_MAX: f64 = 100.0;
    /// A hundred years: no log and no lifetime is longer.
    pub const LONGEST: Span = Span::days(36_525);

    /// Returns the distribution, or says which of its numbers cannot be.
    ///
    /// # Errors
    /// With a sentence that names the range.
    pub fn checked(self) -> Result<Self, String> {
        let shape = |shape: f64| (Self::SHAPE_MIN..=Self::SHAPE_MAX).contains(&shape);
        let time = |time: Span| (Span::from_ticks(1)..=Self::LONGEST).contains(&time);
        let fine = match self {
            Self::Fixed(span) => time(span),
            Self::Exponential { mean } => time(mean),
            Self::LogNormal { median, sigma } => time(median) && (0.0..=Self::SIGMA_MAX).contains(&sigma),
            Self::Weibull { scale, shape: k } => time(scale) && shape(k),
            Self::Pareto {
                least,
                shape: k,
                most,
            } => time(least) && time(most) && least <= most && shape(k),
        };
        if fine {
            Ok(self)
        } else {
            Err(format!(
                "`{self}` cannot be drawn: times lie above zero and below 100 years, sigma between 0 and {}, shapes \
                 between {} and {}",
                Self::SIGMA_MAX,
                Self::SHAPE_MIN,
                Self::SHAPE_MAX
            ))
        }
    }

    /// Draws a time, at most [`Times::LONGEST`].
    pub fn draw(self, chance: &mut Pcg64Mcg) -> Span {
        let span = match self {
            Self::Fixed(span) => span,
            Self::Exponential { mean } => mean.scale(exponential(chance)),
            Self::LogNormal { median, sigma } => median.scale((sigma * normal(chance)).exp()),
            Self::Weibull { scale, shape } => scale.scale(exponential(chance).powf(1.0 / shape)),
            Self::Pareto { least, shape, most } => {
                // The inverse of F(x) = (1 − (l/x)^k) / (1 − (l/m)^k).
                let whole = 1.0 - (least / most).powf(shape);
                least
                    .scale((1.0 - chance.random::<f64>() * whole).powf(-1.0 / shape))
                    .min(most)
            }
        };
        span.min(Self::LONGEST)
    }

    /// Returns the mean; of a distribution that was checked.
    pub fn mean(self) -> Span {
        match self {
            Self::Fixed(span) | Self::Exponential { mean: span } => span,
            Self::LogNormal { median, sigma } => median.scale((sigma * sigma / 2.0).exp()),
            Self::Weibull { scale, shape } => scale.scale(gamma(1.0 + 1.0 / shape)),
            Self::Pareto { least, shape, most } => {
                let ratio = least / most;
                let whole = 1.0 - ratio.powf(shape);
                if whole == 0.0 {
                    return least;
                }
                if (shape - 1.0).abs() < 1e-9 {
                    return least.scale(-ratio.ln() / whole);
                }
                least.scale(shape / (shape - 1.0) * (1.0 - ratio.powf(shape - 1.0)) / whole)
            }
        }
    }
}

/// Writes what it reads: `fixed:5m`, `exp:1h`, `lognormal:10m/1.2`, `weibull:1h/0.6`, `pareto:1m/1.1/4h`.
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(span) => write!(f, "fixed:{}", spelled(*span)),
            Self::Exponential { mean } => write!(f, "exp:{}", spelled(*mean)),
            Self::LogNormal { median, sigma } => write!(f, "lognormal:{}/{sigma}", spelled(*median)),
            Self::Weibull { scale, shape } => write!(f, "weibull:{}/{shape}", spelled(*scale)),
            Self::Pareto { least, shape, most } => {
                write!(f, "pareto:{}/{shape}/{}", spelled(*least), spelled(*most))
            }
        }
    }
}

/// Reads what [`Times`] writes.
impl FromStr for Times {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let words: Vec<&str> = rest.split('/').collect();
        let span = |index: usize| words.get(index).and_then(|word| word.parse::<Span>().ok());
        let number = |index: usize| words.get(index).and_then(|word| word.parse::<f64>().ok());
        let (times, n_words) = match name {
            "fixed" => (span(0).map(Self::Fixed), 1),
            "exp" => (span(0).map(|mean| Self::Exponential { mean }), 1),
            "lognormal" => (
                span(0)
                    .zip(number(1))
                    .map(|(median, sigma)| Self::LogNormal { median, sigma }),
                2,
            ),
            "weibull" => (
                span(0)
                    .zip(number(1))
                    .map(|(scale, shape)| Self::Weibull { scale, shape }),
                2,
            ),
            "pareto" => (
                span(0)
                    .zip(number(1))
                    .zip(span(2))
                    .map(|((least, shape), most)| Self::Pareto { least, shape, most }),
                3,
            ),
            _ => (None, words.len()),
        };
        times.filter(|_| words.len() == n_words).map_or_else(
            || {
                Err(format!(
                    "`{text}` is no distribution of times; write fixed:5m, exp:1h, lognormal:10m/1.2 (median and sigma), \
                     weibull:1h/0.6 (scale and shape) or pareto:1m/1.1/4h (least, shape, most)"
                ))
            },
            Self::checked,
        )
    }
}

/// Returns a span as people write it, or in full where that would lose a fraction.
pub(super) fn spelled(span: Span) -> String {
    let short = span.in_short();
    if short.parse() == Ok(span) {
        short
    } else {
        span.to_string()
    }
}

/// Draws a time without memory whose mean is 1.
pub(super) fn exponential(chance: &mut Pcg64Mcg) -> f64 {
    -(1.0 - chance.random::<f64>()).ln()
}

/// Draws a normal number by Box and Muller.
pub(super) fn normal(chance: &mut Pcg64Mcg) -> f64 {
    let radius = (2.0 * exponential(chance)).sqrt();
    radius * (std::f64::consts::TAU * chance.random::<f64>()).cos()
}

/// Returns the gamma function of a number of at least 1, by Stirling's series from 10 up.
fn gamma(x: f64) -> f64 {
    let (mut x, mut divisor) = (x, 1.0);
    while x < 10.0 {
        divisor *= x;
        x += 1.0;
    }
    let ln = (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5));
    ln.exp() / divisor
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn draws_have_the_mean_that_is_told() {
        for text in [
            "fixed:5m",
            "exp:1h",
            "lognormal:10m/0.8",
            "weibull:1h/0.6",
            "weibull:1h/2",
            "pareto:1m/1.1/4h",
            "pareto:1m/1/4h",
            "pareto:1m/2.5/1m",
        ] {
            let times: Times = text.parse().unwrap();
            assert_eq!(times.to_string().parse::<Times>(), Ok(times));
            let mut chance = Pcg64Mcg::seed_from_u64(1);
            let n_draws = 200_000;
            let sum: f64 = (0..n_draws).map(|_| times.draw(&mut chance).as_seconds()).sum();
            let (found, mean) = (sum / f64::from(n_draws), times.mean().as_seconds());
            assert!((found / mean - 1.0).abs() < 0.02, "{text}: {found} is not {mean}");
        }
        assert!((gamma(1.5) - std::f64::consts::PI.sqrt() / 2.0).abs() < 1e-9);
        assert!((gamma(11.0) - 3_628_800.0).abs() < 0.1);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        for text in [
            "",
            "exp",
            "exp:0s",
            "exp:1h/2",
            "lognormal:1m",
            "lognormal:1m/9",
            "pareto:4h/1/1m",
            "beta:1",
            "exp:NaNs",
        ] {
            assert!(text.parse::<Times>().is_err(), "{text}");
        }
    }
}
