//! Judged samples → the figures of ISO/IEC 30107-3, each with its n and its intervals.

mod calibration;
mod curve;
mod figures;
mod first_try;
mod intervals;
mod rates;
mod values;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;

pub use self::calibration::{Agreement, Bin, Calibration};
pub use self::curve::{Curve, DetPoint, Point, RocPoint, probit};
pub use self::figures::{
    ALL_ATTACKS, AtGate, CurveFigures, Figure, Figures, Gate, HIGHEST, Legibility, Part, Speed, attack_score,
    curve_title, figures, higher,
};
pub use self::first_try::{FirstTry, NO_SCORE, NOT_EXAMINED, Outcomes};
pub use self::intervals::{Groups, Interval, bootstrap_over_groups, paired_bootstrap_over_groups};
pub use self::rates::{LEVEL, REPLICATES, Rate, SEED, Share};
