//! Ready numbers → drawings: SVG whose text stays text and whose ink takes the colour of the page around it.
//!
//! All are 640 units wide and scale with their place; their letters are 20 units high, so that they can be read on a
//! telephone. Series differ in colour (Okabe and Ito 2008, "Color universal design") and in dashes, marks or fill, so
//! that they can be told apart in print without colours. What is no finite number, and what should be a share and is
//! none, is left out; where nothing remains, the drawing says so.

use std::ops::Range;

use plotters::coord::CoordTranslate;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, Circle, Color as _, DrawingArea, DrawingAreaErrorKind, FontTransform,
    IntoDrawingArea as _, IntoFont as _, PathElement, Polygon, RGBAColor, RGBColor, Rectangle, SVGBackend, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::intervals::Interval;
use super::metrics::{Point, probit};
use crate::report::html::escaped;

/// Width of every drawing, in its own units.
const WIDTH: i32 = 640;
/// Height of letters.
const FONT: f64 = 20.0;
/// From one line of text to the next.
const LINE: i32 = 26;
/// Room below a plane for labels of ticks and the name of the axis.
const FOOT: i32 = 2 * LINE + 12;
/// Bins of a histogram.
const BINS: usize = 25;
/// Rates between which the detection error trade-off is drawn.
const DET_RANGE: (f64, f64) = (0.001, 0.6);
const DET_TICKS: [f64; 8] = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
/// Stands for the colour of the text around the drawing until the drawing is written.
const INK: RGBColor = RGBColor(1, 2, 3);
/// Blue, vermilion, green, purple, ink for black, orange, sky blue. Yellow is left out: it is lost on white.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    INK,
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// Lengths of dash and gap; the first is unbroken.
const DASHES: [(i32, i32); 5] = [(1, 0), (16, 6), (4, 5), (28, 8), (9, 4)];

/// A drawing, well-formed whatever the names that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// Its text, a whole `svg` element.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A curve over all thresholds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Shown in the key.
    pub name: String,
    /// In the order of their thresholds.
    pub points: Vec<Point>,
    /// The threshold in use.
    pub operating: Option<Point>,
    /// Where the curve lies with confidence; may be empty.
    pub band: Vec<Band>,
}

/// Part of a band around a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// 0 to 1.
    pub bpcer: f64,
    /// Where the APCER lies at that BPCER, 0 to 1.
    pub apcer: Interval,
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

/// Detection error trade-off: APCER across, BPCER up, both as normal quantiles between 0.1 % and 60 %. What is smaller
/// lies on the edge; what is larger is cut off. Curves of fewer than two points are only named.
pub fn det(series: &[Series]) -> Svg {
    let title = format!("Detection error trade-off, APCER against BPCER: {}", names(series.iter().map(|s| &s.name)));
    curves(&title, series, [Axis::det("APCER, %"), Axis::det("BPCER, %")], |apcer, bpcer| (apcer, bpcer), "equal rates")
}

/// Receiver operating characteristic: BPCER across, share of attacks detected up.
pub fn roc(series: &[Series]) -> Svg {
    let title = format!(
        "Receiver operating characteristic, attacks detected against BPCER: {}",
        names(series.iter().map(|s| &s.name))
    );
    let axes = [Axis::rate("BPCER, %", 1.0), Axis::rate("attacks detected, %", 1.0)];
    curves(&title, series, axes, |apcer, bpcer| (bpcer, 1.0 - apcer), "chance")
}

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

