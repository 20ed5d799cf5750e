//! EXIF and XMP facts → readings: where the file says it comes from, and where it contradicts itself.

use image::GrayImage;

use super::{Detector, DetectorInfo, Entry};
use crate::capture::{self, MediaType, Orientation, Pixels, Thumbnail};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::scene::{Scene, squashed};
use crate::words::{Fact, MetadataFact};

pub static CAMERA_ORIGIN: Reading =
    Reading::flag("metadata.camera_origin", "all seven tags of an exposure are present and plausible");
pub static TAGS_PRESENT_COUNT: Reading =
    Reading::count("metadata.tags_present_count", "plausible exposure tags among the seven");
pub static EXIF_BROKEN: Reading = Reading::flag("metadata.exif_broken", "the EXIF block cannot be read in full");
pub static EDITOR_NAMED: Reading = Reading::flag("metadata.editor_named", "an editing program is named as the writer");
pub static SCANNER_NAMED: Reading =
    Reading::flag("metadata.scanner_named", "a scanner, or a program that scans, is named as maker or writer");
pub static SCREENSHOT_NAMED: Reading =
    Reading::flag("metadata.screenshot_named", "a comment, description or the file's name says screenshot");
pub static UNCAMERA_FORMAT: Reading =
    Reading::flag("metadata.uncamera_format", "PNG or WebP without make and model, as screenshots are");
pub static RESAVED: Reading =
    Reading::flag("metadata.resaved", "last changed more than a minute after it was taken, as stated");
pub static RESAVED_AFTER_S: Reading =
    Reading::new("metadata.resaved_after_s", "s", "from the stated moment of capture to the stated last change");
pub static THUMBNAIL_DIFFERS: Reading =
    Reading::share("metadata.thumbnail_differs", "1 − correlation of the embedded preview with the picture");
pub static THUMBNAIL_ASPECT_SHARE: Reading =
    Reading::share("metadata.thumbnail_aspect_share", "relative difference of the preview's aspect ratio");
pub static SIZE_REWRITTEN: Reading = Reading::flag("metadata.size_rewritten", "the stated size is not the actual one");
pub static SENSOR_ASPECT_SHARE: Reading =
    Reading::share("metadata.sensor_aspect_share", "relative distance to the nearest aspect of a sensor");
pub static MAKER_NOTE_MISSING: Reading =
    Reading::flag("metadata.maker_note_missing", "a maker that writes its own block is named, without it");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "metadata",
        question: "Where does the file say it comes from, and does it contradict itself?",
        readings: &[
            &CAMERA_ORIGIN,
            &TAGS_PRESENT_COUNT,
            &EXIF_BROKEN,
            &EDITOR_NAMED,
            &SCANNER_NAMED,
            &SCREENSHOT_NAMED,
            &UNCAMERA_FORMAT,
            &RESAVED,
            &RESAVED_AFTER_S,
            &THUMBNAIL_DIFFERS,
            &THUMBNAIL_ASPECT_SHARE,
            &SIZE_REWRITTEN,
            &SENSOR_ASPECT_SHARE,
            &MAKER_NOTE_MISSING,
        ],
        method: "EXIF 2.32 and XMP are read as facts. Seven tags make an exposure: Make, Model, ExposureTime, FNumber, \
                 ISO, FocalLength and DateTimeOriginal, each checked for a possible value. The preview is turned \
                 upright, freed of black bars and correlated with the picture at 32 × 32 pixels.",
        blind_spots: "Anyone can write or strip metadata, and browsers, uploads and messengers strip it honestly, so \
                      absence is weak. A recapture by a real phone has genuine EXIF: a complete block says nothing \
                      against a recapture. Galleries rewrite the stated size when they crop.",
    },
    build: |_| Box::new(Metadata),
};

/// Programs that edit pictures, in lower case, with the name to show. Sources: the programs' own Software tags.
const EDITORS: &[(&str, &str)] = &[
    ("photoshop", "Adobe Photoshop"),
    ("lightroom", "Adobe Lightroom"),
    ("camera raw", "Adobe Camera Raw"),
    ("adobe express", "Adobe Express"),
    ("gimp", "GIMP"),
    ("snapseed", "Snapseed"),
    ("picsart", "PicsArt"),
    ("meitu", "Meitu"),
    ("美图", "Meitu"),
    ("xingtu", "Xingtu"),
    ("canva", "Canva"),
    ("affinity", "Affinity"),
    ("pixelmator", "Pixelmator"),
    ("paint.net", "Paint.NET"),
    ("microsoft paint", "Microsoft Paint"),
    ("photoscape", "PhotoScape"),
    ("capture one", "Capture One"),
    ("darktable", "darktable"),
    ("acdsee", "ACDSee"),
    ("picasa", "Picasa"),
    ("vsco", "VSCO"),
    ("faceapp", "FaceApp"),
    ("beautyplus", "BeautyPlus"),
    ("imagemagick", "ImageMagick"),
    ("inkscape", "Inkscape"),
    ("krita", "Krita"),
    ("corel", "Corel"),
];

