//! Curves → the receiver operating characteristic.

use super::Series;
use super::axis::Axis;
use super::canvas::Svg;
use super::curves::curves;
use super::text::names;

/// Receiver operating characteristic: BPCER across, share of attacks detected up.
pub fn roc(series: &[Series]) -> Svg {
    let title = format!(
        "Receiver operating characteristic, attacks detected against BPCER: {}",
        names(series.iter().map(|s| &s.name))
    );
    let axes = [Axis::rate("BPCER, %", 1.0), Axis::rate("attacks detected, %", 1.0)];
    curves(&title, series, axes, |apcer, bpcer| (bpcer, 1.0 - apcer), "chance")
}
