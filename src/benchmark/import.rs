//! A folder as a public set of captures is published → labels of what it holds, and counts of what is left out.
//!
//! Only names of folders and files are read. Every file is either labelled or counted under a reason.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::labels::{Label, Labels, Sample};
use crate::screening::EXTENSIONS;

/// A layout of folders and files that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Frames of clips of mock documents, their copies and recaptures: Document Liveness Challenge Dataset.
    Dlc2021,
    /// Frames of clips of 50 kinds of mock documents.
    Midv500,
    /// Clips of the documents of MIDV-500 under projective distortion and in low light.
    Midv2019,
    /// Photographs, clips and scans of 1000 mock documents.
    Midv2020,
    /// Photographs of plastic replicas of Korean cards, of screens and of prints.
    Kid34k,
    /// Captures of the documents of MIDV-2020 and of forgeries of them.
    Sidtd,
    /// Faces, prints and replays of them.
    RoseYoutu,
    /// Folders that are named after labels.
    Folders,
}

/// What is printed of a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// The layout.
    pub kind: Kind,
    /// Its name on the command line.
    pub name: &'static str,
    /// What the pictures are.
    pub what: &'static str,
    /// Where the set is to be had.
    pub home: &'static str,
    /// Under which terms.
    pub licence: &'static str,
    /// The paths that are labelled, as an error names them.
    pub layout: &'static str,
}

/// Every layout.
pub const SETS: [Set; 8] = [
    Set {
        kind: Kind::Dlc2021,
        name: "dlc-2021",
        what: "Document Liveness Challenge Dataset: frames of 1424 clips of laminated mock documents (or), their colour \
               (cc) and grey (cg) copies, and screens that show them (re); the mock documents are prints too",
        home: "https://doi.org/10.3390/jimaging8070181; Zenodo records 7467028, 6792396 and 7467000",
        licence: "CC BY-SA 2.5",
        layout: "<document type>/<number>.<or|re|cc|cg><number>/<frame>, such as alb_id/00.or0001/000001.jpg",
    },
    Set {
        kind: Kind::Midv500,
        name: "midv-500",
        what: "frames of 500 clips of printed mock documents of 50 types, all original captures",
        home: "ftp://smartengines.com/midv-500/, described in https://arxiv.org/abs/1807.05786",
        licence: "see its page; the documents pictured are in the public domain or under public licences",
        layout: "<document type>/images/<TA|TS|KA|KS|HA|HS|PA|PS|CA|CS>/<frame>, such as \
                 01_alb_id/images/TS/TS01_01.tif",
    },
    Set {
        kind: Kind::Midv2019,
        name: "midv-2019",
        what: "frames of clips of the documents of MIDV-500, held at strong angles or in low light, all original captures",
        home: "ftp://smartengines.com/midv-500/extra/midv-2019/",
        licence: "see its page",
        layout: "<document type>/images/<DG|DX|LG|LX>/<frame>, such as 01_alb_id/images/DG/DG01_01.tif",
    },
    Set {
        kind: Kind::Midv2020,
        name: "midv-2020",
        what: "1000 printed mock documents of 10 types: photographs and frames of clips are original captures; scans and \
               templates are left out",
        home: "ftp://smartengines.com/midv-2020/, on the web at https://l3i-share.univ-lr.fr/MIDV2020/midv2020.html",
        licence: "see its page",
        layout: "photo/images/<document type>/<number>.jpg and clips/images/<document type>/<number>/<frame>",
    },
    Set {
        kind: Kind::Kid34k,
        name: "kid34k",
        what: "34,662 photographs of plastic replicas of Korean identity cards and driving licences, of screens and of \
               prints that show them",
        home: "https://github.com/DASH-Lab/idcard_fraud_detection",
        licence: "see its page",
        layout: "a folder U<number>_<DL|ID> and a folder <genuine|real|screen|print|paper> in any order, such as \
                 U02_DL/screen/1.jpg; file names may begin with the card instead",
    },
    Set {
        kind: Kind::Sidtd,
        name: "sidtd",
        what: "captures of the documents of MIDV-2020 (reals), which are original captures, and of forgeries made from \
               them by computer (fakes), which are left out unless asked for; templates are no captures",
        home: "https://github.com/Oriolrt/SIDTD_Dataset",
        licence: "see its page",
        layout: "<clips|clips_cropped>/Images/<reals|fakes>/<document type>_<number>_..., such as \
                 clips/Images/reals/alb_id_00_frame_12.jpg",
    },
    Set {
        kind: Kind::RoseYoutu,
        name: "rose-youtu",
        what: "faces of people, no documents: genuine (G), printed (Ps still, Pq moved) and replayed on screens (Vl, Vm); \
               masks (Mc, Mf, Mu) are left out",
        home: "https://rose1.ntu.edu.sg/dataset/faceLivenessDetection/",
        licence: "see its page; on application",
        layout: "files or folders <code>_<T|NT>_<device>_<g|wg>_<background>_<person>_<number>, such as \
                 G_NT_5s_g_E_2_1, with a number and _ before it or not",
    },
    Set {
        kind: Kind::Folders,
        name: "folders",
        what: "any pictures in folders that are named after labels; a folder within is the source",
        home: "your own",
        licence: "your own",
        layout: "<label or alias>/<source>/<picture> or <label or alias>/<picture>, such as screen/shop-7/1.jpg",
    },
];