/// Mean score of each bin against the share of attacks in it; the area of a point is its number of rows. Bins without
/// rows, or with anything beyond 0 and 1, are left out.
pub fn calibration(bins: &[(f64, f64, usize)]) -> Svg {
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

/// Rates over categories in an order, such as growing loss of quality; `across` names the categories and `up` the rate,
/// without its unit, which is per cent. Series of fewer than two rates are only named.
pub fn lines(across: &str, up: &str, categories: &[String], series: &[Rates]) -> Svg {
    let title = format!("{up} by {across}: {}", names(series.iter().map(|s| &s.name)));
    let drawn: Vec<_> = series.iter().map(|s| s.drawn(categories.len())).collect();
    if drawn.iter().all(|rates| rates.len() < 2) {
        return no_data(&title);
    }
    let keys =
        series.iter().zip(&drawn).enumerate().map(|(i, (s, rates))| {
            if rates.len() < 2 { Key::absent(&s.name) } else { Key::new(&s.name, Mark::Curve(i)) }
        });
    let highest = drawn.iter().filter(|rates| rates.len() > 1).flatten().map(|(_, m)| m.highest()).fold(0.0, f64::max);
    let x = Axis::categories(across, categories.len());
    let y = Axis::rate(&format!("{up}, %"), highest);
    let slot = (WIDTH - y.label_width() - 40) / categories.len().max(1) as i32;
    let labels = Labels::of(categories, slot);
    let foot = labels.height + LINE + 10;
    figure(&title, 330 + foot, keys.collect(), |root| {
        let side = y.label_width();
        let plane = Plane::draw(root, x, y, [14, side, foot])?;
        labels.draw(root, &plane)?;
        // Side by side, so that the bars of one category do not hide each other.
        let step = (0.5 / series.len().max(1) as f64).min(0.12);
        for (i, rates) in drawn.iter().enumerate().filter(|(_, rates)| rates.len() > 1) {
            let shift = step * (i as f64 - (series.len() as f64 - 1.0) / 2.0);
            let at = |category: usize, rate: f64| plane.at(category as f64 + shift, rate);
            // What was not measured is not bridged.
            for run in rates.chunk_by(|(a, _), (b, _)| a + 1 == *b) {
                stroke(root, run.iter().map(|(c, m)| at(*c, m.rate)).collect(), colour(i).to_rgba(), i, 3)?;
            }
            for (c, measured) in rates {
                if let Some(interval) = measured.interval {
                    whisker(root, at(*c, interval.low), at(*c, interval.high), colour(i))?;
                }
                mark(root, at(*c, measured.rate), i)?;
            }
        }
        Ok(())
    })
}

/// Rates by category, such as source or species, one bar per series under the name of each category; `label` names the
/// rate, without its unit, which is per cent.
pub fn bars(label: &str, categories: &[String], series: &[Rates]) -> Svg {
    let title = format!("{label}: {}", names(categories.iter()));
    let drawn: Vec<_> = series.iter().map(|s| s.drawn(categories.len())).collect();
    if drawn.iter().all(Vec::is_empty) {
        return no_data(&title);
    }
    let highest = drawn.iter().flatten().map(|(_, m)| m.highest()).fold(0.0, f64::max);
    let keys = series.iter().enumerate().map(|(i, s)| Key::new(&s.name, Mark::Bar(i)));
    let keys = if series.len() > 1 { keys.collect() } else { Vec::new() };
    let (bar, gap, room) = (20, 12, 100);
    let row = LINE + bar * series.len() as i32 + gap;
    let height = row * categories.len() as i32 + 8 + FOOT;
    figure(&title, height, keys, |root| {
        let area = root.clone().shrink((0, 0), (WIDTH - room, height));
        let x = Axis::rate(&format!("{label}, %"), highest);
        let plane = Plane::draw(&area, x, Axis::categories("", 1), [8, 8, FOOT])?;
        for (c, name) in categories.iter().enumerate() {
            let top = 8 + row * c as i32;
            let name = fitted(name, WIDTH - 40);
            write(root, &name, (plane.columns.start + 4, top + 4), HPos::Left, VPos::Top)?;
            for (i, rates) in drawn.iter().enumerate() {
                let Some((_, measured)) = rates.iter().find(|(category, _)| *category == c) else { continue };
                let (upper, middle) = (top + LINE + bar * i as i32, top + LINE + bar * i as i32 + bar / 2);
                let end = plane.at(measured.rate, 0.0).0;
                filled_bar(root, [(plane.columns.start, upper + 1), (end, upper + bar - 1)], i)?;
                if let Some(interval) = measured.interval {
                    let end = |rate: f64| (plane.at(rate, 0.0).0, middle);
                    whisker(root, end(interval.low), end(interval.high), INK)?;
                }
                let text = format!("{:.2} %", measured.rate * 100.0);
                write(root, &text, (WIDTH - 6, middle), HPos::Right, VPos::Center)?;
            }
        }
        Ok(())
    })
}

type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;
/// A place in the drawing.
type Place = (i32, i32);

/// Curves of both error rates; `to` takes APCER and BPCER to across and up, and the dashed line joins their ends.
fn curves(title: &str, series: &[Series], axes: [Axis; 2], to: impl Fn(f64, f64) -> (f64, f64), diagonal: &str) -> Svg {
    let place = |p: &Point| Some(to(p.apcer, p.bpcer)).filter(|(x, y)| x.is_finite() && y.is_finite());
    let drawn: Vec<Vec<(f64, f64)>> = series.iter().map(|s| s.points.iter().filter_map(place).collect()).collect();
    if drawn.iter().all(|points| points.len() < 2) {
        return no_data(title);
    }
    let mut keys: Vec<Key> = series
        .iter()
        .zip(&drawn)
        .enumerate()
        .map(|(i, (s, points))| if points.len() < 2 { Key::absent(&s.name) } else { Key::new(&s.name, Mark::Line(i)) })
        .collect();
    keys.push(Key::new(diagonal, Mark::Dashes(1)));
    if series.iter().any(|s| s.operating.as_ref().and_then(place).is_some()) {
        keys.push(Key::new("threshold in use", Mark::Ring));
    }
    figure(title, 590, keys, |root| {
        let [x, y] = axes;
        let ends = [(x.low, y.low), (x.high, y.high)];
        let side = y.label_width();
        let plane = Plane::draw(root, x, y, [14, side, FOOT])?;
        stroke(root, ends.iter().map(|end| plane.spec.translate(end)).collect(), INK.mix(0.7), 2, 2)?;
        for (i, (s, points)) in series.iter().zip(&drawn).enumerate().filter(|(_, (_, points))| points.len() > 1) {
            let around = |rate: fn(&Band) -> f64| {
                let place = move |b: &Band| (rate(b), b.bpcer);
                let finite = s.band.iter().filter(|b| (b.apcer.low + b.apcer.high + b.bpcer).is_finite());
                finite
                    .map(place)
                    .map(|(apcer, bpcer)| to(apcer, bpcer))
                    .map(|(x, y)| plane.at(x, y))
                    .collect::<Vec<_>>()
            };
            let mut outline = around(|b| b.apcer.low);
            outline.extend(around(|b| b.apcer.high).into_iter().rev());
            if outline.len() > 3 {
                root.draw(&Polygon::new(corners(outline), colour(i).mix(0.18)))?;
            }
            for run in plane.runs(points) {
                stroke(root, run, colour(i).to_rgba(), i, 3)?;
            }
        }
        for (i, s) in series.iter().enumerate() {
            if let Some((x, y)) = s.operating.as_ref().and_then(place) {
                mark(root, plane.at(x, y), i)?;
                root.draw(&Circle::new(plane.at(x, y), 13, INK.stroke_width(2)))?;
            }
        }
        Ok(())
    })
}

/// How values are laid along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Linear,
    /// Normal quantiles of shares.
    Probit,
    Logarithm,
}

