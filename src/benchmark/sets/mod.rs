//! A folder as a public set of captures is published → labels of what it holds, and counts of what is left out.
//!
//! Only names of folders and files are read. Every file is either labelled or counted under a reason. A set is one file
//! here and one line in [`SETS`].

mod dlc_2021;
mod folders;
mod kid34k;
mod midv_2019;
mod midv_2020;
mod midv_500;
mod rose_youtu;
mod sidtd;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use walkdir::WalkDir;

use super::labels::{Label, Labels, Sample};
use crate::names;
use crate::screening::{EXTENSIONS, VIDEOS};

/// A set of captures, as it is published.
#[derive(Debug)]
pub struct Set {
    /// Its name on the command line.
    pub name: &'static str,
    /// Where the set is to be had.
    pub home: &'static str,
    /// Under which terms.
    pub licence: &'static str,
    /// The paths that are labelled, as an error names them.
    pub layout: &'static str,
    /// What becomes of a picture; `None` where the layout does not name it.
    fate: fn(&Row<'_>) -> Option<Fate>,
}

/// Every set.
pub static SETS: &[&Set] = &[
    &dlc_2021::SET,
    &midv_500::SET,
    &midv_2019::SET,
    &midv_2020::SET,
    &kid34k::SET,
    &sidtd::SET,
    &rose_youtu::SET,
    &folders::SET,
];

/// A picture below the folder of a set.
struct Row<'a> {
    /// Name of the folder that was given.
    above: &'a str,
    /// Path of the picture below it, with `/` between its parts.
    path: &'a str,
    /// The parts of the path: folders, then the file.
    parts: Vec<&'a str>,
    with_altered: bool,
}

/// What becomes of a picture that a layout names.
enum Fate {
    Labelled(Sample),
    LeftOut(&'static str),
}

impl<'a> Row<'a> {
    fn new(above: &'a str, path: &'a str, options: Options) -> Self {
        Self { above, path, parts: path.split('/').collect(), with_altered: options.with_altered }
    }

    fn file(&self) -> &'a str {
        self.parts.last().copied().unwrap_or_default()
    }

    fn folders(&self) -> &[&'a str] {
        self.parts.split_last().map_or(&[], |(_, folders)| folders)
    }

    /// The name at `back` places from the end of the path, where 0 is the file; that of the folder above for one too
    /// many.
    fn nth_from_end(&self, back: usize) -> Option<&'a str> {
        match self.parts.len().checked_sub(back + 1) {
            Some(at) => Some(self.parts[at]),
            None => Some(self.above).filter(|above| self.parts.len() == back && !above.is_empty()),
        }
    }

    /// A sample of which nothing is known but its label.
    fn sample(&self, label: Label) -> Sample {
        Sample::new(0, self.path, label)
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
    /// No set has that name.
    #[error("no set is called `{name}`; known are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of all sets.
        known: String,
    },
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = names::shown(path))]
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is laid out differently.
    #[error("{path} is not laid out as {name} ({counts}); expected are {layout}", path = names::shown(path))]
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
        path = names::shown(path)
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
    #[error("nothing in {path} can be labelled: {counts}", path = names::shown(path))]
    Nothing {
        /// The folder.
        path: PathBuf,
        /// What is left out.
        counts: String,
    },
}

const ALIEN: &str = "picture that the layout does not name";
const VIDEO: &str = "video, of which frames are to be taken first";
const OTHER: &str = "file that is no picture, such as annotations";
const NAME: &str = "file whose name is no UTF-8 text";
const LINK: &str = "link to a folder, or no regular file";
/// Left out by several sets.
const TEMPLATE: &str = "template, which is no capture";

fn names() -> Vec<&'static str> {
    SETS.iter().map(|set| set.name).collect()
}

/// The set of that name, in any case.
///
/// # Errors
/// [`ImportError::Unknown`] when none has it.
pub fn set(name: &str) -> Result<&'static Set, ImportError> {
    SETS.iter()
        .copied()
        .find(|set| set.name.eq_ignore_ascii_case(name.trim()))
        .ok_or_else(|| ImportError::Unknown { name: name.to_owned(), known: names().join(", ") })
}

/// Labels what lies in and below `dir`, by paths below it. `dir` may also be a folder within the layout, as long as it
/// holds what tells pictures apart.
///
/// # Errors
/// When a folder cannot be read, nothing is laid out as `set` expects, or nothing can be labelled.
pub fn import(set: &Set, dir: &Path, options: Options) -> Result<Imported, ImportError> {
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |reason: &str| *left_out.entry(reason.to_owned()).or_insert(0) += 1;
    let files = walk(dir, &mut count)?;
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
        match (set.fate)(&Row::new(above, &path, options)) {
            Some(Fate::Labelled(sample)) => samples.push(Sample { row: samples.len() + 2, ..sample }),
            Some(Fate::LeftOut(reason)) => {
                known += 1;
                count(reason);
            }
            None => count(ALIEN),
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
        _ => ImportError::Layout { path, name: set.name, layout: set.layout, counts },
    })
}

