//! The short way to write a series: `3x20 a+bxn _x2`.

/// Says which word of a shorthand is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{word}` is not a sample; write 3, 3x20 (twenty times 3), 0+2x5 (0, 2, 4, 6, 8), _ or _x4 (missing){why}"
)]
pub struct ShorthandError {
    /// Byte offset of the word.
    pub offset: usize,
    /// The word itself.
    pub word: String,
    /// More, beginning with `: `, or nothing.
    pub why: String,
}

/// One line of text can stand for at most as many samples as 11 years of them at 30 seconds.
const SAMPLES_MAX: usize = 12_000_000;

/// Reads `value`, `value x count`, `a+bxn` (n samples from a in steps of b), `_` and `_xn`, separated by white space.
pub fn parse_shorthand(text: &str) -> Result<Vec<Option<f64>>, ShorthandError> {
    let mut samples = Vec::new();
    for word in text.split_whitespace() {
        let offset = word.as_ptr() as usize - text.as_ptr() as usize;
        let fail = |why: &str| ShorthandError {
            offset,
            word: word.to_owned(),
            why: why.to_owned(),
        };
        let (value, count) = match word.split_once('x') {
            Some((value, count)) => (value, count.parse().map_err(|_| fail(""))?),
            None => (word, 1_usize),
        };
        if samples.len().saturating_add(count) > SAMPLES_MAX {
            return Err(fail(": more than 12 million samples"));
        }
        if value == "_" {
            samples.extend(std::iter::repeat_n(None, count));
            continue;
        }
        let (first, step) = split_ramp(value).ok_or_else(|| fail(""))?;
        samples.extend((0..count).map(|index| Some(first + step * index as f64)));
    }
    Ok(samples)
}

/// Splits `a+b` or `a-b` at the sign that belongs to neither number; a plain number has step 0.
fn split_ramp(value: &str) -> Option<(f64, f64)> {
    let finite = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(number) = finite(value) {
        return Some((number, 0.0));
    }
    value
        .char_indices()
        .skip(1)
        .filter(|(_, c)| matches!(c, '+' | '-'))
        .find_map(|(at, _)| {
            let step = value[at..].strip_prefix('+').unwrap_or(&value[at..]);
            Some((finite(&value[..at])?, finite(step)?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_as_it_says() {
        let samples = parse_shorthand(" 3 0.5x2\t0+2x3 10-2.5x2 _ _x2 -1 1e3").unwrap();
        let expected = [3.0, 0.5, 0.5, 0.0, 2.0, 4.0, 10.0, 7.5];
        assert_eq!(samples[..8], expected.map(Some));
        assert_eq!(samples[8..], [None, None, None, Some(-1.0), Some(1000.0)]);
        assert_eq!(parse_shorthand("").unwrap(), []);
    }

    #[test]
    fn a_wrong_word_is_named_with_its_place() {
        for (text, offset) in [
            ("1 two", 2),
            ("3x", 0),
            ("1+x4", 0),
            ("__", 0),
            ("NaN", 0),
            ("1x99999999999", 0),
        ] {
            assert_eq!(parse_shorthand(text).unwrap_err().offset, offset, "{text}");
        }
    }
}