impl Scale {
    /// Rises with `value`; what has no place takes the nearest that numbers can name.
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Probit => probit(value.clamp(1e-9, 1.0 - 1e-9)),
            Self::Logarithm => value.max(f64::MIN_POSITIVE).log10(),
        }
    }
}

/// An axis in scaled values, with the ticks that it shows.
#[derive(Debug, Clone)]
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
    name: String,
}

impl Axis {
    fn det(name: &str) -> Self {
        let scale = Scale::Probit;
        let (low, high) = (scale.of(DET_RANGE.0), scale.of(DET_RANGE.1));
        let ticks = DET_TICKS.iter().map(|rate| (scale.of(*rate), percent(*rate))).collect();
        Self { scale, low, high, ticks, name: name.to_owned() }
    }

    /// From 0 to a round number at or above `highest`, a share, in per cent.
    fn rate(name: &str, highest: f64) -> Self {
        const STEPS: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
        let highest = highest.clamp(0.002, 1.0);
        let step = STEPS.into_iter().find(|step| highest / step <= 5.0 + 1e-9).unwrap_or(0.5);
        let steps = (highest / step - 1e-9).ceil();
        let ticks = (0..=steps as usize).map(|i| i as f64 * step).map(|rate| (rate, percent(rate))).collect();
        Self { scale: Scale::Linear, low: 0.0, high: steps * step, ticks, name: name.to_owned() }
    }

