//! Figures and judged samples → the page of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

use super::compare::Comparison;
use super::deletion::Summary;
use super::figures::{Figures, Gate, attack_score};
use super::first_try::{NO_SCORE, NOT_EXAMINED, Outcomes};
use super::intervals::Interval;
use super::labels::Label;
use super::metrics::{Point, Share};
use super::page::{Cell, ErrorCard, Figure, Page, Section, Table};
use super::plots::{self, Measured, Rates, Series, Threshold};
use super::rates::{LEVEL, REPLICATES, Rate};
use super::robustness::{Tried, variants};
use super::store::Judged;
use crate::capture::Upload;
use crate::checker::Checker;
use crate::scene::Deadline;
use crate::screening::read_upload;

/// How many of the worst errors are shown.
pub const WORST: usize = 20;
/// Long side of a thumbnail and of an overlay, in pixels.
const THUMBNAIL_PX: u32 = 200;
const OVERLAY_PX: u32 = 720;
/// The mark of what the models were trained on.
const SEEN: &str = "seen in training";
/// Parts of a column that are drawn as bars at most; the table has them all.
const BARS: usize = 40;

/// In per cent.
#[must_use]
pub fn percent(rate: f64) -> String {
    format!("{:.1} %", 100.0 * rate)
}

/// In per cent, in brackets.
#[must_use]
pub fn bracket(interval: Option<Interval>) -> String {
    interval.map_or("-".to_owned(), |i| format!("[{:.1}, {:.1}]", 100.0 * i.low, 100.0 * i.high))
}

fn share(share: Share) -> String {
    share.rate().map_or("-".to_owned(), percent)
}

