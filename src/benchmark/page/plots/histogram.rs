//! Scores by species → one panel each.

use plotters::prelude::{Color as _, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

use super::Threshold;
use super::axis::Axis;
use super::canvas::{FOOT, Key, LINE, Mark, Svg, WIDTH, figure, no_data};
use super::ink::{INK, colour, stroke, write};
use super::plane::Plane;
use super::text::{fitted, names};

/// Bins of a histogram.
const BINS: usize = 25;

/// Scores by species, one panel each: 25 bins, and the share of the species in each. The shares stand on a logarithmic
/// axis, since errors are the few rows in the tails, which a linear one would flatten to nothing beside the peaks.
/// Scores beyond 0 and 1 widen the axis.
pub fn histogram(species: &[(String, Vec<f64>)], thresholds: &[Threshold]) -> Svg {
    let title = format!("Scores by species: {}", names(species.iter().map(|(name, _)| name)));
    let finite = |scores: &[f64]| scores.iter().copied().filter(|s| s.is_finite()).collect::<Vec<_>>();
    let panels: Vec<(&str, Vec<f64>)> = species.iter().map(|(name, scores)| (name.as_str(), finite(scores))).collect();
    let all = || panels.iter().flat_map(|(_, scores)| scores).copied();
    let Some(most) = panels.iter().map(|(_, scores)| scores.len()).max().filter(|n| *n > 0) else {
        return no_data(&title);
    };
    // Halved, so that a range as wide as numbers go does not overflow.
    let (low, high) = (all().fold(0.0, f64::min).max(f64::MIN / 4.0), all().fold(1.0, f64::max).min(f64::MAX / 4.0));
    let width = (high - low) / BINS as f64;
    let decades = (0.5 / most as f64).log10().floor().clamp(-6.0, -2.0);
    let x = Axis::linear("score", low, high);
    let marked: Vec<(usize, &Threshold)> =
        thresholds.iter().filter(|t| (low..=high).contains(&t.score)).enumerate().collect();
    let keys = marked.iter().map(|(i, t)| Key::new(&format!("{} {:.3}", t.name, t.score), Mark::Dashes(*i))).collect();
    let panel = 118;
    let height = panel * panels.len() as i32 + FOOT;
    figure(&title, height, keys, |root| {
        for (i, (name, scores)) in panels.iter().enumerate() {
            let last = i + 1 == panels.len();
            let top = panel * i as i32;
            let bottom = if last { height } else { top + panel };
            let area = root.clone().shrink((0, top), (WIDTH, bottom - top));
            let (mut x, mut y) = (x.clone(), Axis::decades("share, %", decades as i32));
            if !last {
                x = x.bare();
            }
            // Panels above each other have one left edge, though only one of their axes is named.
            let side = y.label_width();
            if i != panels.len() / 2 {
                y.name.clear();
            }
            let plane = Plane::draw(&area, x, y, [LINE + 6, side, if last { FOOT } else { 0 }])?;
            let mut counts = [0_usize; BINS];
            for score in scores {
                counts[(((score - low) / width) as usize).min(BINS - 1)] += 1;
            }
            for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let share = *count as f64 / scores.len() as f64;
                let (left, upper) = plane.at(low + width * bin as f64, share);
                let (right, lower) = plane.at(low + width * (bin + 1) as f64, 0.0);
                let bar = [(left + 1, upper), ((right - 1).max(left + 2), lower)];
                root.draw(&Rectangle::new(bar, colour(i).mix(0.85).filled()))?;
            }
            for (mark, threshold) in &marked {
                let (across, _) = plane.at(threshold.score, 1.0);
                stroke(root, vec![(across, plane.rows.start), (across, plane.rows.end)], INK.to_rgba(), 1 + mark, 2)?;
            }
            let text = format!("{} · {} scores", fitted(name, 400), scores.len());
            write(root, &text, (plane.columns.start, top + 4), HPos::Left, VPos::Top)?;
        }
        Ok(())
    })
}