    fn linear(name: &str, low: f64, high: f64) -> Self {
        let tick = |i: u8| low + (high - low) * (f64::from(i) / 5.0);
        let text = |value: f64| if value.abs() < 1e4 { trimmed(format!("{value:.2}")) } else { format!("{value:.1e}") };
        let ticks = (0..=5).map(tick).map(|value| (value, text(value))).collect();
        Self { scale: Scale::Linear, low, high, ticks, name: name.to_owned() }
    }

    /// Powers of ten, from that of `lowest` to 1, in per cent.
    fn decades(name: &str, lowest: i32) -> Self {
        let every = if lowest < -3 { 2 } else { 1 };
        let exponents = (lowest..=0).filter(|e| e % every == 0);
        let ticks = exponents.map(|e| (f64::from(e), percent(10_f64.powi(e)))).collect();
        Self { scale: Scale::Logarithm, low: f64::from(lowest), high: 0.0, ticks, name: name.to_owned() }
    }

    /// Room for so many categories, 0 and up; their names are written elsewhere.
    fn categories(name: &str, count: usize) -> Self {
        let high = count as f64 - 0.5;
        Self { scale: Scale::Linear, low: -0.5, high: high.max(0.5), ticks: Vec::new(), name: name.to_owned() }
    }

    /// The same without name and labels; its ticks still rule the plane.
    fn bare(mut self) -> Self {
        self.name.clear();
        self.ticks.iter_mut().for_each(|(_, label)| label.clear());
        self
    }

    /// Within the axis.
    fn place(&self, value: f64) -> f64 {
        self.scale.of(value).clamp(self.low, self.high)
    }