/// Value, n and both intervals.
fn rate_cells(rate: Option<&Rate>) -> Vec<Cell> {
    match rate {
        Some(rate) => vec![
            Cell::number(share(rate.share)),
            Cell::number(format!("{} of {}", rate.share.count, rate.share.of)),
            Cell::number(bracket(Some(rate.files))),
            Cell::number(bracket(rate.sources)),
        ],
        None => vec![Cell::number("-"), Cell::number("0"), Cell::number("-"), Cell::number("-")],
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn measured(rate: &Rate) -> Option<Measured> {
    Some(Measured { rate: rate.share.rate()?, interval: Some(rate.sources.unwrap_or(rate.files)) })
}

/// The page of `figures` over `judged`; `errors` are the worst ones, as [`worst`] gives them.
#[must_use]
pub fn page(title: &str, figures: &Figures, judged: &[Judged], checker: &Checker, errors: Vec<ErrorCard>) -> Page {
    let rows: Vec<String> = figures.rows.iter().map(|(label, n)| format!("{n} {label}")).collect();
    let mut lead = vec![
        format!("{} from {} sources.", rows.join(", "), figures.sources),
        format!("Measured by {}; judged by policy {}.", figures.origin.short(), figures.policy_id),
        format!(
            "Rates follow ISO/IEC 30107-3. Intervals are at {:.0} %: over files, exact (Clopper and Pearson), and over \
             sources, from {REPLICATES} draws of whole sources; where they differ the wider one counts.",
            100.0 * LEVEL
        ),
    ];
    if figures.trained_on > 0 {
        lead.push(format!(
            "{} of these captures are from sources that the models were trained on: their figures say how well the \
             models remember, not how well they see. Section \u{201c}By part\u{201d} has the others apart.",
            figures.trained_on
        ));
    }
    let mut sections = vec![
        first_try(figures),
        responses(figures),
        gates(figures),
        curves(figures, judged, checker),
        calibration(figures),
        parts(figures, checker.trained_on()),
        confusion(figures),
    ];
    sections.extend(legibility(figures));
    sections.extend(speed(figures));
    sections.push(leakage(figures));
    sections.push(Section {
        heading: "Worst errors".to_owned(),
        id: "errors".to_owned(),
        text: vec![format!(
            "The {} captures that the scores place furthest on the wrong side: originals by the higher score, attacks \
             by their own; non-responses are not among them.",
            errors.len()
        )],
        errors,
        ..Section::default()
    });
    Page { title: title.to_owned(), lead, sections }
}

/// Beside the headline: what becomes of genuine documents that a person can read.
fn first_try(figures: &Figures) -> Section {
    let mut section = Section {
        heading: "First-try pass rate".to_owned(),
        id: "first-try".to_owned(),
        text: vec![
            "The share of originals labelled readable=yes that are accepted as they are. A file without a verdict is not \
             accepted, and counts as not examined."
                .to_owned(),
        ],
        ..Section::default()
    };
    let Some(found) = &figures.first_try else {
        section.text = vec!["Not labelled: no row says in the column `readable` whether it can be read.".to_owned()];
        return section;
    };
    match &found.readable {
        Some(readable) => {
            let accepted = &readable.accepted;
            let of = accepted.share;
            section.text.insert(
                0,
                format!(
                    "{} of {} readable originals are accepted at the first try: {}, {} over files{}.",
                    of.count,
                    of.of,
                    share(of),
                    bracket(Some(accepted.files)),
                    accepted.sources.map_or(String::new(), |i| format!(", {} over sources", bracket(Some(i)))),
                ),
            );
        }
        None => section.text.push("No original is labelled readable=yes.".to_owned()),
    }
    let rates = |name: &str, outcomes: &Outcomes| -> Vec<Vec<Cell>> {
        let row =
            |(what, rate): (&str, &Rate)| [vec![Cell::words(name), Cell::words(what)], rate_cells(Some(rate))].concat();
        outcomes.named().map(row).to_vec()
    };
    let table = |caption: &str, by: &str, rows: Vec<Vec<Cell>>| Table {
        caption: caption.to_owned(),
        head: words(&[by, "outcome", "rate", "n", "over files", "over sources"]),
        rows,
    };
    if let Some(readable) = &found.readable {
        section.tables.push(table("Readable originals", "readable", rates("yes", readable)));
    }
    if !found.by_content.is_empty() {
        let rows = found.by_content.iter().flat_map(|(content, outcomes)| rates(content, outcomes));
        section.tables.push(table("Readable originals by content", "content", rows.collect()));
    }
    if !found.by_reason.is_empty() {
        let row = |(code, rate): (&String, &Rate)| {
            let name = match code.as_str() {
                NOT_EXAMINED => "the file could not be examined",
                NO_SCORE => "no score could be formed",
                code => code,
            };
            (rate.share.count, [vec![Cell::words(name)], rate_cells(Some(rate))].concat())
        };
        let mut rows: Vec<(usize, Vec<Cell>)> = found.by_reason.iter().map(row).collect();
        rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        section.tables.push(Table {
            caption: "Readable originals that are not accepted, by the reason that comes first".to_owned(),
            head: words(&["first reason", "rate", "n", "over files", "over sources"]),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        });
    }
    let others = [("part", &found.part), ("no", &found.unreadable)];
    let rows: Vec<_> =
        others.into_iter().flat_map(|(name, outcomes)| outcomes.iter().flat_map(move |o| rates(name, o))).collect();
    if !rows.is_empty() {
        section.tables.push(table("Originals that can be read in part or not at all", "readable", rows));
    }
    section
}

fn responses(figures: &Figures) -> Section {
    let row = |(label, rate): (&String, &Rate)| {
        let name = if label == "original" { "original (BPNRR)".to_owned() } else { format!("{label} (APNRR)") };
        [vec![Cell::words(name)], rate_cells(Some(rate))].concat()
    };
    let causes: Vec<String> = figures.causes.iter().map(|(code, n)| format!("{code} {n}")).collect();
    Section {
        heading: "Non-responses".to_owned(),
        id: "responses".to_owned(),
        text: if causes.is_empty() { Vec::new() } else { vec![format!("Files not examined: {}.", causes.join(", "))] },
        tables: vec![Table {
            caption: "Captures of which nothing could be said; they are in no other rate".to_owned(),
            head: words(&["label", "rate", "n", "over files", "over sources"]),
            rows: figures.non_responses.iter().map(row).collect(),
        }],
        ..Section::default()
    }
}

fn gates(figures: &Figures) -> Section {
    let tables = figures.gates.iter().map(|at| {
        let mut rows: Vec<Vec<Cell>> = at
            .apcer
            .iter()
            .map(|(species, rate)| [vec![Cell::words(format!("APCER, {species}"))], rate_cells(Some(rate))].concat())
            .collect();
        let plain = |name: &str, value: Option<f64>| {
            vec![Cell::words(name), Cell::number(value.map_or("-".to_owned(), percent))]
        };
        rows.push(plain("APCER, highest of the species", at.highest_apcer));
        rows.push([vec![Cell::words("BPCER")], rate_cells(at.bpcer.as_ref())].concat());
        rows.push(plain("ACER, for comparison only", at.acer));
        Table {
            caption: format!("A capture counts as stopped when it is {}", at.gate.name()),
            head: words(&["", "rate", "n", "over files", "over sources"]),
            rows,
        }
    });
    Section {
        heading: "At the policy".to_owned(),
        id: "policy".to_owned(),
        text: vec![
            "APCER is the share of attacks that are let pass, BPCER the share of originals that are stopped."
                .to_owned(),
        ],
        tables: tables.collect(),
        ..Section::default()
    }
}

/// Thresholds of the policy on `score.screen` and `score.print`.
fn thresholds(checker: &Checker, score: &str) -> Vec<Threshold> {
    let of = checker.policy().thresholds(&format!("score.{score}"));
    of.into_iter().map(|(name, score)| Threshold { name: name.to_owned(), score }).collect()
}

fn curves(figures: &Figures, judged: &[Judged], checker: &Checker) -> Section {
    let rows = figures.curves.iter().map(|curve| {
        let figure = |figure: &super::figures::Figure| {
            Cell::number(format!("{} {}", percent(figure.value), bracket(figure.sources)))
        };
        let interval = curve.auc.sources.map_or(String::new(), |i| format!(" [{:.3}, {:.3}]", i.low, i.high));
        let mut cells = vec![
            Cell::words(format!("{}, by score {}", curve.name, curve.score)),
            Cell::number(format!("{} / {}", curve.attacks, curve.bona_fide)),
            Cell::number(curve.sources.to_string()),
            Cell::number(format!("{:.3}{interval}", curve.auc.value)),
            figure(&curve.d_eer),
            Cell::number(format!("{:.2}", curve.d_eer_threshold)),
        ];
        cells.extend(curve.bpcer_at_apcer.iter().map(|(_, at)| at.as_ref().map_or(Cell::number("-"), figure)));
        cells
    });
    let series: Vec<Series> = whole(figures)
        .map(|curve| Series {
            name: curve.name.clone(),
            points: curve
                .det
                .iter()
                .map(|p| Point { threshold: p.threshold, apcer: p.apcer, bpcer: p.bpcer })
                .collect(),
            operating: operating(curve, checker),
            band: Vec::new(),
        })
        .collect();
    let drawing = |caption: &str, svg| Figure { caption: caption.to_owned(), svg };
    let mut drawn = vec![
        drawing("Detection error trade-off; the mark is where the policy sends to review.", plots::det(&series)),
        drawing("Receiver operating characteristic.", plots::roc(&series)),
    ];
    for score in ["screen", "print"] {
        let mut by_species: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in judged {
            if let Some(value) = row.scores.named(score) {
                by_species.entry(&row.sample.species).or_default().push(value);
            }
        }
        let named: Vec<(String, Vec<f64>)> =
            by_species.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        let caption = format!("Score {score} by species, share of each in every bin.");
        drawn.push(drawing(&caption, plots::histogram(&named, &thresholds(checker, score))));
    }
    Section {
        heading: "Along the curve".to_owned(),
        id: "curves".to_owned(),
        text: vec![
            "Whatever the threshold: attacks against originals that have the score. A screenshot has none, since only \
             the file tells it."
                .to_owned(),
        ],
        tables: vec![Table {
            caption: "Intervals over sources".to_owned(),
            head: words(&[
                "attacks",
                "n attacks / originals",
                "sources",
                "AUC",
                "D-EER",
                "at score",
                "BPCER10",
                "BPCER20",
                "BPCER100",
            ]),
            rows: rows.collect(),
        }],
        figures: drawn,
        ..Section::default()
    }
}

/// The curves that are drawn: all attacks, and those of each label; species have too few captures each.
fn whole(figures: &Figures) -> impl Iterator<Item = &super::figures::CurveFigures> {
    figures.curves.iter().filter(|curve| curve.score == "highest" || curve.name.starts_with("label "))
}

fn operating(curve: &super::figures::CurveFigures, checker: &Checker) -> Option<Point> {
    let score = if curve.score == "print" { "print" } else { "screen" };
    let review = thresholds(checker, score).into_iter().map(|t| t.score).reduce(f64::min)?;
    let at = curve.det.iter().filter(|p| p.threshold <= review).max_by(|a, b| a.threshold.total_cmp(&b.threshold))?;
    Some(Point { threshold: review, apcer: at.apcer, bpcer: at.bpcer })
}

fn calibration(figures: &Figures) -> Section {
    let mut section = Section {
        heading: "Calibration".to_owned(),
        id: "calibration".to_owned(),
        text: vec![
            "A calibrated score of 0.7 is an attack in seven of ten cases, at the mix of classes at hand. Each bin is a \
             tenth of the scale."
                .to_owned(),
        ],
        ..Section::default()
    };
    let head = words(&["attacks", "expected calibration error", "Brier score"]);
    let rows = figures.curves.iter().map(|curve| {
        vec![
            Cell::words(format!("{}, by score {}", curve.name, curve.score)),
            Cell::number(format!("{:.3}", curve.calibration.expected_error)),
            Cell::number(format!("{:.3}", curve.calibration.brier)),
        ]
    });
    section.tables.push(Table { caption: "Ten bins of equal width".to_owned(), head, rows: rows.collect() });
    for curve in whole(figures).filter(|curve| curve.score != "highest") {
        let bins: Vec<(f64, f64, usize)> = curve
            .calibration
            .bins
            .iter()
            .filter_map(|bin| Some((bin.mean_score?, bin.attacks.rate()?, bin.attacks.of)))
            .collect();
        let caption = format!("Score {} and share of {}, dots by n.", curve.score, curve.name);
        section.figures.push(Figure { caption, svg: plots::calibration(&bins) });
    }
    section
}

fn parts(figures: &Figures, training: &BTreeSet<String>) -> Section {
    let columns: Vec<&str> = figures.parts.iter().map(|part| part.by.as_str()).fold(Vec::new(), |mut seen, by| {
        if !seen.contains(&by) {
            seen.push(by);
        }
        seen
    });
    let mut section = Section {
        heading: "By part".to_owned(),
        id: "parts".to_owned(),
        text: vec![format!("A capture counts as stopped when it is {}.", Gate::ReviewedAsAttack.name())],
        ..Section::default()
    };
    for by in columns {
        let mine: Vec<_> = figures.parts.iter().filter(|part| part.by == by).collect();
        let rows = mine.iter().map(|part| {
            let cells = |rate: Option<&Rate>| match rate {
                Some(rate) => {
                    let interval = bracket(Some(rate.sources.unwrap_or(rate.files)));
                    [Cell::number(format!("{} {interval}", share(rate.share))), Cell::number(rate.share.of.to_string())]
                }
                None => [Cell::number("-"), Cell::number("0")],
            };
            let auc = Cell::number(part.auc.map_or("-".to_owned(), |auc| format!("{auc:.3}")));
            let name = Cell::words(part.value.as_str());
            let seen = by == "source" && training.contains(&part.value);
            let name = if seen { name.badged(SEEN) } else { name };
            [vec![name], cells(part.apcer.as_ref()).to_vec(), cells(part.bpcer.as_ref()).to_vec(), vec![auc]].concat()
        });
        section.tables.push(Table {
            caption: format!("By {by}; intervals over sources, or over files where there is one source"),
            head: words(&[by, "APCER", "n attacks", "BPCER", "n originals", "AUC"]),
            rows: rows.collect(),
        });
        if by != "training" && mine.len() > 1 {
            let shown = &mine[..mine.len().min(BARS)];
            let names: Vec<String> = shown.iter().map(|part| part.value.clone()).collect();
            let rates = |name: &str, of: &dyn Fn(&super::figures::Part) -> Option<Rate>| Rates {
                name: name.to_owned(),
                rates: shown.iter().map(|part| measured(&of(part)?)).collect(),
            };
            let series = [rates("APCER", &|part| part.apcer), rates("BPCER", &|part| part.bpcer)];
            let svg = plots::bars("rate at review", &names, &series);
            section.figures.push(Figure { caption: format!("By {by}, with 95 % intervals."), svg });
        }
    }
    section
}

fn confusion(figures: &Figures) -> Section {
    let table = |caption: &str, counts: &BTreeMap<String, BTreeMap<String, usize>>| {
        let columns: BTreeSet<&String> = counts.values().flat_map(BTreeMap::keys).collect();
        let row = |(label, said): (&String, &BTreeMap<String, usize>)| {
            let cells = columns.iter().map(|name| Cell::number(said.get(*name).copied().unwrap_or(0).to_string()));
            [Cell::words(label)].into_iter().chain(cells).collect()
        };
        let mut head = vec!["label".to_owned()];
        head.extend(columns.iter().map(|name| (*name).clone()));
        Table { caption: caption.to_owned(), head, rows: counts.iter().map(row).collect() }
    };
    Section {
        heading: "Confusion and reasons".to_owned(),
        id: "confusion".to_owned(),
        tables: vec![
            table("Label against what the captures are classified as", &figures.confusion),
            table("Captures that are given a reason, by label", &figures.reasons),
        ],
        ..Section::default()
    }
}

fn legibility(figures: &Figures) -> Option<Section> {
    let legibility = figures.legibility.as_ref()?;
    let auc = legibility.agreement.auc.map_or("-".to_owned(), |auc| format!("{auc:.3}"));
    let right = legibility.agreement.right;
    let interval = bracket(right.interval(LEVEL).ok());
    Some(Section {
        heading: "Legibility".to_owned(),
        id: "legibility".to_owned(),
        tables: vec![Table {
            caption: "Where the labels say whether a person can read the document; in part is not counted".to_owned(),
            head: words(&["agreement", "n", "over files", "AUC of the score", "not judged"]),
            rows: vec![vec![
                Cell::number(share(right)),
                Cell::number(right.of.to_string()),
                Cell::number(interval),
                Cell::number(auc),
                Cell::number(legibility.unjudged.to_string()),
            ]],
        }],
        ..Section::default()
    })
}

fn speed(figures: &Figures) -> Option<Section> {
    let speed = figures.speed.as_ref()?;
    let [p50, p95, p99] = speed.p50_p95_p99_ms.map(|ms| Cell::number(format!("{ms:.1} ms")));
    let mut stages: Vec<(&String, f64)> = speed.stages_ms.iter().map(|(name, ms)| (name, *ms)).collect();
    stages.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rate = Cell::number(format!("{:.1}", speed.per_worker_per_s));
    Some(Section {
        heading: "Time".to_owned(),
        id: "time".to_owned(),
        text: vec![
            "As it was when the findings were measured, on that machine and beside whatever else it did.".to_owned(),
        ],
        tables: vec![
            Table {
                caption: "Of one check".to_owned(),
                head: words(&["n", "p50", "p95", "p99", "checks a second of one worker"]),
                rows: vec![vec![Cell::number(speed.n.to_string()), p50, p95, p99, rate]],
            },
            Table {
                caption: "Mean by stage; what detectors share counts for the first that asks for it".to_owned(),
                head: words(&["stage", "ms"]),
                rows: stages
                    .into_iter()
                    .map(|(name, ms)| vec![Cell::words(name), Cell::number(format!("{ms:.2}"))])
                    .collect(),
            },
        ],
        ..Section::default()
    })
}

fn leakage(figures: &Figures) -> Section {
    let leaks = &figures.leakage.leaks;
    let text = if leaks.is_empty() {
        "Nothing is on both sides of a split: no document, source, file or near-identical picture.".to_owned()
    } else {
        format!("{} things are on both sides of a split; figures of a split with leaks are too good.", leaks.len())
    };
    let mut section =
        Section { heading: "Leakage".to_owned(), id: "leakage".to_owned(), text: vec![text], ..Section::default() };
    let repeated: usize = figures.leakage.duplicates.values().sum();
    if repeated > 0 {
        section.text.push(format!("{repeated} files repeat another of their split byte for byte."));
    }
    if !leaks.is_empty() {
        let rows = leaks.iter().take(200).map(|leak| {
            vec![
                Cell::words(format!("{:?}", leak.kind).to_lowercase()),
                Cell::words(format!("{}, row {}", leak.split_a, leak.row_a)),
                Cell::words(format!("{}, row {}", leak.split_b, leak.row_b)),
                Cell::words(&leak.value),
            ]
        });
        section.tables.push(Table {
            caption: format!("Leaks (the first {} of {})", leaks.len().min(200), leaks.len()),
            head: words(&["shared", "on one side", "on the other", "value"]),
            rows: rows.collect(),
        });
    }
    section
}

/// Cards of the [`WORST`] errors of `judged`, their pictures looked at again below `root`.
#[must_use]
pub fn worst(checker: &Checker, judged: &[Judged], root: &Path) -> Vec<ErrorCard> {
    let wrong = |row: &Judged| {
        let score = attack_score(&row.scores, row.sample.label)?;
        let stopped = Gate::ReviewedAsAttack.stops(row)?;
        let attack = row.sample.label != Label::Original;
        (stopped != attack).then_some(if attack { 1.0 - score } else { score })
    };
    let mut errors: Vec<(f64, &Judged)> = judged.iter().filter_map(|row| Some((wrong(row)?, row))).collect();
    errors.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.sample.path.cmp(&b.1.sample.path)));
    errors.into_iter().take(WORST).map(|(_, row)| card(checker, row, root)).collect()
}

