//! What the program itself has to say → in English.

use crate::words::{LeftOut, Notice};

pub fn said(notice: Notice<'_>) -> String {
    match notice {
        Notice::Missing => "there is no such file".to_owned(),
        Notice::MayNotBeRead => "the file may not be read".to_owned(),
        Notice::CannotBeRead { cause } => format!("the file cannot be read: {cause}"),
        Notice::NotAFile => "this is not a regular file".to_owned(),
        Notice::ChangedMeanwhile => "the file changed while it was read; examine it again".to_owned(),
        Notice::ProgramFailed => "the program failed on this file; the others are not affected".to_owned(),
        Notice::FolderCannotBeRead { cause } => format!("the folder cannot be read: {cause}"),
        Notice::NoPictures { folder } => format!("{folder}: there is no picture in this folder"),
        Notice::EmptyList => "the list on standard input names no file".to_owned(),
        Notice::ListCannotBeRead { cause } => format!("standard input cannot be read: {cause}"),
        Notice::CannotBegin { cause } => cause.to_owned(),
        Notice::Engine { line } => line.to_owned(),
        Notice::OutputTaken { output } => {
            format!("{output}: another run is writing this file; wait for it, or choose another output")
        }
        Notice::InputWouldBeLost { output, input } => {
            format!("{output} is the same file as {input}, which is read: choose another output")
        }
        Notice::OneOutputForTwo { output } => format!("{output}: rows and page cannot be one file"),
        Notice::PictureWouldBeLost { output } => {
            format!("{output} holds a picture, which would be lost: choose another output, or remove it first")
        }
        Notice::CannotBeWritten { output, cause } => format!("{output} cannot be written: {cause}"),
        Notice::RowsCannotBeWritten { cause } => {
            format!("the rows cannot be written: {cause}; those written before are whole")
        }
        Notice::NobodyReads => "whatever was reading the rows has closed; the rest is not examined".to_owned(),
        Notice::NoRowOfScreening { output, line } => {
            format!("{output}: line {line} is no row of such a screening; nothing was changed")
        }
        Notice::NoFileToResume { output } => format!("{output} is no regular file, which alone can be resumed"),
        Notice::JudgedOtherwise { output, held, now } => format!(
            "{output} holds rows of {held}, and this run is of {now}; rows of different policies, models or versions \
             are not mixed: choose another output, or leave out --resume to begin anew"
        ),
        Notice::Summary { counts } => {
            let [accept, retake, review, reject, failed] = counts.by_outcome;
            let before =
                if counts.earlier > 0 { format!(" ({} examined earlier)", counts.earlier) } else { String::new() };
            format!(
                "{} files{before}: {accept} accept, {retake} retake, {review} review, {reject} reject, {failed} not \
                 examined",
                counts.files
            )
        }
        Notice::LeftOut { counts } => {
            let named: Vec<_> = counts.iter().map(|(kind, n)| format!("{n} {}", left_out(*kind, *n == 1))).collect();
            format!("left out, without a row: {}", named.join(", "))
        }
        Notice::LookedAtAgain { changed } => {
            format!("{changed} files are other ones than were examined, or could not be examined then: looked at again")
        }
        Notice::PageIs { path } => format!("the page is {path}"),
        Notice::BrokenOff => "broken off; every row written is whole, and --resume goes on from here".to_owned(),
        Notice::BrokenOffPage => "Broken off: not every file is here.".to_owned(),
        Notice::NotShownAgain { count } => {
            format!(
                "{count} of the pictures are not where they were, or are others now: their rows are without a picture."
            )
        }
    }
}

const fn left_out(kind: LeftOut, one: bool) -> &'static str {
    match (kind, one) {
        (LeftOut::Video, true) => "video",
        (LeftOut::Video, false) => "videos",
        (LeftOut::Hidden, true) => "hidden file that is no picture",
        (LeftOut::Hidden, false) => "hidden files that are no pictures",
        (LeftOut::Other, true) => "other file that is no picture",
        (LeftOut::Other, false) => "other files that are no pictures",
        (LeftOut::Unreadable, true) => "file that may not be read",
        (LeftOut::Unreadable, false) => "files that may not be read",
        (LeftOut::FolderLink, true) => "link to a folder",
        (LeftOut::FolderLink, false) => "links to folders",
        (LeftOut::DeadLink, true) => "link that leads nowhere",
        (LeftOut::DeadLink, false) => "links that lead nowhere",
        (LeftOut::Special, true) => "pipe, socket or device",
        (LeftOut::Special, false) => "pipes, sockets or devices",
    }
}