    /// Room beside the axis for its labels and its name.
    fn label_width(&self) -> i32 {
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

/// A ruled plane: values → places in the whole drawing.
struct Plane {
    spec: Cartesian2d<Axis, Axis>,
    columns: Range<i32>,
    rows: Range<i32>,
}

impl Plane {
    /// Rules `area` with `head` units left free above the plane, `side` beside it and `foot` below it.
    fn draw(area: &Root, x: Axis, y: Axis, [head, side, foot]: [i32; 3]) -> Drawn<Self> {
        let (across, up) = (fitted(&x.name, WIDTH - 80), fitted(&y.name, area.dim_in_pixel().1 as i32));
        let mut chart = ChartBuilder::on(area)
            .margin_top(head)
            .margin_right(22)
            .x_label_area_size(foot)
            .y_label_area_size(side)
            .build_cartesian_2d(x, y)?;
        let letters = style(INK.to_rgba());
        chart
            .configure_mesh()
            .axis_style(INK.mix(0.6))
            .bold_line_style(INK.mix(0.14))
            .light_line_style(INK.mix(0.0))
            .label_style(letters.clone())
            .axis_desc_style(letters)
            .x_desc(across)
            .y_desc(up)
            .draw()?;
        let area = chart.plotting_area();
        let (columns, rows) = area.get_pixel_range();
        Ok(Self { spec: area.as_coord_spec().clone(), columns, rows })
    }

    /// Where the values lie, on the edge where they lie beyond it.
    fn at(&self, x: f64, y: f64) -> Place {
        self.spec.translate(&(self.spec.x_spec().place(x), self.spec.y_spec().place(y)))
    }

    /// The path through `points`, in parts: what lies above the upper ends of the axes is cut off, what lies below the
    /// lower ends is on the edge.
    fn runs(&self, points: &[(f64, f64)]) -> Vec<Vec<Place>> {
        let axes = [self.spec.x_spec(), self.spec.y_spec()];
        let scaled = |(x, y): (f64, f64)| [axes[0].scale.of(x).max(axes[0].low), axes[1].scale.of(y).max(axes[1].low)];
        let mut runs: Vec<Vec<Place>> = Vec::new();
        for pair in points.windows(2) {
            let (from, to) = (scaled(pair[0]), scaled(pair[1]));
            // Shares of the way (Liang and Barsky 1984, "A new concept and method for line clipping").
            let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
            for i in 0..2 {
                let (step, left) = (to[i] - from[i], axes[i].high - from[i]);
                if step > 0.0 {
                    leaves = leaves.min(left / step);
                } else if step < 0.0 {
                    enters = enters.max(left / step);
                } else if left < 0.0 {
                    leaves = -1.0;
                }
            }
            if enters > leaves {
                continue;
            }
            let along = |share: f64| {
                let value = |i: usize| from[i] + share * (to[i] - from[i]);
                self.spec.translate(&(value(0), value(1)))
            };
            let (start, end) = (along(enters), along(leaves));
            match runs.last_mut() {
                Some(run) if run.last() == Some(&start) => run.push(end),
                _ => runs.push(vec![start, end]),
            }
        }
        runs
    }
}

/// Names of categories below a plane: in lines where their words fit into its slots, else upwards.
struct Labels {
    texts: Vec<Vec<String>>,
    upwards: bool,
    height: i32,
}

impl Labels {
    fn of(categories: &[String], slot: i32) -> Self {
        let mut texts = Vec::with_capacity(categories.len());
        for name in categories {
            let mut lines: Vec<String> = Vec::new();
            for word in plain(name).split_whitespace() {
                match lines.last_mut() {
                    Some(line) if width_of(line) + width_of(word) + 6 <= slot - 8 => {
                        line.push(' ');
                        line.push_str(word);
                    }
                    _ => lines.push(word.to_owned()),
                }
            }
            texts.push(lines);
        }
        let fits = |lines: &Vec<String>| lines.len() <= 3 && lines.iter().all(|line| width_of(line) <= slot - 4);
        if texts.iter().all(fits) {
            let most = texts.iter().map(Vec::len).max().unwrap_or(0) as i32;
            return Self { texts, upwards: false, height: most * LINE + 10 };
        }
        let texts: Vec<_> = categories.iter().map(|name| vec![fitted(name, 220)]).collect();
        let longest = texts.iter().flatten().map(|text| width_of(text)).max().unwrap_or(0);
        Self { texts, upwards: true, height: longest + 16 }
    }

    fn draw(&self, root: &Root, plane: &Plane) -> Drawn {
        let slot = (plane.columns.end - plane.columns.start) / self.texts.len().max(1) as i32;
        let every = if self.upwards { (LINE / slot.max(1)).max(1) as usize } else { 1 };
        for (i, lines) in self.texts.iter().enumerate().step_by(every) {
            let across = plane.at(i as f64, 0.0).0;
            for (n, line) in lines.iter().enumerate() {
                if self.upwards {
                    let end = Pos::new(HPos::Right, VPos::Center);
                    let style = style(INK.to_rgba()).transform(FontTransform::Rotate270).pos(end);
                    root.draw_text(line, &style, (across, plane.rows.end + 8))?;
                } else {
                    let top = plane.rows.end + 8 + LINE * n as i32;
                    write(root, line, (across, top), HPos::Center, VPos::Top)?;
                }
            }
        }
        Ok(())
    }
}

/// What stands before a name in the key.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// A series drawn as a line.
    Line(usize),
    /// A series drawn as a line with marks.
    Curve(usize),
    /// A series drawn as bars.
    Bar(usize),
    /// A series drawn as discs.
    Disc(usize),
    /// A line of comparison.
    Dashes(usize),
    /// The ring around a point in use.
    Ring,
    /// Nothing was drawn.
    Absent,
}

/// A line of the key.
struct Key {
    name: String,
    mark: Mark,
}

impl Key {
    /// Width of the sample before the name.
    const SAMPLE: i32 = 54;

    fn new(name: &str, mark: Mark) -> Self {
        Self { name: fitted(name, WIDTH - Self::SAMPLE - 30), mark }
    }

    /// A series without enough to draw.
    fn absent(name: &str) -> Self {
        Self { name: format!("{} (no data)", fitted(name, WIDTH - Self::SAMPLE - 130)), mark: Mark::Absent }
    }