fn card(checker: &Checker, row: &Judged, root: &Path) -> ErrorCard {
    let score = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let verdict = row.verdict.as_ref();
    let reasons: Vec<&str> = verdict.iter().flat_map(|v| &v.reasons).map(|reason| reason.code).collect();
    let seen = if checker.trained_on().contains(&row.sample.source) { format!(" ({SEEN})") } else { String::new() };
    let mut lines = vec![
        format!("is {}, source {}{seen}", row.sample.species, row.sample.source),
        format!(
            "screen {}, print {}, legibility {}",
            score(row.scores.screen),
            score(row.scores.print),
            score(row.scores.legibility)
        ),
    ];
    if !reasons.is_empty() {
        lines.push(format!("reasons: {}", reasons.join(", ")));
    }
    let pictures = read_upload(&root.join(&row.sample.path), checker.limits()).ok().and_then(|bytes| {
        let upload = Upload { bytes: &bytes, name: Some(&row.sample.path) };
        let looked = checker.look(&upload, Deadline::NEVER, |mut look| {
            let report = look.report();
            let overview = look.scene.overview();
            let (width, height) = overview.luma.dimensions();
            let thumbnail = jpeg(&overview.rgb(width, height), THUMBNAIL_PX)?;
            Some((thumbnail, jpeg(&look.overlay(&report), OVERLAY_PX)?))
        });
        looked.ok()?
    });
    let (thumbnail, overlay) = pictures.unzip();
    ErrorCard { thumbnail, overlay, title: row.sample.path.clone(), lines }
}

