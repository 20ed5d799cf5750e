//! Values → places along an axis, and the ticks that it shows.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::canvas::LINE;
use super::text::{percent, trimmed, width_of};
use crate::benchmark::measure::probit;

/// Rates between which the detection error trade-off is drawn.
const DET_RANGE: (f64, f64) = (0.001, 0.6);
const DET_TICKS: [f64; 8] = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];

/// How values are laid along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Linear,
    /// Normal quantiles of shares.
    Probit,
    Logarithm,
}

impl Scale {
    /// Rises with `value`; what has no place takes the nearest that numbers can name.
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Probit => probit(value.clamp(1e-9, 1.0 - 1e-9)),
            Self::Logarithm => value.max(f64::MIN_POSITIVE).log10(),
        }
    }
}

/// An axis in scaled values, with the ticks that it shows.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    ticks: Vec<(f64, String)>,
    pub(super) name: String,
}

impl Axis {
    pub(super) fn det(name: &str) -> Self {
        let scale = Scale::Probit;
        let (low, high) = (scale.of(DET_RANGE.0), scale.of(DET_RANGE.1));
        let ticks = DET_TICKS.iter().map(|rate| (scale.of(*rate), percent(*rate))).collect();
        Self { scale, low, high, ticks, name: name.to_owned() }
    }

    /// From 0 to a round number at or above `highest`, a share, in per cent.
    pub(super) fn rate(name: &str, highest: f64) -> Self {
        const STEPS: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
        let highest = highest.clamp(0.002, 1.0);
        let step = STEPS.into_iter().find(|step| highest / step <= 5.0 + 1e-9).unwrap_or(0.5);
        let steps = (highest / step - 1e-9).ceil();
        let ticks = (0..=steps as usize).map(|i| i as f64 * step).map(|rate| (rate, percent(rate))).collect();
        Self { scale: Scale::Linear, low: 0.0, high: steps * step, ticks, name: name.to_owned() }
    }

    pub(super) fn linear(name: &str, low: f64, high: f64) -> Self {
        let tick = |i: u8| low + (high - low) * (f64::from(i) / 5.0);
        let text = |value: f64| if value.abs() < 1e4 { trimmed(format!("{value:.2}")) } else { format!("{value:.1e}") };
        let ticks = (0..=5).map(tick).map(|value| (value, text(value))).collect();
        Self { scale: Scale::Linear, low, high, ticks, name: name.to_owned() }
    }

    /// Powers of ten, from that of `lowest` to 1, in per cent.
    pub(super) fn decades(name: &str, lowest: i32) -> Self {
        let every = if lowest < -3 { 2 } else { 1 };
        let exponents = (lowest..=0).filter(|e| e % every == 0);
        let ticks = exponents.map(|e| (f64::from(e), percent(10_f64.powi(e)))).collect();
        Self { scale: Scale::Logarithm, low: f64::from(lowest), high: 0.0, ticks, name: name.to_owned() }
    }

    /// Room for so many categories, 0 and up; their names are written elsewhere.
    pub(super) fn categories(name: &str, count: usize) -> Self {
        let high = count as f64 - 0.5;
        Self { scale: Scale::Linear, low: -0.5, high: high.max(0.5), ticks: Vec::new(), name: name.to_owned() }
    }

    /// The same without name and labels; its ticks still rule the plane.
    pub(super) fn bare(mut self) -> Self {
        self.name.clear();
        self.ticks.iter_mut().for_each(|(_, label)| label.clear());
        self
    }

    /// Within the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        self.scale.of(value).clamp(self.low, self.high)
    }

    /// Room beside the axis for its labels and its name.
    pub(super) fn label_width(&self) -> i32 {
        let labels = self.ticks.iter().map(|(_, label)| width_of(label)).max().unwrap_or(0);
        labels + 14 + if self.name.is_empty() { 0 } else { LINE }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        limit.0 + (share.clamp(0.0, 1.0) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let exact = |tick: &f64| tick.total_cmp(value).is_eq();
        self.ticks.iter().find(|(tick, _)| exact(tick)).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probit_axis_rises_with_the_rate_and_puts_the_even_chance_at_zero() {
        let axis = Axis::det("a");
        let places: Vec<i32> = (1..=600).map(|i| axis.map(&axis.place(f64::from(i) / 1000.0), (0, 10_000))).collect();
        assert!(places.is_sorted_by(|a, b| a < b));
        assert_eq!((places[0], places[599]), (0, 10_000));
        assert!(axis.place(0.5).abs() < 1e-12);
        // From 0.1 % to 1 % it is farther than from 1 % to 3 %, and the smallest rates do not leave the axis.
        assert!(places[9] - places[0] > places[29] - places[9]);
        assert!(axis.place(0.0).total_cmp(&axis.low).is_eq() && axis.place(1.0).total_cmp(&axis.high).is_eq());
        assert_eq!(axis.ticks.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>().join(" "), "0.1 0.5 1 2 5 10 20 40");
    }

    #[test]
    fn a_logarithmic_axis_spaces_decades_evenly() {
        let axis = Axis::decades("a", -3);
        let places = [0.0, 0.001, 0.01, 0.1, 1.0].map(|share| axis.map(&axis.place(share), (0, 300)));
        assert_eq!(places, [0, 0, 100, 200, 300]);
    }

    #[test]
    fn an_axis_of_rates_ends_at_or_above_the_highest() {
        for (highest, end) in [(0.0, 0.002), (0.02, 0.02), (0.021, 0.025), (0.07, 0.08), (0.39, 0.4), (7.0, 1.0)] {
            let axis = Axis::rate("a", highest);
            assert!((axis.high - end).abs() < 1e-9, "{highest} gives {}", axis.high);
            assert!((2..=6).contains(&axis.ticks.len()));
        }
    }
}
