//! Curves → the detection error trade-off.

use super::Series;
use super::axis::Axis;
use super::canvas::Svg;
use super::curves::curves;
use super::text::names;

/// Detection error trade-off: APCER across, BPCER up, both as normal quantiles between 0.1 % and 60 %. What is smaller
/// lies on the edge; what is larger is cut off. Curves of fewer than two points are only named.
pub fn det(series: &[Series]) -> Svg {
    let title = format!("Detection error trade-off, APCER against BPCER: {}", names(series.iter().map(|s| &s.name)));
    curves(&title, series, [Axis::det("APCER, %"), Axis::det("BPCER, %")], |apcer, bpcer| (apcer, bpcer), "equal rates")
}
