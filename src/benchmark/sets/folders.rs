//! A path below folders that are named after labels → that label.

use super::{Fate, Row, Set};
use crate::benchmark::labels::{Label, Sample};

/// Any pictures in folders that are named after labels; a folder within is the source.
pub(super) static SET: Set = Set {
    name: "folders",
    home: "your own",
    licence: "your own",
    layout: "<label or alias>/<source>/<picture>, such as screen/shop-7/1.jpg, or <label or alias>/<picture>, where the \
             folder is one source",
    fate,
};

/// `screen/shop-7/1.jpg`: the folder nearest to the root whose name is a label or alias is the label, and the folder
/// within it the source; where there is none, the folder of the label with those above it is, since nothing says that its
/// pictures are independent of each other.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let folders = row.folders();
    let (at, label) = folders.iter().enumerate().find_map(|(at, name)| Some((at, Label::of(name)?)))?;
    let source = folders.get(at + 1).map_or_else(|| folders[..=at].join("/"), |folder| (*folder).to_owned());
    Some(Fate::Labelled(Sample { source, ..row.sample(label) }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{left_out, rows, taken};
    use super::super::{ALIEN, OTHER};
    use super::*;

    #[test]
    fn folders_named_after_labels_give_labels_and_those_within_sources() {
        let files = [
            "Bona Fide/shop-1/a/1.jpg",
            "attack/1.jpg",
            "photocopy/2.JPEG",
            "set/monitor/shop-2/3.png",
            "set/monitor/shop-2/notes.txt",
            "set/screenshot/._4.png",
            "set/screenshot/5.png",
            "set/screenshot/6.png",
        ];
        let imported = taken(&SET, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "original", "shop-1"),
                (files[2], Label::Print, "print", "photocopy"),
                (files[3], Label::Screen, "screen", "shop-2"),
                (files[6], Label::Screenshot, "screenshot", "set/screenshot"),
                (files[7], Label::Screenshot, "screenshot", "set/screenshot"),
            ]
        );
        assert_eq!(left_out(&imported), [(OTHER, 2), (ALIEN, 1)]);
    }
}