impl Kind {
    /// The layout of that name, as [`Set::name`] has it, in any case.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        SETS.iter().find(|set| set.name.eq_ignore_ascii_case(name.trim())).map(|set| set.kind)
    }

    /// What is printed of it.
    #[must_use]
    pub fn set(self) -> &'static Set {
        SETS.iter().find(|set| set.kind == self).unwrap_or(&SETS[0])
    }
}

/// What is asked of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether captures of forged documents, as in SIDTD, are labelled: as originals, since the capture is one and only
    /// what it shows is not, with the species `altered`, by which they can be told apart in results.
    pub with_altered: bool,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// One for each picture, ordered by path; row numbers are those in the written table.
    pub labels: Labels,
    /// How many files are left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

/// Why a folder gives no labels.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is laid out differently.
    #[error("{path} is not laid out as {name} ({counts}); expected are {layout}", path = path.display())]
    Layout {
        /// The folder.
        path: PathBuf,
        /// The set.
        name: &'static str,
        /// What is expected.
        layout: &'static str,
        /// What is there instead.
        counts: String,
    },
    /// It holds videos and no pictures.
    #[error(
        "{path} holds videos and no pictures ({count}, such as {video}); take frames from each first: mkdir -p {to} && \
         ffmpeg -i {video} -vf fps=1 {to}/%06d.png",
        path = path.display()
    )]
    Videos {
        /// The folder.
        path: PathBuf,
        /// How many videos.
        count: usize,
        /// The first, quoted for a shell.
        video: String,
        /// The folder for its frames, quoted for a shell.
        to: String,
    },
    /// It is laid out as expected, but nothing in it can be labelled.
    #[error("nothing in {path} can be labelled: {counts}", path = path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
        /// What is left out.
        counts: String,
    },
}