/// Makers whose cameras write a `MakerNote` into every picture.
const NOTING_MAKERS: &[&str] =
    &["apple", "canon", "nikon", "sony", "fujifilm", "panasonic", "olympus", "pentax", "casio", "ricoh", "leica"];

/// Parts of the names of scanners and of programs that scan, in lower case: most say it by name (`CamScanner`, `ScanSnap`,
/// `EPSON Scan`, 扫描全能王), the others stand by theirs.
const SCANNERS: &[&str] =
    &["scan", "扫描", "掃描", "naps2", "microsoft lens", "office lens", "paperstream", "paperport"];

struct Metadata;

impl Detector for Metadata {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let capture = scene.capture();
        let facts = &capture.metadata;
        let mut out = Evidence::default();
        let mut found = Vec::new();

        out.flag(&SCREENSHOT_NAMED, facts.says_screenshot);
        if facts.says_screenshot {
            found.push(MetadataFact::CallsItselfScreenshot);
        }
        let named = facts.make.is_some() && facts.model.is_some();
        let uncamera = matches!(capture.media_type, MediaType::Png | MediaType::WebP | MediaType::Gif) && !named;
        out.flag(&UNCAMERA_FORMAT, uncamera);
        if !facts.has_exif && !facts.has_xmp && capture.container.text_software.is_none() {
            if out.readings.iter().all(|r| r.value == 0.0) {
                return Abstention::new(AbstentionCause::NotApplicable, Fact::MetadataNone).into();
            }
            if uncamera {
                found.push(MetadataFact::NotOfCamera);
            }
            out.tell(Fact::Metadata { found: &found });
            return out.into();
        }
        let tags = tags_present(facts);
        out.flag(&CAMERA_ORIGIN, tags == 7);
        out.read(&TAGS_PRESENT_COUNT, f64::from(tags));
        out.flag(&EXIF_BROKEN, facts.exif_broken);
        let camera =
            [&facts.make, &facts.model].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        if !camera.is_empty() {
            found.push(MetadataFact::Camera { name: &camera, tags });
        }
        if facts.exif_broken {
            found.push(MetadataFact::ExifDamaged);
        }
        let mut programs = facts.software.iter().chain(&facts.xmp_tools).chain(&capture.container.text_software);
        let editor = programs.find_map(|p| editor(p));
        out.flag(&EDITOR_NAMED, editor.is_some());
        if let Some(name) = editor {
            found.push(MetadataFact::Editor { name });
        }
        let programs = facts.software.iter().chain(&facts.xmp_tools).chain(&capture.container.text_software);
        let mut makers = programs.chain(&facts.make).chain(&facts.model);
        let scanner = makers.find(|name| is_scanner(name));
        out.flag(&SCANNER_NAMED, scanner.is_some());
        if let Some(name) = scanner {
            found.push(MetadataFact::Scanner { name });
        }
        if let (Some(taken), Some(changed)) = (facts.datetime_original, facts.datetime) {
            let after = changed.seconds - taken.seconds;
            out.read(&RESAVED_AFTER_S, after as f64);
            out.flag(&RESAVED, after > 60);
            if after > 60 {
                found.push(MetadataFact::Changed { after_s: after });
            }
        }
        sizes(scene, &mut out);
        if let Some(make) = facts.make.as_ref().map(|m| m.to_lowercase())
            && NOTING_MAKERS.iter().any(|m| make.starts_with(m))
        {
            out.flag(&MAKER_NOTE_MISSING, !facts.has_maker_note);
            if !facts.has_maker_note {
                found.push(MetadataFact::MakerNoteMissing);
            }
        }
        if let Some(preview) = &facts.thumbnail {
            thumbnail(preview, scene, &mut out);
        }
        if found.is_empty() {
            found.push(MetadataFact::NothingNamed);
        }
        out.tell(Fact::Metadata { found: &found });
        out.into()
    }
}

fn is_scanner(name: &str) -> bool {
    let name = name.to_lowercase();
    SCANNERS.iter().any(|part| name.contains(part))
}

fn editor(program: &str) -> Option<&'static str> {
    let program = program.to_lowercase();
    EDITORS.iter().find(|(word, _)| program.contains(word)).map(|(_, name)| *name)
}

/// How many of the seven tags of an exposure are present with a possible value.
fn tags_present(facts: &capture::Metadata) -> u8 {
    let within = |value: Option<f64>, low: f64, high: f64| value.is_some_and(|v| (low..=high).contains(&v));
    [
        facts.make.is_some(),
        facts.model.is_some(),
        within(facts.exposure_time_s, 1e-6, 3600.0),
        within(facts.f_number, 0.7, 64.0),
        within(facts.iso.map(f64::from), 1.0, 4e6),
        within(facts.focal_length_mm, 0.5, 3000.0),
        facts.datetime_original.is_some_and(|t| (1990..2100).contains(&t.year)),
    ]
    .into_iter()
    .map(u8::from)
    .sum()
}