fn jpeg(picture: &RgbImage, long: u32) -> Option<Vec<u8>> {
    let factor = f64::from(long) / f64::from(picture.width().max(picture.height()));
    let side = |side: u32| ((f64::from(side) * factor.min(1.0)).round() as u32).max(1);
    let small = imageops::thumbnail(picture, side(picture.width()), side(picture.height()));
    let mut bytes = Vec::new();
    small.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 80)).ok()?;
    Some(bytes)
}

/// The curves of robustness: what `tried` says of originals and screens, variant by variant, at the policy's threshold of
/// review on the screen score.
#[must_use]
pub fn robustness(tried: &[Tried], checker: &Checker) -> Option<Section> {
    let review = thresholds(checker, "screen").into_iter().find(|t| t.name == "review")?.score;
    let names: Vec<String> = variants().iter().map(|variant| variant.name.to_owned()).collect();
    let rates = |label: Label, name: &str| {
        let of = |variant: &String| {
            let mine = tried.iter().filter(|row| row.label == label && row.variant == variant);
            let wrong = mine.filter_map(|row| Some((row.screen? >= review) != (label == Label::Screen)));
            let share = Share::of(wrong);
            Some(Measured { rate: share.rate()?, interval: share.interval(LEVEL).ok() })
        };
        Rates { name: name.to_owned(), rates: names.iter().map(of).collect() }
    };
    let series = [rates(Label::Screen, "APCER, screens"), rates(Label::Original, "BPCER")];
    let cell = |rate: &Option<Measured>| {
        rate.map_or(Cell::number("-"), |m| Cell::number(format!("{} {}", percent(m.rate), bracket(m.interval))))
    };
    let count = |label: Label| tried.iter().filter(|row| row.label == label && row.variant == names[0]).count();
    let rows = names.iter().enumerate().map(|(i, name)| {
        [vec![Cell::words(name)], series.iter().map(|rates| cell(&rates.rates[i])).collect()].concat()
    });
    Some(Section {
        heading: "Robustness".to_owned(),
        id: "robustness".to_owned(),
        text: vec![format!(
            "{} screens and {} originals, as many of each source as can be, made smaller, compressed, blurred and noisy; \
             at the policy's threshold of review, {review}. Intervals are over files.",
            count(Label::Screen),
            count(Label::Original)
        )],
        tables: vec![Table {
            caption: "Errors at review by what was done to the captures".to_owned(),
            head: words(&["", "APCER, screens", "BPCER"]),
            rows: rows.collect(),
        }],
        figures: vec![Figure {
            caption: "The same, with 95 % intervals over files.".to_owned(),
            svg: plots::bars("rate at review", &names, &series),
        }],
        ..Section::default()
    })
}

