//! Ready numbers → drawings: SVG whose text stays text and whose ink takes the colour of the page around it.
//!
//! All are 640 units wide and scale with their place; their letters are 20 units high, so that they can be read on a
//! telephone. Series differ in colour (Okabe and Ito 2008, "Color universal design") and in dashes, marks or fill, so
//! that they can be told apart in print without colours. What is no finite number, and what should be a share and is
//! none, is left out; where nothing remains, the drawing says so.

mod axis;
mod bars;
mod canvas;
mod curves;
mod det;
mod histogram;
mod ink;
mod plane;
mod reliability;
mod roc;
mod text;

pub use self::bars::bars;
pub use self::canvas::Svg;
pub use self::det::det;
pub use self::histogram::histogram;
pub use self::reliability::reliability;
pub use self::roc::roc;
use crate::benchmark::measure::{Interval, Point};

/// A curve over all thresholds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Shown in the key.
    pub name: String,
    /// In the order of their thresholds.
    pub points: Vec<Point>,
    /// The threshold in use.
    pub operating: Option<Point>,
}

/// A rate, perhaps with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// 0 to 1.
    pub rate: f64,
    /// Where it lies with confidence.
    pub interval: Option<Interval>,
}

impl Measured {
    /// `None` where the rate is no share; without an interval that is no number.
    fn sound(self) -> Option<Self> {
        let whole = |i: &Interval| i.low.is_finite() && i.high.is_finite();
        (0.0..=1.0).contains(&self.rate).then_some(Self { rate: self.rate, interval: self.interval.filter(whole) })
    }

    fn highest(self) -> f64 {
        self.interval.map_or(self.rate, |i| i.high.max(self.rate))
    }
}

/// A rate per category.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    /// Shown in the key.
    pub name: String,
    /// In the order of the categories; `None` where nothing was measured.
    pub rates: Vec<Option<Measured>>,
}

impl Rates {
    /// Category and rate of what can be drawn.
    fn drawn(&self, categories: usize) -> Vec<(usize, Measured)> {
        let rates = self.rates.iter().take(categories).enumerate();
        rates.filter_map(|(i, rate)| Some((i, rate.and_then(Measured::sound)?))).collect()
    }
}

/// A named score.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Shown in the key.
    pub name: String,
    /// In the units of the scores.
    pub score: f64,
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::testing::{HOSTILE, curve, elements, falling, measured, point, says_no_data};
    use super::*;

    #[test]
    fn every_drawing_is_well_formed_and_shows_a_hostile_name_as_text() {
        let names = vec![HOSTILE.to_owned(); 3];
        let rates = [Rates { name: HOSTILE.into(), rates: vec![measured(0.1), measured(0.2), measured(f64::NAN)] }];
        let scores = [(HOSTILE.to_owned(), vec![0.1, 0.9])];
        let threshold = Threshold { name: HOSTILE.into(), score: 0.5 };
        for svg in [
            det(&[curve(falling())]),
            roc(&[curve(falling())]),
            histogram(&scores, &[threshold]),
            reliability(&[(0.2, 0.3, 9), (0.8, 0.7, 1)]),
            bars(HOSTILE, &names, &rates),
        ] {
            assert!(!says_no_data(&svg));
            assert!(elements(&svg)["text"] > 3);
        }
        assert!(det(&[curve(falling())]).as_str().contains("&lt;script&gt;"));
    }

    #[test]
    fn nothing_to_draw_is_said() {
        let nan = f64::NAN;
        for points in [vec![], vec![point(0.1, 0.1)], vec![point(nan, 0.1), point(0.1, 0.2), point(0.2, f64::INFINITY)]]
        {
            assert!(says_no_data(&det(&[curve(points.clone())])));
            assert!(says_no_data(&roc(&[curve(points)])));
        }
        assert!(says_no_data(&det(&[])) && says_no_data(&roc(&[])));
        assert!(says_no_data(&histogram(&[], &[])));
        assert!(says_no_data(&histogram(&[("a".into(), vec![nan])], &[Threshold { name: "t".into(), score: nan }])));
        assert!(says_no_data(&reliability(&[])));
        assert!(says_no_data(&reliability(&[(nan, 0.5, 3), (0.5, 1.5, 3), (0.5, 0.5, 0)])));
        let names = vec!["a".to_owned(), "b".to_owned()];
        for rates in [vec![], vec![None, None], vec![measured(nan), None]] {
            let rates = [Rates { name: "r".into(), rates }];
            assert!(says_no_data(&bars("y", &names, &rates)));
        }
        let single = [Rates { name: "r".into(), rates: vec![measured(0.1)] }];
        assert!(!says_no_data(&bars("y", &names, &single)));
        assert!(says_no_data(&bars("y", &[], &single)));
    }

    #[test]
    fn a_series_without_points_is_named_beside_one_with_points() {
        let svg = det(&[curve(falling()), Series { name: "copies".into(), ..Series::default() }]);
        assert!(svg.as_str().contains("copies (no data)"));
    }

    #[test]
    fn extreme_values_stay_within_the_drawing() {
        let extreme = vec![f64::MIN, -1.0, 0.5, 1e300, f64::MAX];
        elements(&histogram(&[("a".into(), extreme)], &[Threshold { name: "t".into(), score: 0.5 }]));
        let wild = [Rates { name: "r".into(), rates: vec![measured(f64::MAX / 2.0), measured(-3.0), measured(0.0)] }];
        let names: Vec<String> = (0..3).map(|i| format!("{i}")).collect();
        assert!(elements(&bars("y", &names, &wild))["polyline"] > 3);
        let wide = Interval { low: -f64::MAX, high: f64::MAX };
        let wild = [Rates { name: "r".into(), rates: vec![Some(Measured { rate: 0.5, interval: Some(wide) }); 3] }];
        elements(&bars("y", &names, &wild));
        elements(&det(&[curve(vec![point(-5.0, 7.0), point(f64::MAX, f64::MIN), point(0.1, 0.1)])]));
    }

    #[test]
    fn hundreds_of_categories_are_drawn() {
        let names: Vec<String> = (0..700).map(|i| format!("category {i}")).collect();
        let rates = [Rates { name: "r".into(), rates: vec![measured(0.1); 700] }];
        elements(&bars("y", &names, &rates));
    }

    #[test]
    fn a_long_staircase_keeps_only_its_corners() {
        let drawn = |steps: i32| {
            let down = |i| point(0.2, f64::from(steps - i) / f64::from(steps) * 0.5);
            det(&[Series { name: "a".into(), points: (0..=steps).map(down).collect(), ..Series::default() }])
        };
        assert_eq!(drawn(20_000), drawn(1));
    }

    #[test]
    fn letters_are_large_and_take_the_colour_of_the_page() {
        let svg = roc(&[curve(falling())]);
        let sizes: Vec<f64> =
            svg.as_str().split("font-size=\"").skip(1).map(|s| s.split('"').next().unwrap().parse().unwrap()).collect();
        assert!(sizes.len() > 10 && sizes.iter().all(|size| *size >= 13.0), "{sizes:?}");
        assert!(svg.as_str().contains("viewBox=\"0 0 640 "));
        assert!(svg.as_str().contains("fill=\"currentColor\"") && !svg.as_str().contains("#010203"));
    }
}
