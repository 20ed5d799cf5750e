//! Numbers from files → numbers that can be ranked and counted, or what is wrong with them.

/// Why a figure cannot be given. Rows are counted from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// Nothing to count.
    #[error("there is no {0}, so its rate cannot be given")]
    Empty(&'static str),
    /// A value that is no number, or infinite.
    #[error("{what} {row} is {value}, which is not a finite number")]
    NotFinite {
        /// What the value is.
        what: &'static str,
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A score that is no probability.
    #[error("score {row} is {value}, which is not between 0 and 1")]
    NotAProbability {
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A quantile outside its range.
    #[error("a quantile is asked for at {0}, which is not between 0 and 1")]
    NotAShare(f64),
    /// Calibration without bins.
    #[error("calibration needs at least one bin")]
    NoBins,
}

pub(super) fn finite(what: &'static str, values: &[f64]) -> Result<(), MetricsError> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((row, value)) => Err(MetricsError::NotFinite { what, row, value: *value }),
        None if values.is_empty() => Err(MetricsError::Empty(what)),
        None => Ok(()),
    }
}

/// `values` rising.
pub(super) fn sorted(what: &'static str, values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    finite(what, values)?;
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

/// How many of `rising` are below `threshold`.
pub(super) fn below(rising: &[f64], threshold: f64) -> usize {
    rising.partition_point(|score| *score < threshold)
}

/// The nearest-rank quantile of `values` at each of `shares`: the least value such that at least that share of all
/// values is not above it. It is always one of the values; at 0 the least.
///
/// # Errors
/// When there is no value, one is not a finite number, or a share is not between 0 and 1.
pub fn quantiles<const N: usize>(values: &[f64], shares: [f64; N]) -> Result<[f64; N], MetricsError> {
    let rising = sorted("value", values)?;
    if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        return Err(MetricsError::NotAShare(*share));
    }
    let all = rising.len();
    // Quotients, not products, are compared: 0.07 times 100 is above 7, but 7 / 100 is 0.07.
    Ok(shares.map(|share| rising[(1..all).find(|rank| *rank as f64 / all as f64 >= share).unwrap_or(all) - 1]))
}

#[cfg(test)]
mod tests {
    use super::super::reference::reference;
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks_as_in_numpy() {
        let quantiles_reference = reference().quantiles;
        for [share, expected] in quantiles_reference.answers {
            assert_eq!(quantiles(&quantiles_reference.values, [share]), Ok([expected]), "{share}");
        }
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantiles(&hundred, [0.0, 0.07, 0.5, 0.95, 0.99, 1.0]), Ok([1.0, 7.0, 50.0, 95.0, 99.0, 100.0]));
        assert_eq!(quantiles(&[3.0], [0.5, 0.99]), Ok([3.0, 3.0]));
    }

    #[test]
    fn a_share_beyond_1_and_no_values_are_refused() {
        assert_eq!(quantiles(&[1.0], [1.1]), Err(MetricsError::NotAShare(1.1)));
        assert_eq!(quantiles(&[], [0.5]), Err(MetricsError::Empty("value")));
    }
}