fn sizes(scene: &Scene<'_>, out: &mut Evidence) {
    let capture = scene.capture();
    let sorted = |a: u32, b: u32| (a.max(b), a.min(b));
    let actual = sorted(capture.width(), capture.height());
    if let (Some(x), Some(y)) = (capture.metadata.pixel_x, capture.metadata.pixel_y) {
        out.flag(&SIZE_REWRITTEN, sorted(x, y) != actual);
    }
    if capture.metadata.make.is_some() {
        let ratio = f64::from(actual.0) / f64::from(actual.1);
        let sensors = [1.0, 5.0 / 4.0, 4.0 / 3.0, 3.0 / 2.0, 16.0 / 10.0, 16.0 / 9.0, 2.0];
        let nearest = sensors.iter().map(|s| (ratio / s - 1.0).abs()).fold(f64::INFINITY, f64::min);
        out.read(&SENSOR_ASPECT_SHARE, nearest);
    }
}

/// Previews are stored as the picture is; some cameras put bars around them to reach 4:3.
fn thumbnail(preview: &Thumbnail, scene: &Scene<'_>, out: &mut Evidence) {
    let capture = scene.capture();
    let (Some(luma), true) = (&preview.luma, !capture.is_grey()) else { return };
    // A HEIC picture is already upright when decoded; its preview is not.
    let turn = Orientation::from_exif(capture.metadata.orientation.unwrap_or(1));
    let Some(pixels) = Pixels::new(luma.width(), luma.height(), luma.as_raw().clone(), turn) else { return };
    let Some(upright) = pixels.luma(PixelRect::new(0, 0, pixels.width(), pixels.height())) else { return };
    let trimmed = without_bars(&upright);
    let aspect = |w: u32, h: u32| f64::from(w) / f64::from(h);
    let whole = aspect(capture.width(), capture.height());
    out.read(&THUMBNAIL_ASPECT_SHARE, (aspect(trimmed.width(), trimmed.height()) / whole - 1.0).abs());
    let small = |picture: &GrayImage| squashed(picture, 32, 32);
    if let Some(correlation) = correlation(&small(&trimmed), &small(&scene.overview().luma)) {
        out.read(&THUMBNAIL_DIFFERS, (1.0 - correlation).clamp(0.0, 1.0));
    }
}

fn without_bars(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    let dark_row = |y: u32| (0..width).all(|x| picture.get_pixel(x, y).0[0] < 24);
    let dark_column = |x: u32| (0..height).all(|y| picture.get_pixel(x, y).0[0] < 24);
    let top = (0..height / 4).take_while(|&y| dark_row(y) && dark_row(height - 1 - y)).count() as u32;
    let left = (0..width / 4).take_while(|&x| dark_column(x) && dark_column(width - 1 - x)).count() as u32;
    PixelRect::new(left, top, width - 2 * left, height - 2 * top).cut(picture)
}

/// Pearson correlation; `None` when a picture is flat.
fn correlation(a: &GrayImage, b: &GrayImage) -> Option<f64> {
    let mean = |p: &GrayImage| p.as_raw().iter().map(|&v| f64::from(v)).sum::<f64>() / p.as_raw().len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.as_raw().iter().zip(b.as_raw()) {
        let (x, y) = (f64::from(x) - mean_a, f64::from(y) - mean_b);
        both += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    (of_a > 1.0 && of_b > 1.0).then(|| both / (of_a * of_b).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_are_told_by_their_names() {
        for name in ["CamScanner", "Adobe Scan for Android 25.1", "EPSON Scan 2", "扫描全能王", "NAPS2"] {
            assert!(is_scanner(name), "{name}");
        }
        for name in ["iPhone 15 Pro", "HUAWEI", "Adobe Photoshop 25.1", "Canon EOS R5", "17.4.1"] {
            assert!(!is_scanner(name), "{name}");
        }
    }

    #[test]
    fn editors_are_named() {
        assert_eq!(editor("Adobe Photoshop 25.0 (Windows)"), Some("Adobe Photoshop"));
        assert_eq!(editor("GIMP 2.10"), Some("GIMP"));
        assert_eq!(editor("17.4.1"), None);
    }

    #[test]
    fn an_impossible_exposure_does_not_count() {
        let mut facts = capture::Metadata { make: Some("A".into()), iso: Some(100), ..Default::default() };
        assert_eq!(tags_present(&facts), 2);
        facts.f_number = Some(0.0);
        assert_eq!(tags_present(&facts), 2);
    }

    #[test]
    fn a_picture_correlates_with_itself_only() {
        let a = GrayImage::from_fn(32, 32, |x, y| image::Luma([(x * 5 + y) as u8]));
        let b = GrayImage::from_fn(32, 32, |x, _| image::Luma([255 - (x * 5) as u8]));
        assert!(correlation(&a, &a).is_some_and(|c| c > 0.999));
        assert!(correlation(&a, &b).is_some_and(|c| c < 0.0));
    }
}