/// What becomes of a picture.
enum Fate {
    Labelled(Found),
    LeftOut(&'static str),
    Alien,
}

/// What a path says of its picture.
struct Found {
    label: Label,
    species: String,
    source: String,
    device: Option<&'static str>,
    document_id: Option<String>,
    content: Option<String>,
}

const VIDEOS: [&str; 9] = ["mp4", "avi", "mov", "mkv", "m4v", "webm", "mpg", "mpeg", "3gp"];

const ALIEN: &str = "picture that the layout does not name";
const VIDEO: &str = "video, of which frames are to be taken first";
const OTHER: &str = "file that is no picture, such as annotations";
const NAME: &str = "file whose name is no UTF-8 text";
const LINK: &str = "link to a folder, or no regular file";

/// Labels what lies in and below `dir`, by paths below it. `dir` may also be a folder within the layout, as long as it
/// holds what tells pictures apart.
///
/// # Errors
/// When a folder cannot be read, nothing is laid out as `kind` expects, or nothing can be labelled.
pub fn import(kind: Kind, dir: &Path, options: Options) -> Result<Imported, ImportError> {
    let mut files = Vec::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |reason: &str| *left_out.entry(reason.to_owned()).or_insert(0) += 1;
    walk(dir, &mut Vec::new(), &mut files, &mut count)?;
    files.sort();
    let above = dir.canonicalize().ok();
    let above = above.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let mut samples = Vec::new();
    let mut videos = Vec::new();
    let mut pictures = 0;
    let mut known = 0;
    for path in files {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
        if name.starts_with("._") || !EXTENSIONS.contains(&ending.as_str()) {
            if VIDEOS.contains(&ending.as_str()) {
                count(VIDEO);
                videos.push(path);
            } else {
                count(OTHER);
            }
            continue;
        }
        pictures += 1;
        let parts: Vec<&str> = path.split('/').collect();
        match fate(kind, above, &parts, options) {
            Fate::Labelled(found) => {
                let mut sample = Sample::new(samples.len() + 2, &path, found.label);
                sample.species = found.species;
                sample.source = found.source;
                sample.device = found.device.map(str::to_owned);
                sample.document_id = found.document_id;
                sample.content = found.content;
                samples.push(sample);
            }
            Fate::LeftOut(reason) => {
                known += 1;
                count(reason);
            }
            Fate::Alien => count(ALIEN),
        }
    }
    if !samples.is_empty() {
        return Ok(Imported { labels: Labels { samples }, left_out });
    }
    let counts = counted(&left_out);
    let path = dir.to_owned();
    Err(match videos.first() {
        Some(video) if pictures == 0 => {
            let to = Path::new(video).with_extension("");
            let (video, to) = (quoted(&dir.join(video)), quoted(&dir.join(to)));
            ImportError::Videos { path, count: videos.len(), video, to }
        }
        _ if known > 0 => ImportError::Nothing { path, counts },
        _ => ImportError::Layout { path, name: kind.set().name, layout: kind.set().layout, counts },
    })
}

fn counted(left_out: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = left_out.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    if counts.is_empty() { "it holds no files".to_owned() } else { counts.join("; ") }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

/// Adds the paths below `dir`, with `/` between parts; links to folders are not followed, so that a walk ends.
fn walk(
    dir: &Path,
    parts: &mut Vec<String>,
    files: &mut Vec<String>,
    count: &mut impl FnMut(&str),
) -> Result<(), ImportError> {
    let failed = |source| ImportError::Read { path: dir.to_owned(), source };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let folder = entry.file_type().map_err(failed)?.is_dir();
        let Ok(name) = entry.file_name().into_string() else {
            count(NAME);
            continue;
        };
        parts.push(name);
        if folder {
            walk(&entry.path(), parts, files, count)?;
        } else if entry.path().is_file() {
            files.push(parts.join("/"));
        } else {
            count(LINK);
        }
        parts.pop();
    }
    Ok(())
}

/// What becomes of the picture at `parts` below a folder named `above`.
fn fate(kind: Kind, above: &str, parts: &[&str], options: Options) -> Fate {
    match kind {
        Kind::Dlc2021 => dlc_2021(above, parts),
        Kind::Midv500 => midv_500(above, parts, &MIDV_500_CONDITIONS, &MIDV_500_DEVICES),
        Kind::Midv2019 => midv_500(above, parts, &MIDV_2019_CONDITIONS, &MIDV_2019_DEVICES),
        Kind::Midv2020 => midv_2020(above, parts),
        Kind::Kid34k => kid34k(above, parts),
        Kind::Sidtd => sidtd(above, parts, options),
        Kind::RoseYoutu => rose_youtu(parts),
        Kind::Folders => folders(parts),
    }
}

/// The name at `back` places from the end of `parts`, where 0 is the file; that of the folder above for one too many.
fn from_end<'a>(above: &'a str, parts: &[&'a str], back: usize) -> Option<&'a str> {
    match parts.len().checked_sub(back + 1) {
        Some(at) => Some(parts[at]),
        None if parts.len() == back && !above.is_empty() => Some(above),
        None => None,
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Document Liveness Challenge Dataset, Polevoy et al., J. Imaging 8 (2022) 181: `alb_id/00.cc0001/000001.jpg` is a frame
/// of the first colour copy of document 00 of a type. Its documents are of MIDV-2020. A clip is a source.
fn dlc_2021(above: &str, parts: &[&str]) -> Fate {
    let (Some(clip), Some(document_type)) = (from_end(above, parts, 1), from_end(above, parts, 2)) else {
        return Fate::Alien;
    };
    let Some((number, code)) = clip.split_once('.').filter(|(number, _)| digits(number)) else { return Fate::Alien };
    let (code, serial) = code.split_at_checked(2).unwrap_or_default();
    let (label, species) = match code {
        "or" => (Label::Original, "laminated-mock"),
        "re" => (Label::Screen, "screen"),
        "cc" => (Label::Print, "colour-copy"),
        "cg" => (Label::Print, "grey-copy"),
        _ => return Fate::Alien,
    };
    if !digits(serial) {
        return Fate::Alien;
    }
    Fate::Labelled(Found {
        label,
        species: species.to_owned(),
        source: format!("dlc-2021/{document_type}/{clip}"),
        device: None,
        document_id: Some(format!("midv-2020/{document_type}/{number}")),
        content: Some(document_type.to_owned()),
    })
}

const MIDV_500_CONDITIONS: [(char, &str); 5] =
    [('T', "table"), ('K', "keyboard"), ('H', "hand"), ('P', "partial"), ('C', "clutter")];
const MIDV_500_DEVICES: [(char, &str); 2] = [('A', "Apple iPhone 5"), ('S', "Samsung Galaxy S3")];
const MIDV_2019_CONDITIONS: [(char, &str); 2] = [('D', "distortion"), ('L', "low-light")];
const MIDV_2019_DEVICES: [(char, &str); 2] = [('G', "Samsung Galaxy S10"), ('X', "Apple iPhone XS Max")];

/// MIDV-500, Arlazarov et al. (2018), and MIDV-2019, Bulatov et al. (2019): `01_alb_id/images/TS/TS01_01.tif` is a frame
/// of document 01 on a table. The first letter is the condition and becomes the species, the second the camera. The
/// picture in `images` itself is the template of which the mock document was printed.
fn midv_500(
    above: &str,
    parts: &[&str],
    conditions: &[(char, &'static str)],
    devices: &[(char, &'static str)],
) -> Fate {
    let Some(folder) = from_end(above, parts, 1) else { return Fate::Alien };
    if folder == "images" {
        return Fate::LeftOut("template, which is no capture");
    }
    let named = |letter: char, table: &[(char, &'static str)]| {
        table.iter().find(|(key, _)| *key == letter).map(|(_, name)| *name)
    };
    let letters: Vec<char> = folder.chars().collect();
    let [condition, device] = letters[..] else { return Fate::Alien };
    let (Some(condition), Some(device)) = (named(condition, conditions), named(device, devices)) else {
        return Fate::Alien;
    };
    let (Some("images"), Some(document)) = (from_end(above, parts, 2), from_end(above, parts, 3)) else {
        return Fate::Alien;
    };
    // The name of a frame begins with its clip.
    let clip = stem(parts[parts.len() - 1]).split('_').next().unwrap_or(folder);
    Fate::Labelled(Found {
        label: Label::Original,
        species: condition.to_owned(),
        source: format!("midv-500/{document}/{clip}"),
        device: Some(device),
        document_id: Some(format!("midv-500/{document}")),
        content: Some(format!("{document}, {folder}")),
    })
}

/// MIDV-2020, Bulatov et al., Computer Optics 46 (2022): `photo/images/alb_id/00.jpg` and
/// `clips/images/alb_id/00/000001.jpg` are captures of document 00 of a type; `scan_upright`, `scan_rotated` and
/// `templates` are not. A photograph and a clip are a source each.
fn midv_2020(above: &str, parts: &[&str]) -> Fate {
    let Some(images) = parts.iter().rposition(|part| *part == "images") else { return Fate::Alien };
    let part = if images == 0 { above } else { parts[images - 1] };
    let (document_type, number) = match parts[images + 1..] {
        [document_type, file] => (document_type, stem(file)),
        [document_type, number, _] => (document_type, number),
        _ => return Fate::Alien,
    };
    let (part, species) = match part {
        "photo" => ("photo", "photograph"),
        "clips" => ("clips", "clip"),
        "scan_upright" | "scan_rotated" => return Fate::LeftOut("scan, which no camera took"),
        "templates" => return Fate::LeftOut("template, which is no capture"),
        _ => return Fate::Alien,
    };
    Fate::Labelled(Found {
        label: Label::Original,
        species: species.to_owned(),
        source: format!("midv-2020/{part}/{document_type}/{number}"),
        device: None,
        document_id: Some(format!("midv-2020/{document_type}/{number}")),
        content: Some(document_type.to_owned()),
    })
}

/// KID34K, Park et al., CIKM 2023: cards of made-up users, `U02_DL` a driving licence and `U02_ID` an identity card, each
/// with captures of the replica, of screens and of prints. A card is a document and a source.
fn kid34k(above: &str, parts: &[&str]) -> Fate {
    let card = std::iter::once(above).chain(parts.iter().copied()).rev().find_map(kid34k_card);
    // A folder above may be named "real" by chance.
    let class = parts[..parts.len() - 1].iter().rev().find_map(|folder| match Label::of(folder) {
        Some(Label::Screenshot) => None,
        label => label,
    });
    let (Some((card, content)), Some(label)) = (card, class) else { return Fate::Alien };
    let document = format!("kid34k/{card}");
    Fate::Labelled(Found {
        label,
        species: if label == Label::Original { "plastic-replica" } else { label.name() }.to_owned(),
        source: document.clone(),
        device: None,
        document_id: Some(document),
        content: Some(content.to_owned()),
    })
}

/// `U02_DL_7.jpg` → `U02_DL` and what that is.
fn kid34k_card(name: &str) -> Option<(&str, &'static str)> {
    let (user, rest) = name.split_once('_')?;
    let content = match rest.get(..2)? {
        "DL" => "driving licence",
        "ID" => "identity card",
        _ => return None,
    };
    let ends = rest[2..].chars().next().is_none_or(|next| !next.is_ascii_alphanumeric());
    (digits(user.strip_prefix('U')?) && ends).then(|| (&name[..user.len() + 3], content))
}

/// SIDTD, Boned et al. (2024): `clips/Images/reals/alb_id_00_frame_12.jpg`; `clips_cropped` has the documents cut out and
/// made rectangular, so that it is left out, too. Fakes are forgeries made by computer from the documents of MIDV-2020.
fn sidtd(above: &str, parts: &[&str], options: Options) -> Fate {
    let folders: Vec<String> = std::iter::once(above)
        .chain(parts[..parts.len() - 1].iter().copied())
        .map(|folder| folder.trim().to_lowercase())
        .collect();
    let has = |name: &str| folders.iter().any(|folder| folder == name);
    let fake = match (has("reals"), has("fakes")) {
        (true, false) => false,
        (false, true) => true,
        _ => return Fate::Alien,
    };
    if has("templates") {
        return Fate::LeftOut("template, which is no capture");
    }
    if has("clips_cropped") {
        return Fate::LeftOut("document cut out of its capture");
    }
    if fake && !options.with_altered {
        return Fate::LeftOut("capture of a forged document, which is neither original nor recapture");
    }
    let Some((document_type, number)) = sidtd_document(stem(parts[parts.len() - 1])) else { return Fate::Alien };
    let class = if fake { "fakes" } else { "reals" };
    Fate::Labelled(Found {
        label: Label::Original,
        species: if fake { "altered" } else { "mock" }.to_owned(),
        source: format!("sidtd/{class}/{document_type}/{number}"),
        device: None,
        // A forgery is another document than the one it was made from, but shares most of its picture.
        document_id: Some(format!("midv-2020/{document_type}/{number}")),
        content: Some(document_type),
    })
}

/// `alb_id_fake_00_frame_12` → `alb_id` and `00`: the words before the first number or `fake`, and the first number.
fn sidtd_document(stem: &str) -> Option<(String, String)> {
    let words: Vec<&str> = stem.split('_').collect();
    let number = words.iter().position(|word| digits(word))?;
    let end = words.iter().position(|word| word.eq_ignore_ascii_case("fake")).map_or(number, |at| at.min(number));
    (end > 0).then(|| (words[..end].join("_"), words[number].to_owned()))
}

const ROSE_DEVICES: [(&str, &str); 5] = [
    ("HS", "Hasee smart-phone"),
    ("HW", "Huawei smart-phone"),
    ("IP", "Apple iPad 4"),
    ("5s", "Apple iPhone 5s"),
    ("ZTE", "ZTE smart-phone"),
];

/// ROSE-Youtu, Li et al. (2018): `G_NT_5s_g_E_2_1` is a genuine face, not talking, taken by an iPhone 5s, with glasses,
/// before background E, of person 2, the first such clip. A person is a source; there is no document.
fn rose_youtu(parts: &[&str]) -> Fate {
    let Some(words) = parts.iter().rev().find_map(|part| rose_words(part)) else { return Fate::Alien };
    let (label, species) = match words[0] {
        "G" => (Label::Original, "genuine"),
        "Ps" => (Label::Print, "still-print"),
        "Pq" => (Label::Print, "moved-print"),
        "Vl" => (Label::Screen, "replay-on-lenovo"),
        "Vm" => (Label::Screen, "replay-on-mac"),
        _ => return Fate::LeftOut("mask, which is neither original, screen nor print"),
    };
    Fate::Labelled(Found {
        label,
        species: species.to_owned(),
        source: format!("rose-youtu/person-{}", words[5]),
        device: ROSE_DEVICES.iter().find(|(code, _)| *code == words[2]).map(|(_, name)| *name),
        document_id: None,
        content: Some("face".to_owned()),
    })
}

/// The words of a name from its code on, when it is one; a number may stand before.
fn rose_words(name: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = name.split(['_', '.']).collect();
    let start = usize::from(words.first().is_some_and(|word| digits(word)));
    let words = words.get(start..).filter(|words| words.len() >= 7)?;
    let code = ["G", "Ps", "Pq", "Vl", "Vm", "Mc", "Mf", "Mu", "Ml"].contains(&words[0]);
    (code && ["T", "NT"].contains(&words[1]) && digits(words[5])).then(|| words.to_vec())
}

/// `screen/shop-7/1.jpg`: the folder nearest to the root whose name is a label or alias is the label, and the folder
/// within it the source; where there is none, the path is.
fn folders(parts: &[&str]) -> Fate {
    let (file, folders) = parts.split_last().unwrap_or((&"", &[]));
    let Some((at, label)) = folders.iter().enumerate().find_map(|(at, name)| Some((at, Label::of(name)?))) else {
        return Fate::Alien;
    };
    let source = folders.get(at + 1).copied().map_or_else(|| [folders, &[*file]].concat().join("/"), str::to_owned);
    Fate::Labelled(Found {
        label,
        species: label.name().to_owned(),
        source,
        device: None,
        document_id: None,
        content: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::labels::read;
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        dir
    }

    fn taken(kind: Kind, files: &[&str]) -> Imported {
        import(kind, tree(files).path(), Options::default()).unwrap()
    }

    fn refused(kind: Kind, files: &[&str]) -> ImportError {
        import(kind, tree(files).path(), Options::default()).unwrap_err()
    }

    /// Path, label, species and source of each sample.
    fn rows(imported: &Imported) -> Vec<(&str, Label, &str, &str)> {
        let samples = &imported.labels.samples;
        samples.iter().map(|s| (s.path.as_str(), s.label, s.species.as_str(), s.source.as_str())).collect()
    }

    fn left_out(imported: &Imported) -> Vec<(&str, usize)> {
        imported.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
    }

    const DLC: [&str; 7] = [
        "clips/annotations/alb_id/00.or0001.json",
        "clips/images/alb_id/00.cc0001/000001.jpg",
        "clips/images/alb_id/00.cg0012/000001.jpg",
        "clips/images/alb_id/00.or0001/000001.jpg",
        "clips/images/alb_id/00.or0001/000002.jpg",
        "clips/images/svk_id/07.re0001/000001.jpg",
        "clips/images/svk_id/cover.jpg",
    ];

    #[test]
    fn dlc_2021_clips_are_sources_of_one_document_by_the_code_in_their_name() {
        let imported = taken(Kind::Dlc2021, &DLC);
        assert_eq!(
            rows(&imported),
            [
                (DLC[1], Label::Print, "colour-copy", "dlc-2021/alb_id/00.cc0001"),
                (DLC[2], Label::Print, "grey-copy", "dlc-2021/alb_id/00.cg0012"),
                (DLC[3], Label::Original, "laminated-mock", "dlc-2021/alb_id/00.or0001"),
                (DLC[4], Label::Original, "laminated-mock", "dlc-2021/alb_id/00.or0001"),
                (DLC[5], Label::Screen, "screen", "dlc-2021/svk_id/07.re0001"),
            ]
        );
        let documents: Vec<_> = imported.labels.samples.iter().map(|s| s.document_id.as_deref().unwrap()).collect();
        assert_eq!(documents[..4], ["midv-2020/alb_id/00"; 4]);
        assert_eq!(documents[4], "midv-2020/svk_id/07");
        assert_eq!(left_out(&imported), [(OTHER, 1), (ALIEN, 1)]);
    }

    #[test]
    fn a_folder_within_a_layout_is_taken_by_its_own_name() {
        let dir = tree(&DLC);
        let whole = import(Kind::Dlc2021, dir.path(), Options::default()).unwrap();
        let within = import(Kind::Dlc2021, &dir.path().join("clips/images/alb_id"), Options::default()).unwrap();
        assert_eq!(within.labels.samples.len(), 4);
        for sample in &within.labels.samples {
            let path = format!("clips/images/alb_id/{}", sample.path);
            let same = whole.labels.samples.iter().find(|other| other.path == path).unwrap();
            assert_eq!((&sample.source, &sample.document_id), (&same.source, &same.document_id));
        }
    }

    #[test]
    fn midv_500_is_all_original_with_condition_and_camera() {
        let files = [
            "01_alb_id/ground_truth/TS/TS01_01.json",
            "01_alb_id/images/01_alb_id.tif",
            "01_alb_id/images/KA/KA01_30.tif",
            "01_alb_id/images/TS/TS01_01.tif",
            "01_alb_id/images/XX/XX01_01.tif",
            "01_alb_id/videos/TS/TS01.mp4",
        ];
        let imported = taken(Kind::Midv500, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[2], Label::Original, "keyboard", "midv-500/01_alb_id/KA01"),
                (files[3], Label::Original, "table", "midv-500/01_alb_id/TS01"),
            ]
        );
        let sample = &imported.labels.samples[1];
        assert_eq!(sample.device.as_deref(), Some("Samsung Galaxy S3"));
        assert_eq!(sample.content.as_deref(), Some("01_alb_id, TS"));
        assert_eq!(sample.document_id.as_deref(), Some("midv-500/01_alb_id"));
        assert_eq!(left_out(&imported), [(OTHER, 1), (ALIEN, 1), ("template, which is no capture", 1), (VIDEO, 1)]);
    }

    #[test]
    fn midv_2019_shares_the_documents_of_midv_500_but_not_its_conditions() {
        let files = ["05_aze_passport/images/DG/DG01_01.tif", "05_aze_passport/images/LX/LX02_07.tif"];
        let imported = taken(Kind::Midv2019, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "distortion", "midv-500/05_aze_passport/DG01"),
                (files[1], Label::Original, "low-light", "midv-500/05_aze_passport/LX02"),
            ]
        );
        assert_eq!(imported.labels.samples[1].device.as_deref(), Some("Apple iPhone XS Max"));
        assert_eq!(imported.labels.samples[1].document_id.as_deref(), Some("midv-500/05_aze_passport"));
        assert!(matches!(refused(Kind::Midv500, &files), ImportError::Layout { .. }));
    }

    #[test]
    fn midv_2020_gives_photographs_and_clips_and_counts_scans_and_templates() {
        let files = [
            "clips/images/alb_id/00/000001.jpg",
            "photo/annotations/alb_id.json",
            "photo/images/alb_id/00.jpg",
            "scan_rotated/images/alb_id/00.jpg",
            "scan_upright/images/alb_id/00.jpg",
            "scan_upright/images/alb_id/01.jpg",
            "templates/images/alb_id/00.jpg",
        ];
        let imported = taken(Kind::Midv2020, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "clip", "midv-2020/clips/alb_id/00"),
                (files[2], Label::Original, "photograph", "midv-2020/photo/alb_id/00"),
            ]
        );
        assert!(imported.labels.samples.iter().all(|s| s.document_id.as_deref() == Some("midv-2020/alb_id/00")));
        assert_eq!(
            left_out(&imported),
            [(OTHER, 1), ("scan, which no camera took", 3), ("template, which is no capture", 1)]
        );
        let error = refused(Kind::Midv2020, &files[3..]);
        assert!(matches!(error, ImportError::Nothing { .. }));
        assert!(error.to_string().contains("3 × scan"), "{error}");
    }

    #[test]
    fn kid34k_cards_and_classes_are_found_in_any_order() {
        let files = [
            "U02_DL/genuine/1.jpg",
            "U02_DL/print/2.jpg",
            "U02_DLX/print/2.jpg",
            "U02_ID/screenshot/2.jpg",
            "U02_ID/unsorted/2.jpg",
            "screen/U12_ID_0001.jpg",
        ];
        let imported = taken(Kind::Kid34k, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "plastic-replica", "kid34k/U02_DL"),
                (files[1], Label::Print, "print", "kid34k/U02_DL"),
                (files[5], Label::Screen, "screen", "kid34k/U12_ID"),
            ]
        );
        assert_eq!(imported.labels.samples[2].content.as_deref(), Some("identity card"));
        assert_eq!(left_out(&imported), [(ALIEN, 3)]);
    }

    #[test]
    fn sidtd_forgeries_are_left_out_unless_asked_for_and_templates_always() {
        let files = [
            "clips/Images/fakes/alb_id_fake_03_frame_1.jpg",
            "clips/Images/reals/alb_id_00_frame_12.jpg",
            "clips_cropped/Images/reals/alb_id_00_frame_12.jpg",
            "templates/Images/fakes/alb_id_fake_03.jpg",
            "templates/Images/reals/alb_id_00.jpg",
        ];
        let real = (files[1], Label::Original, "mock", "sidtd/reals/alb_id/00");
        let imported = taken(Kind::Sidtd, &files);
        assert_eq!(rows(&imported), [real]);
        assert_eq!(imported.labels.samples[0].document_id.as_deref(), Some("midv-2020/alb_id/00"));
        let forged = "capture of a forged document, which is neither original nor recapture";
        let rest = [("document cut out of its capture", 1), ("template, which is no capture", 2)];
        assert_eq!(left_out(&imported), [&[(forged, 1)][..], &rest].concat());
        let imported = import(Kind::Sidtd, tree(&files).path(), Options { with_altered: true }).unwrap();
        let fake = (files[0], Label::Original, "altered", "sidtd/fakes/alb_id/03");
        assert_eq!(rows(&imported), [fake, real]);
        assert_eq!(left_out(&imported), rest);
    }

    #[test]
    fn rose_youtu_codes_are_read_from_files_and_from_folders_of_frames() {
        let files = [
            "10/Pq_T_ZTE_wg_A_10_4/000001.png",
            "2/2_G_NT_5s_g_E_2_1.jpg",
            "2/Mc_NT_HS_g_E_2_1.jpg",
            "2/Vm_NT_HW_wg_E_2_12.jpg",
            "2/portrait.jpg",
        ];
        let imported = taken(Kind::RoseYoutu, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Print, "moved-print", "rose-youtu/person-10"),
                (files[1], Label::Original, "genuine", "rose-youtu/person-2"),
                (files[3], Label::Screen, "replay-on-mac", "rose-youtu/person-2"),
            ]
        );
        let devices: Vec<_> = imported.labels.samples.iter().map(|s| s.device.as_deref().unwrap()).collect();
        assert_eq!(devices, ["ZTE smart-phone", "Apple iPhone 5s", "Huawei smart-phone"]);
        assert_eq!(left_out(&imported), [("mask, which is neither original, screen nor print", 1), (ALIEN, 1)]);
    }

