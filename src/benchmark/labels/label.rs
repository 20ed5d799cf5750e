//! A word → what a picture is, and how much of it a person can read.

use serde::{Deserialize, Serialize};

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A photograph of the document itself.
    Original,
    /// A photograph of a screen that shows the document.
    Screen,
    /// A photograph or scan of a print or photocopy of the document.
    Print,
    /// What a screen shows, saved without a camera.
    Screenshot,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 4] = [Self::Original, Self::Screen, Self::Print, Self::Screenshot];

    /// The name that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Screen => "screen",
            Self::Print => "print",
            Self::Screenshot => "screenshot",
        }
    }

    /// The label that `word` names by `ALIASES`, whatever its case and surrounding blanks; `-` and blanks within are
    /// taken for `_`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let word = plain(word);
        ALIASES.iter().find(|(alias, _)| *alias == word).map(|(_, label)| *label)
    }
}

/// Every word that names a label. `or`, `re`, `cc` and `cg` are those of DLC-2021: original, recapture of a screen,
/// colour copy and grey copy.
pub const ALIASES: [(&str, Label); 26] = [
    ("original", Label::Original),
    ("bona_fide", Label::Original),
    ("bonafide", Label::Original),
    ("genuine", Label::Original),
    ("real", Label::Original),
    ("live", Label::Original),
    ("or", Label::Original),
    ("screen", Label::Screen),
    ("recapture", Label::Screen),
    ("re", Label::Screen),
    ("display", Label::Screen),
    ("monitor", Label::Screen),
    ("phone", Label::Screen),
    ("photo_of_screen", Label::Screen),
    ("print", Label::Print),
    ("printed", Label::Print),
    ("printout", Label::Print),
    ("paper", Label::Print),
    ("copy", Label::Print),
    ("photocopy", Label::Print),
    ("photo_copy", Label::Print),
    ("cc", Label::Print),
    ("cg", Label::Print),
    ("scan", Label::Print),
    ("screenshot", Label::Screenshot),
    ("screen_shot", Label::Screenshot),
];

/// Words that say that something is wrong with a picture but not what; none is a label.
pub const AMBIGUOUS: [&str; 5] = ["attack", "presentation_attack", "spoof", "spoofed", "fake"];

/// How much of the document a person can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readable {
    /// Every field that matters.
    Yes,
    /// Some of it.
    Part,
    /// Nothing that would help.
    No,
}

impl Readable {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Yes, Self::Part, Self::No];

    /// The name that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Part => "part",
            Self::No => "no",
        }
    }

    /// What `word` names, whatever its case. Words of two answers, such as `true`, name none: they leave no room for a
    /// document that can be read in part.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|readable| word.trim().eq_ignore_ascii_case(readable.name()))
    }

    /// Whether the document counts as legible; `None` where it can be read in part.
    #[must_use]
    pub const fn legible(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::Part => None,
            Self::No => Some(false),
        }
    }
}

pub(super) fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_and_alias_names_what_the_table_says() {
        for label in Label::ALL {
            assert_eq!(Label::of(label.name()), Some(label));
            assert_eq!(serde_json::to_value(label).unwrap(), label.name());
        }
        for (alias, label) in ALIASES {
            assert_eq!(Label::of(&format!(" {} ", alias.to_uppercase())), Some(label), "{alias}");
            assert_eq!(Label::of(&alias.replace('_', "-")), Some(label), "{alias}");
            assert_eq!(ALIASES.iter().filter(|(other, _)| *other == alias).count(), 1, "{alias}");
            assert!(!AMBIGUOUS.contains(&alias), "{alias}");
        }
        assert_eq!(Label::of("bona fide"), Some(Label::Original));
        assert_eq!(Label::of("attack"), None);
    }
}