fn counted(left_out: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = left_out.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    if counts.is_empty() { "it holds no files".to_owned() } else { counts.join("; ") }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

/// The paths of the files below `dir`, in order, with `/` between parts; links to folders are not followed.
fn walk(dir: &Path, count: &mut impl FnMut(&str)) -> Result<Vec<String>, ImportError> {
    let failed = |path: &Path, source| ImportError::Read { path: path.to_owned(), source };
    // What is no folder would be walked as an empty one.
    std::fs::read_dir(dir).map_err(|source| failed(dir, source))?;
    let mut files = Vec::new();
    let mut entries = WalkDir::new(dir).min_depth(1).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(dir).to_owned();
            failed(&path, error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()))
        })?;
        let folder = entry.file_type().is_dir();
        if entry.file_name().to_str().is_none() {
            count(NAME);
            if folder {
                entries.skip_current_dir();
            }
        } else if !folder && entry.path().is_file() {
            let below = entry.path().strip_prefix(dir).unwrap_or(entry.path());
            files.push(below.iter().filter_map(|part| part.to_str()).collect::<Vec<_>>().join("/"));
        } else if !folder {
            count(LINK);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod testing {
    use super::*;

    pub fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        dir
    }

    pub fn taken(set: &Set, files: &[&str]) -> Imported {
        import(set, tree(files).path(), Options::default()).unwrap()
    }

    pub fn refused(set: &Set, files: &[&str]) -> ImportError {
        import(set, tree(files).path(), Options::default()).unwrap_err()
    }

    /// Path, label, species and source of each sample.
    pub fn rows(imported: &Imported) -> Vec<(&str, Label, &str, &str)> {
        let samples = &imported.labels.samples;
        samples.iter().map(|s| (s.path.as_str(), s.label, s.species.as_str(), s.source.as_str())).collect()
    }

    pub fn left_out(imported: &Imported) -> Vec<(&str, usize)> {
        imported.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
    }

    pub const DLC: [&str; 7] = [
        "clips/annotations/alb_id/00.or0001.json",
        "clips/images/alb_id/00.cc0001/000001.jpg",
        "clips/images/alb_id/00.cg0012/000001.jpg",
        "clips/images/alb_id/00.or0001/000001.jpg",
        "clips/images/alb_id/00.or0001/000002.jpg",
        "clips/images/svk_id/07.re0001/000001.jpg",
        "clips/images/svk_id/cover.jpg",
    ];
}

#[cfg(test)]
mod tests {
    use super::super::labels::read;
    use super::testing::{DLC, left_out, refused, rows, tree};
    use super::*;

    #[test]
    fn an_unknown_layout_is_refused_with_what_was_expected() {
        for set in SETS {
            let error = refused(set, &["album/holiday/1.jpg", "album/2.jpg", "3.jpg"]);
            assert!(matches!(error, ImportError::Layout { .. }), "{error}");
            assert!(error.to_string().contains(set.layout) && error.to_string().contains("3 × picture"), "{error}");
            let error = refused(set, &[]).to_string();
            assert!(error.contains("it holds no files"), "{error}");
        }
        let missing = import(&folders::SET, Path::new("/none/such"), Options::default());
        assert!(matches!(missing, Err(ImportError::Read { .. })));
    }

    #[test]
    fn every_set_is_found_by_its_name_and_an_unknown_one_is_refused_with_the_known_ones() {
        for known in SETS {
            assert_eq!(set(&known.name.to_uppercase()).unwrap().layout, known.layout);
        }
        assert_eq!(names().iter().collect::<std::collections::BTreeSet<_>>().len(), SETS.len());
        let refused = set("imagenet").unwrap_err().to_string();
        assert_eq!(
            refused,
            "no set is called `imagenet`; known are dlc-2021, midv-500, midv-2019, midv-2020, kid34k, sidtd, rose-youtu, \
             folders"
        );
    }

    #[test]
    fn what_is_imported_is_written_and_read_back_the_same() {
        let dir = tree(&DLC);
        let imported = import(&dlc_2021::SET, dir.path(), Options::default()).unwrap();
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
                        for path in [
                            file.to_owned(),
                            format!("{folder}/{file}"),
                            format!("images/{folder}/{file}"),
                            format!("{folder}/reals/{file}"),
                        ] {
                            let _ = (set.fate)(&Row::new(above, &path, Options { with_altered: true }));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_file_that_is_no_folder_is_refused() {
        let dir = tree(&["a.jpg"]);
        let error = import(&folders::SET, &dir.path().join("a.jpg"), Options::default()).unwrap_err();
        assert!(matches!(error, ImportError::Read { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_taken_and_links_to_folders_are_counted() {
        let dir = tree(&["screen/shop/1.jpg"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("screen/shop/again")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("screen/shop/1.jpg"), dir.path().join("screen/shop/2.jpg")).unwrap();
        let imported = import(&folders::SET, dir.path(), Options::default()).unwrap();
        assert_eq!(
            rows(&imported).iter().map(|row| row.0).collect::<Vec<_>>(),
            ["screen/shop/1.jpg", "screen/shop/2.jpg"]
        );
        assert_eq!(left_out(&imported), [(LINK, 1)]);
    }
}