    fn draw(&self, root: &Root, (left, middle): Place) -> Drawn {
        let line = vec![(left, middle), (left + Self::SAMPLE - 10, middle)];
        let centre = (left + (Self::SAMPLE - 10) / 2, middle);
        match self.mark {
            Mark::Line(i) => stroke(root, line, colour(i).to_rgba(), i, 3)?,
            Mark::Curve(i) => {
                stroke(root, line, colour(i).to_rgba(), i, 3)?;
                mark(root, centre, i)?;
            }
            Mark::Bar(i) => filled_bar(root, [(left, middle - 8), (left + Self::SAMPLE - 10, middle + 8)], i)?,
            Mark::Disc(i) => root.draw(&Circle::new(centre, 9, colour(i).mix(0.6).filled()))?,
            Mark::Dashes(i) => stroke(root, line, INK.mix(0.7), 1 + i % (DASHES.len() - 1), 2)?,
            Mark::Ring => root.draw(&Circle::new(centre, 11, INK.stroke_width(2)))?,
            Mark::Absent => {}
        }
        write(root, &self.name, (left + Self::SAMPLE, middle), HPos::Left, VPos::Center)
    }
}

/// A drawing of `height` and its key below; what `draw` puts into it is in units from its upper left corner.
fn figure(title: &str, height: i32, keys: Vec<Key>, draw: impl FnOnce(&Root) -> Drawn) -> Svg {
    let mut places = Vec::with_capacity(keys.len());
    let (mut left, mut row) = (8, 0);
    for key in &keys {
        let width = Key::SAMPLE + width_of(&key.name) + 22;
        if left > 8 && left + width > WIDTH {
            (left, row) = (8, row + 1);
        }
        places.push((left, height + 12 + LINE / 2 + row * LINE));
        left += width;
    }
    let whole = height + if keys.is_empty() { 0 } else { (row + 1) * LINE + 16 };
    let mut text = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, whole as u32)).into_drawing_area();
        draw(&root.clone().shrink((0, 0), (WIDTH, height)))
            .and_then(|()| keys.iter().zip(&places).try_for_each(|(key, place)| key.draw(&root, *place)))
            .and_then(|()| root.present())
    };
    match (drawn, text.split_once('>')) {
        (Ok(()), Some((_, content))) => {
            let ink = format!("\"#{:02X}{:02X}{:02X}\"", INK.0, INK.1, INK.2);
            Svg(format!("{}{}", opening(title, whole), content.replace(&ink, "\"currentColor\"").trim_end()))
        }
        _ => no_data(title),
    }
}

fn no_data(title: &str) -> Svg {
    Svg(format!(
        "{}<rect x=\"1\" y=\"1\" width=\"{}\" height=\"158\" fill=\"none\" stroke=\"currentColor\" opacity=\"0.3\"/>\
         <text x=\"{}\" y=\"87\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"{FONT}\" \
         fill=\"currentColor\">no data</text></svg>",
        opening(title, 160),
        WIDTH - 2,
        WIDTH / 2
    ))
}

fn opening(title: &str, height: i32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" role=\"img\">\
         <title>{}</title>",
        escaped(&plain(title))
    )
}

fn colour(series: usize) -> RGBColor {
    PALETTE[series % PALETTE.len()]
}

fn style(colour: RGBAColor) -> TextStyle<'static> {
    // The backend divides sizes by 1.24.
    ("sans-serif", FONT * 1.24).into_font().color(&colour)
}

fn write(root: &Root, text: &str, place: Place, across: HPos, up: VPos) -> Drawn {
    root.draw_text(text, &style(INK.to_rgba()).pos(Pos::new(across, up)), place)
}

/// A path in the dashes of `pattern`.
fn stroke(root: &Root, path: Vec<Place>, colour: RGBAColor, pattern: usize, width: u32) -> Drawn {
    let corners = corners(path);
    let style = colour.stroke_width(width);
    match DASHES[pattern % DASHES.len()] {
        (_, 0) => root.draw(&PathElement::new(corners, style)),
        (dash, gap) => root.draw(&DashedPathElement::new(corners, dash, gap, style)),
    }
}

/// A path without the points that a straight line would pass anyway.
fn corners(path: Vec<Place>) -> Vec<Place> {
    let mut corners: Vec<Place> = Vec::new();
    for point in path {
        if let [.., a, b] = corners[..] {
            let (to, on) = ((b.0 - a.0, b.1 - a.1), (point.0 - b.0, point.1 - b.1));
            if to.0 * on.1 == to.1 * on.0 && to.0 * on.0 + to.1 * on.1 >= 0 {
                corners.pop();
            }
        }
        if corners.last() != Some(&point) {
            corners.push(point);
        }
    }
    corners
}

/// The mark of a series: disc, square, triangle, diamond or cross.
fn mark(root: &Root, (x, y): Place, series: usize) -> Drawn {
    let style = colour(series).filled();
    match series % 5 {
        0 => root.draw(&Circle::new((x, y), 7, style)),
        1 => root.draw(&Rectangle::new([(x - 6, y - 6), (x + 6, y + 6)], style)),
        2 => root.draw(&Polygon::new(vec![(x, y - 8), (x + 8, y + 6), (x - 8, y + 6)], style)),
        3 => root.draw(&Polygon::new(vec![(x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y)], style)),
        _ => {
            let thick = colour(series).stroke_width(4);
            root.draw(&PathElement::new(vec![(x - 6, y - 6), (x + 6, y + 6)], thick))?;
            root.draw(&PathElement::new(vec![(x - 6, y + 6), (x + 6, y - 6)], thick))
        }
    }
}