/// The page of a deletion test of `n` captures.
#[must_use]
pub fn explanations(n: usize, summary: &[Summary]) -> Page {
    let exact = |count: u64, of: u64| {
        let share = Share { count: count as usize, of: of as usize };
        let value = share.rate().map_or("-".to_owned(), percent);
        Cell::number(format!("{value} {}", bracket(share.interval(LEVEL).ok().filter(|_| of > 0))))
    };
    let rows = summary.iter().map(|row| {
        vec![
            Cell::words(row.code),
            Cell::words(row.by.replace('_', " ")),
            Cell::number(row.tested.to_string()),
            exact(row.fell, row.tested),
            exact(row.random_fell, row.controls),
        ]
    });
    Page {
        title: "Do the explanations hold?".to_owned(),
        lead: vec![
            format!("{n} captures whose verdict names an attack."),
            "What a verdict names is removed, and the captures are checked again: effective is a removal after which the \
             score no longer crosses its threshold. The control removes as much of something else. `marks` are all that \
             the report marks for the reason; `occlusion` are the cells of a grid that the score rests on most, which no \
             report shows."
                .to_owned(),
        ],
        sections: vec![Section {
            heading: "Deletion test".to_owned(),
            id: "deletion".to_owned(),
            tables: vec![Table {
                caption: "Exact 95 % intervals over captures".to_owned(),
                head: words(&["reason", "removed", "n", "effective", "control"]),
                rows: rows.collect(),
            }],
            ..Section::default()
        }],
    }
}

