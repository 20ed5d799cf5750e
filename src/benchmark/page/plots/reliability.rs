//! Bins of a score → how far it is the share of attacks.

use plotters::prelude::{Circle, Color as _};

use super::axis::Axis;
use super::canvas::{FOOT, Key, Mark, Svg, figure, no_data};
use super::ink::{INK, colour, stroke};
use super::plane::Plane;

/// Mean score of each bin against the share of attacks in it; the area of a point is its number of rows. Bins without
/// rows, or with anything beyond 0 and 1, are left out.
pub fn reliability(bins: &[(f64, f64, usize)]) -> Svg {
    let title = "Calibration: mean score against share of attacks";
    let share = |v: f64| (0.0..=1.0).contains(&v);
    let bins: Vec<_> = bins.iter().filter(|(score, attacks, n)| share(*score) && share(*attacks) && *n > 0).collect();
    let Some(most) = bins.iter().map(|(.., n)| *n).max() else { return no_data(title) };
    let keys = vec![
        Key::new(&format!("bin of scores; the largest holds {most}"), Mark::Disc(0)),
        Key::new("score = share", Mark::Dashes(0)),
    ];
    let height = 560;
    figure(title, height, keys, |root| {
        let axes = [Axis::rate("mean score, %", 1.0), Axis::rate("share of attacks, %", 1.0)];
        let [x, y] = axes;
        let side = y.label_width();
        let plane = Plane::draw(root, x, y, [14, side, FOOT])?;
        stroke(root, vec![plane.at(0.0, 0.0), plane.at(1.0, 1.0)], INK.mix(0.7), 1, 2)?;
        let path = bins.iter().map(|(score, attacks, _)| plane.at(*score, *attacks)).collect();
        stroke(root, path, colour(0).to_rgba(), 0, 2)?;
        for (score, attacks, n) in &bins {
            let radius = 3.0 + 15.0 * (*n as f64 / most as f64).sqrt();
            root.draw(&Circle::new(plane.at(*score, *attacks), radius.round() as i32, colour(0).mix(0.6).filled()))?;
        }
        Ok(())
    })
}