/// A bar of a series: filled, outlined, or pale with an outline.
fn filled_bar(root: &Root, corners: [Place; 2], series: usize) -> Drawn {
    if series % 3 != 1 {
        let fill = colour(series).mix(if series.is_multiple_of(3) { 0.85 } else { 0.3 });
        root.draw(&Rectangle::new(corners, fill.filled()))?;
    }
    // The backend draws rectangles with hairlines only.
    let [(left, upper), (right, lower)] = corners;
    let outline = vec![(left, upper), (right, upper), (right, lower), (left, lower), (left, upper)];
    root.draw(&PathElement::new(outline, colour(series).stroke_width(2)))
}

/// An interval from `low` to `high`, lying or standing, with its ends.
fn whisker(root: &Root, low: Place, high: Place, colour: RGBColor) -> Drawn {
    let style = colour.stroke_width(2);
    root.draw(&PathElement::new(vec![low, high], style))?;
    for (x, y) in [low, high] {
        let end = if low.1 == high.1 { vec![(x, y - 5), (x, y + 5)] } else { vec![(x - 5, y), (x + 5, y)] };
        root.draw(&PathElement::new(end, style))?;
    }
    Ok(())
}

/// A share in per cent, without the sign.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    trimmed(if value.abs() < 0.01 { format!("{value:.4}") } else { format!("{value:.2}") })
}

/// Decimals without the zeros at their end.
fn trimmed(number: String) -> String {
    let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// `text` without what XML forbids and what could disguise a name: control characters and turns of direction.
fn plain(text: &str) -> String {
    let disguise = |c: char| {
        c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|c| if disguise(c) { '\u{fffd}' } else { c }).collect()
}

/// About how wide a text is drawn; nobody measures letters here.
fn width_of(text: &str) -> i32 {
    let wide = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | '(' | ')' | '|' => 0.34,
        c if c.is_ascii_uppercase() || c == 'm' || c == 'w' || c == '%' => 0.76,
        c if c < '\u{2e80}' => 0.58,
        _ => 1.0,
    };
    (text.chars().map(wide).sum::<f64>() * FONT).ceil() as i32
}