/// The page of `comparison`.
#[must_use]
pub fn comparison(comparison: &Comparison) -> Page {
    let figures = comparison.differences.iter().map(|d| {
        let p = d.two_sided.map_or("-".to_owned(), |p| format!("{p:.3}"));
        vec![
            Cell::words(&d.name),
            Cell::number(percent(d.before)),
            Cell::number(percent(d.after)),
            Cell::number(format!("{:+.1}", 100.0 * (d.after - d.before))),
            Cell::number(bracket(d.interval)),
            Cell::number(p),
        ]
    });
    let flips = comparison.flips.iter().map(|flip| {
        let better = match flip.better {
            Some(true) => "better",
            Some(false) => "worse",
            None => "",
        };
        let label = flip.label.name();
        [&flip.path, label, flip.what, &flip.before, &flip.after, better].map(Cell::words).to_vec()
    });
    let [before, after] = &comparison.runs;
    let mut lead = vec![
        format!("Before: {before}."),
        format!("After: {after}."),
        format!("{} captures are the same files in both.", comparison.compared),
    ];
    if !comparison.left_out.is_empty() {
        lead.push(format!("{} are not, and are left out.", comparison.left_out.len()));
    }
    Page {
        title: "What changed".to_owned(),
        lead,
        sections: vec![
            Section {
                heading: "Figures".to_owned(),
                id: "figures".to_owned(),
                tables: vec![Table {
                    caption: "After minus before in percentage points; intervals from paired draws of sources"
                        .to_owned(),
                    head: words(&["", "before", "after", "difference", "95 %", "p"]),
                    rows: figures.collect(),
                }],
                ..Section::default()
            },
            Section {
                heading: "Flips".to_owned(),
                id: "flips".to_owned(),
                tables: vec![Table {
                    caption: format!("{} changes of a verdict", comparison.flips.len()),
                    head: words(&["capture", "is", "what", "before", "after", ""]),
                    rows: flips.collect(),
                }],
                ..Section::default()
            },
        ],
    }
}
