//! What is to be written and what is read → a refusal where writing would lose something.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bonafide::names::spoken;
#[cfg(feature = "bench")]
use bonafide::report::alone::Part;
use bonafide::report::alone::{Identity, identity, part_of, write_whole};
use bonafide::report::text::{Notice, noticed};
use bonafide::screening::is_image;
use bonafide::vocabulary::Language;

/// Refuses outputs that are among the inputs, by whatever name or link, and those that hold a picture.
pub(super) fn refuse_losses<'a>(
    outputs: &[&Path],
    inputs: impl IntoIterator<Item = &'a Path>,
    language: Language,
) -> Result<(), String> {
    refuse_overlays(outputs, inputs, language)?;
    match outputs.iter().find(|path| is_image(path)) {
        Some(picture) => Err(noticed(Notice::PictureWouldBeLost { output: &spoken(picture) }, language)),
        None => Ok(()),
    }
}

/// Refuses outputs that are among the inputs; pictures may be written over pictures that are not.
pub(super) fn refuse_overlays<'a>(
    outputs: &[&Path],
    inputs: impl IntoIterator<Item = &'a Path>,
    language: Language,
) -> Result<(), String> {
    let written: Vec<PathBuf> = outputs.iter().flat_map(|output| [(*output).to_owned(), part_of(output)]).collect();
    let there: BTreeMap<Identity, &Path> = written
        .iter()
        .filter(|path| path.is_file())
        .filter_map(|path| Some((identity(path)?, path.as_path())))
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    for input in inputs {
        if let Some(output) = identity(input).and_then(|file| there.get(&file)) {
            let notice = Notice::InputWouldBeLost { output: &spoken(output), input: &spoken(input) };
            return Err(noticed(notice, language));
        }
    }
    Ok(())
}

/// Why `path` cannot be written, in words.
pub(super) fn unwritten(path: &Path, error: &io::Error, language: Language) -> String {
    let output = &spoken(path);
    match error.kind() {
        io::ErrorKind::WouldBlock => noticed(Notice::OutputTaken { output }, language),
        _ => noticed(Notice::CannotBeWritten { output, cause: error }, language),
    }
}

/// Writes `bytes` to `path`, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8], language: Language) -> Result<(), String> {
    write_whole(path, bytes).map_err(|e| unwritten(path, &e, language))
}

/// Writes what `fill` puts into the file at `path`, whole or not at all.
#[cfg(feature = "bench")]
pub(super) fn write_with(path: &Path, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), String> {
    let written = Part::begin(path).and_then(|mut part| {
        fill(part.out())?;
        part.finish()
    });
    written.map_err(|e| unwritten(path, &e, Language::En))
}
