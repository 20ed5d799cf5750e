//! What the program itself has to say → the keys of its sentences: why a file has no row, what became of an output.

use std::io;

use super::{Sentence, en, zh};
use crate::vocabulary::Language;

/// Files of a folder that get no row, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// A video, by its name.
    Video,
    /// A file whose name begins with a full stop, and which is no picture.
    Hidden,
    /// Any other file that is no picture, by name and first bytes.
    Other,
    /// A file that may not be read, so that nothing says whether it is a picture.
    Unreadable,
    /// A link to a folder: it is not followed, so that a walk ends.
    FolderLink,
    /// A link that leads nowhere, or round in a circle.
    DeadLink,
    /// A pipe, a socket or a device.
    Special,
}

/// How many files came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub files: u64,
    /// Those of them that an earlier screening examined.
    pub earlier: u64,
    /// Accepted, to be retaken, to be reviewed, rejected, not examined.
    pub by_outcome: [u64; 5],
}

/// One sentence of the program, without its words. Names are made printable by whoever hands them over.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    // Why a file has no report.
    /// There is no such file.
    Missing,
    /// The file may not be read.
    MayNotBeRead,
    /// The file cannot be read.
    CannotBeRead {
        /// The system's reason.
        cause: &'a io::Error,
    },
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// The file changed while it was read.
    ChangedMeanwhile,
    /// The program itself failed on it.
    ProgramFailed,
    /// The folder cannot be listed.
    FolderCannotBeRead {
        /// The system's reason.
        cause: &'a io::Error,
    },

    // What is asked for.
    /// A folder holds nothing to examine.
    NoPictures {
        /// The folder.
        folder: &'a str,
    },
    /// The list on standard input names nothing.
    EmptyList,
    /// Standard input cannot be read.
    ListCannotBeRead {
        /// The system's reason.
        cause: &'a io::Error,
    },
    /// The models or the policy cannot be used.
    CannotBegin {
        /// The reason, in English.
        cause: &'a str,
    },
    /// Which engine runs the models.
    Engine {
        /// The engine, in English.
        line: &'a str,
    },

    // Outputs.
    /// Another run writes the output.
    OutputTaken {
        /// The output.
        output: &'a str,
    },
    /// An output is one of the inputs.
    InputWouldBeLost {
        /// The output.
        output: &'a str,
        /// The input.
        input: &'a str,
    },
    /// Rows and page are to go to one file.
    OneOutputForTwo {
        /// The output.
        output: &'a str,
    },
    /// An output is a picture.
    PictureWouldBeLost {
        /// The output.
        output: &'a str,
    },
    /// The output cannot be written.
    CannotBeWritten {
        /// The output.
        output: &'a str,
        /// The system's reason.
        cause: &'a io::Error,
    },
    /// Rows cannot be written any more.
    RowsCannotBeWritten {
        /// The system's reason.
        cause: &'a io::Error,
    },
    /// Whoever read the rows has gone.
    NobodyReads,
    /// What is to be resumed holds something else.
    NoRowOfScreening {
        /// The output.
        output: &'a str,
        /// The line, from 1.
        line: u64,
    },
    /// What is to be resumed is a pipe or a device.
    NoFileToResume {
        /// The output.
        output: &'a str,
    },
    /// What is to be resumed was judged otherwise.
    JudgedOtherwise {
        /// The output.
        output: &'a str,
        /// Who judged the rows there.
        held: &'a str,
        /// Who judges now.
        now: &'a str,
    },

    // What became of a screening.
    /// How the files came out.
    Summary {
        /// The counts.
        counts: Counts,
    },
    /// What folders hold besides pictures.
    LeftOut {
        /// Each kind with its number.
        counts: &'a [(LeftOut, u64)],
    },
    /// How many files of an earlier screening are examined again.
    LookedAtAgain {
        /// The number.
        changed: u64,
    },
    /// Where the page is.
    PageIs {
        /// The page.
        path: &'a str,
    },
    /// The screening was broken off.
    BrokenOff,
    /// The same, at the foot of the page.
    BrokenOffPage,
    /// Rows of an earlier screening without their pictures.
    NotShownAgain {
        /// The number.
        count: u64,
    },
}

/// What `notice` says in `language`.
#[must_use]
pub fn noticed(notice: Notice<'_>, language: Language) -> String {
    match language {
        Language::En => en::notice::said(notice),
        Language::Zh => zh::notice::said(notice),
    }
}

/// The same in both languages.
#[must_use]
pub fn noticed_in_both(notice: Notice<'_>) -> Sentence {
    Sentence { en: en::notice::said(notice), zh: zh::notice::said(notice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_speaks_chinese_too_where_its_reason_is_known() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let said = noticed_in_both(Notice::RowsCannotBeWritten { cause: &full });
        assert!(said.zh.contains("磁盘已满") && said.en.contains("no storage space"), "{said:?}");
        assert!(noticed(Notice::Missing, Language::Zh).contains("文件"));
        let counts = Counts { files: 3, earlier: 1, by_outcome: [1, 1, 0, 0, 1] };
        assert_eq!(
            noticed(Notice::Summary { counts }, Language::En),
            "3 files (1 examined earlier): 1 accept, 1 retake, 0 review, 0 reject, 1 not examined"
        );
        let left = [(LeftOut::Video, 2), (LeftOut::FolderLink, 1)];
        assert_eq!(
            noticed(Notice::LeftOut { counts: &left }, Language::En),
            "left out, without a row: 2 videos, 1 link to a folder"
        );
    }
}