    #[test]
    fn folders_named_after_labels_give_labels_and_those_within_sources() {
        let files = [
            "Bona Fide/shop-1/a/1.jpg",
            "attack/1.jpg",
            "photocopy/2.JPEG",
            "set/monitor/shop-2/3.png",
            "set/monitor/shop-2/notes.txt",
            "set/screenshot/._4.png",
        ];
        let imported = taken(Kind::Folders, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "original", "shop-1"),
                (files[2], Label::Print, "print", "photocopy/2.JPEG"),
                (files[3], Label::Screen, "screen", "shop-2"),
            ]
        );
        assert_eq!(left_out(&imported), [(OTHER, 2), (ALIEN, 1)]);
    }

    #[test]
    fn videos_alone_are_refused_with_a_command_that_takes_frames() {
        let error = refused(Kind::RoseYoutu, &["it's/G_NT_5s_g_E_2_1.mp4", "it's/G_NT_5s_g_E_2_2.MOV", "list.txt"]);
        let text = error.to_string();
        assert!(matches!(error, ImportError::Videos { count: 2, .. }), "{text}");
        assert!(text.contains("it'\\''s/G_NT_5s_g_E_2_1.mp4' -vf fps=1 '"), "{text}");
        assert!(text.ends_with("it'\\''s/G_NT_5s_g_E_2_1'/%06d.png"), "{text}");
    }

    #[test]
    fn an_unknown_layout_is_refused_with_what_was_expected() {
        for set in SETS {
            let error = refused(set.kind, &["album/holiday/1.jpg", "album/2.jpg", "3.jpg"]);
            assert!(matches!(error, ImportError::Layout { .. }), "{error}");
            assert!(error.to_string().contains(set.layout) && error.to_string().contains("3 × picture"), "{error}");
            let error = refused(set.kind, &[]).to_string();
            assert!(error.contains("it holds no files"), "{error}");
        }
        let missing = import(Kind::Folders, Path::new("/none/such"), Options::default());
        assert!(matches!(missing, Err(ImportError::Read { .. })));
    }

    #[test]
    fn every_kind_has_one_name_and_its_own_entry() {
        for set in SETS {
            assert_eq!(Kind::of(&set.name.to_uppercase()), Some(set.kind));
            assert_eq!(set.kind.set(), &set);
        }
        assert_eq!(Kind::of("imagenet"), None);
    }

    #[test]
    fn what_is_imported_is_written_and_read_back_the_same() {
        let dir = tree(&DLC);
        let imported = import(Kind::Dlc2021, dir.path(), Options::default()).unwrap();
        let path = dir.path().join("labels.csv");
        imported.labels.write_csv(std::fs::File::create(&path).unwrap()).unwrap();
        let labels = read(&path).unwrap();
        assert_eq!(labels, imported.labels);
        assert!(labels.check_files(dir.path()).is_empty());
    }

    #[test]
    fn no_name_of_a_file_panics() {
        let names =
            ["", ".", "_", "U", "U1_D", "U1_ü", "é.or", "1.é", "1.oü1", "G_NT", "______", "1_______", "fake_1", "._"];
        for set in SETS {
            for above in names {
                for folder in names {
                    for file in names {
                        for parts in [&[file][..], &[folder, file], &["images", folder, file], &[folder, "reals", file]]
                        {
                            let _ = fate(set.kind, above, parts, Options { with_altered: true });
                        }
                    }
                }
            }
        }
    }
}
