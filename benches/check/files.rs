//! Nothing, or folders → photographs: made by the simulator and kept below `target/tmp`, or real ones.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bonafide::capture::declared;
use bonafide::simulation::{Document, Presentation, Spec, encode};
use fast_image_resize as fr;
use image::{ImageFormat, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A JPEG to measure with.
pub struct Photograph {
    pub name: String,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub megapixels: f64,
}

impl Photograph {
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = fs::read(path)?;
        let pixels = declared(&bytes).map_or(0, |declared| declared.pixels);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, path: path.to_owned(), bytes, megapixels: pixels as f64 / 1e6 })
    }
}

/// Sides of a photograph of 12 megapixels.
const SIDES: (u32, u32) = (4032, 3024);
/// Long and short sides of pictures of 1, 2, 4, 8, 24 and 48 megapixels.
const OTHER_SIDES: [(u32, u32); 6] =
    [(1152, 864), (1632, 1224), (2304, 1728), (3264, 2448), (5664, 4248), (8064, 6048)];
/// Captures are stored at about this quality, chroma at half resolution.
const QUALITY: u8 = 92;

use Document::{Card, Page, Passport, Reverse};
use Presentation::{BonaFide, Print, Screen};

/// What is photographed: documents as they come, recaptures among them.
const SUBJECTS: [(Presentation, Document); 12] = [
    (BonaFide, Card),
    (BonaFide, Page),
    (Screen, Card),
    (BonaFide, Reverse),
    (BonaFide, Passport),
    (Print, Card),
    (BonaFide, Card),
    (BonaFide, Page),
    (Screen, Page),
    (BonaFide, Reverse),
    (Screen, Passport),
    (Print, Page),
];

/// `count` photographs of 12 megapixels, twelve at most.
pub fn made(count: usize) -> Result<Vec<Photograph>, Box<dyn Error>> {
    (0..count.min(SUBJECTS.len())).map(simulated).collect()
}

/// The first of them, and the same drawn to other sizes, the smallest first.
pub fn sizes() -> Result<Vec<Photograph>, Box<dyn Error>> {
    let mut found = OTHER_SIDES.into_iter().map(drawn).collect::<Result<Vec<_>, _>>()?;
    found.push(simulated(0)?);
    found.sort_by(|a, b| a.megapixels.total_cmp(&b.megapixels));
    Ok(found)
}

/// The first of them as a picture so small that starting costs more than checking it.
pub fn small() -> Result<Photograph, Box<dyn Error>> {
    drawn((448, 336))
}

/// A folder for what is made here.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("photographs-", env!("CARGO_PKG_VERSION")))
}

/// The photograph of a subject, made when it is not there yet.
fn simulated(subject: usize) -> Result<Photograph, Box<dyn Error>> {
    let (presentation, document) = SUBJECTS[subject];
    let (long, short) = SIDES;
    kept(&format!("{:02}_{}_{}", subject + 1, presentation.label(), document.name()), || {
        let seed = 1 + subject as u64;
        let mut spec = Spec::random_of(presentation, document, &mut ChaCha8Rng::seed_from_u64(seed));
        (spec.width, spec.height) = if spec.width < spec.height { (short, long) } else { (long, short) };
        // Straight from the camera, which stores chroma at half resolution; the simulator does not.
        (spec.delivery, spec.jpeg_quality) = (None, 98);
        decoded(&encode(&spec, seed).0)
    })
}

/// The first photograph at another size; where it is drawn out, with a sensor's noise on it, since a smooth picture is
/// decoded faster than any camera's.
fn drawn((width, height): (u32, u32)) -> Result<Photograph, Box<dyn Error>> {
    kept(&format!("sized_{width}"), || {
        let source = decoded(&simulated(0)?.bytes)?;
        let mut out = RgbImage::new(width, height);
        let from =
            fr::images::TypedImageRef::<fr::pixels::U8x3>::from_buffer(source.width(), source.height(), &source)?;
        let mut to = fr::images::TypedImage::<fr::pixels::U8x3>::from_buffer(width, height, &mut out)?;
        let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(fr::FilterType::CatmullRom));
        fr::Resizer::new().resize_typed(&from, &mut to, &options)?;
        if width > source.width() {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            for pixel in out.pixels_mut() {
                let noise: i16 = rng.random_range(-4..=4) + rng.random_range(-4..=4);
                pixel.0 = pixel.0.map(|v| (i16::from(v) + noise).clamp(0, 255) as u8);
            }
        }
        Ok(out)
    })
}

fn decoded(jpeg: &[u8]) -> Result<RgbImage, Box<dyn Error>> {
    #[allow(clippy::disallowed_methods, reason = "its own bytes")]
    Ok(image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg)?.to_rgb8())
}

/// The JPEG `name`, of what `make` gives when it is not there yet.
fn kept(name: &str, make: impl FnOnce() -> Result<RgbImage, Box<dyn Error>>) -> Result<Photograph, Box<dyn Error>> {
    let path = folder().join(format!("{name}.jpg"));
    if !path.exists() {
        fs::create_dir_all(folder())?;
        let picture = make()?;
        let (width, height) = picture.dimensions();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, QUALITY);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(picture.as_raw(), width as u16, height as u16, ColorType::Rgb)?;
        // Under another name first: a run that is cut off leaves no half of a file.
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, bytes)?;
        fs::rename(&unfinished, &path)?;
    }
    Photograph::read(&path)
}

/// Real JPEGs of at least 8 megapixels in `folders` and below, by name.
pub fn real(folders: &[PathBuf]) -> Result<Vec<Photograph>, Box<dyn Error>> {
    let mut found = Vec::new();
    for folder in folders {
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
        for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
            let jpeg = entry
                .path()
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"));
            if jpeg {
                found.push(Photograph::read(entry.path())?);
            }
        }
    }
    found.retain(|photograph| photograph.megapixels >= 8.0);
    for photograph in &mut found {
        photograph.name.insert_str(0, "real_");
    }
    Ok(found)
}