/// As much of `text` as is about `width` wide, with an ellipsis where something is left out.
fn fitted(text: &str, width: i32) -> String {
    let text = plain(text);
    if width_of(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width_of(&cut) > width - FONT as i32 {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>&'\u{0}\u{1b}\u{202e}\u{ffff} 证件";

    /// Counts of elements by name, when `svg` is well-formed and holds no foreign element and no style.
    fn elements(svg: &Svg) -> std::collections::BTreeMap<String, usize> {
        let text = svg.as_str();
        assert!(!text.chars().any(|c| (c < ' ' && c != '\n') || c == '\u{ffff}'), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let mut counts = std::collections::BTreeMap::new();
        let mut reader = Reader::from_str(text);
        let mut depth = 0;
        loop {
            let (start, empty) = match reader.read_event().unwrap() {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => {
                    depth -= 1;
                    continue;
                }
                Event::Text(text) => {
                    text.decode().unwrap();
                    continue;
                }
                Event::GeneralRef(_) => continue,
                Event::Eof => break,
                other => panic!("{other:?}"),
            };
            depth += i32::from(!empty);
            let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
            assert!(
                ["svg", "title", "text", "line", "polyline", "polygon", "rect", "circle"].contains(&name.as_str()),
                "{name}"
            );
            for attribute in start.attributes() {
                assert_ne!(attribute.unwrap().key.as_ref(), b"style");
            }
            *counts.entry(name).or_insert(0) += 1;
        }
        assert_eq!(depth, 0);
        assert!(text.starts_with("<svg ") && text.contains("role=\"img\"") && counts["title"] == 1);
        counts
    }

    fn says_no_data(svg: &Svg) -> bool {
        elements(svg);
        svg.as_str().contains(">no data<")
    }

    fn point(apcer: f64, bpcer: f64) -> Point {
        Point { threshold: 0.5, apcer, bpcer }
    }

    fn curve(points: Vec<Point>) -> Series {
        let band = Band { bpcer: 0.1, apcer: Interval { low: 0.01, high: 0.3 } };
        let band = vec![band, Band { bpcer: f64::NAN, ..band }, Band { bpcer: 0.3, ..band }];
        Series { name: HOSTILE.into(), operating: points.first().copied(), points, band }
    }

    fn falling() -> Vec<Point> {
        (0..=50).map(|i| f64::from(i) / 50.0).map(|t| point(t, (1.0 - t).powi(3))).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "rates are optional")]
    fn measured(rate: f64) -> Option<Measured> {
        Some(Measured { rate, interval: Some(Interval { low: rate / 2.0, high: rate * 1.5 }) })
    }

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
            calibration(&[(0.2, 0.3, 9), (0.8, 0.7, 1)]),
            lines(HOSTILE, HOSTILE, &names, &rates),
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
        assert!(says_no_data(&calibration(&[])));
        assert!(says_no_data(&calibration(&[(nan, 0.5, 3), (0.5, 1.5, 3), (0.5, 0.5, 0)])));
        let names = vec!["a".to_owned(), "b".to_owned()];
        for rates in [vec![], vec![None, None], vec![measured(nan), None]] {
            let rates = [Rates { name: "r".into(), rates }];
            assert!(says_no_data(&lines("x", "y", &names, &rates)));
            assert!(says_no_data(&bars("y", &names, &rates)));
        }
        let single = [Rates { name: "r".into(), rates: vec![measured(0.1)] }];
        assert!(says_no_data(&lines("x", "y", &names, &single)));
        assert!(!says_no_data(&bars("y", &names, &single)));
        assert!(says_no_data(&lines("x", "y", &[], &single)) && says_no_data(&bars("y", &[], &single)));
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
        elements(&lines("x", "y", &names, &wild));
        elements(&det(&[curve(vec![point(-5.0, 7.0), point(f64::MAX, f64::MIN), point(0.1, 0.1)])]));
    }

    #[test]
    fn hundreds_of_categories_are_drawn() {
        let names: Vec<String> = (0..700).map(|i| format!("category {i}")).collect();
        let rates = [Rates { name: "r".into(), rates: vec![measured(0.1); 700] }];
        let texts = elements(&lines("x", "y", &names, &rates))["text"];
        assert!(texts < 60, "{texts} names over each other");
        elements(&bars("y", &names, &rates));
    }

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

    #[test]
    fn what_lies_beyond_the_upper_ends_is_cut_off() {
        let mut runs = Vec::new();
        figure("t", 500, Vec::new(), |root| {
            let plane = Plane::draw(root, Axis::rate("x", 1.0), Axis::rate("y", 1.0), [0, 60, FOOT])?;
            runs = plane.runs(&[(0.5, 3.0), (0.5, 0.5), (1.5, 0.5), (1.5, 0.2), (0.5, 0.2)]);
            runs.push(vec![plane.at(0.5, 1.0), plane.at(0.5, 0.5), plane.at(1.0, 0.5)]);
            runs.push(vec![plane.at(1.0, 0.2), plane.at(0.5, 0.2)]);
            Ok(())
        });
        assert_eq!(runs.len(), 4);
        assert_eq!(runs[0], runs[2]);
        assert_eq!(runs[1], runs[3]);
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

    #[test]
    fn an_interval_that_was_not_measured_is_no_bridge() {
        let names: Vec<String> = (0..5).map(|i| i.to_string()).collect();
        let series = |middle| {
            [Rates {
                name: "r".into(),
                rates: vec![measured(0.1), measured(0.2), middle, measured(0.2), measured(0.1)],
            }]
        };
        let paths = |middle| {
            let svg = lines("x", "y", &names, &series(middle));
            svg.as_str().matches("stroke-width=\"3\"").count()
        };
        assert_eq!(paths(None), paths(measured(0.5)) + 1);
    }

    #[test]
    fn long_names_are_cut_where_the_drawing_ends() {
        let cut = fitted(&"W".repeat(200), 300);
        assert!(cut.ends_with('…') && width_of(&cut) <= 310 && width_of(&cut) > 250);
        assert_eq!(fitted("short", 300), "short");
    }
}
