//! A path of MIDV-500 → an original, with the condition and the camera in the name of its folder.

use super::{Fate, Row, Set, TEMPLATE, stem};
use crate::benchmark::labels::{Label, Sample};

/// Frames of 500 clips of printed mock documents of 50 types, all original captures.
pub(super) static SET: Set = Set {
    name: "midv-500",
    home: "ftp://smartengines.com/midv-500/, described in https://arxiv.org/abs/1807.05786",
    licence: "see its page; the documents pictured are in the public domain or under public licences",
    layout: "<document type>/images/<TA|TS|KA|KS|HA|HS|PA|PS|CA|CS>/<frame>, such as 01_alb_id/images/TS/TS01_01.tif",
    fate: |row| frame(row, &CONDITIONS, &DEVICES),
};

/// Names by the letter that stands for them.
pub(super) type Letters = [(char, &'static str)];

const CONDITIONS: [(char, &str); 5] =
    [('T', "table"), ('K', "keyboard"), ('H', "hand"), ('P', "partial"), ('C', "clutter")];
const DEVICES: [(char, &str); 2] = [('A', "Apple iPhone 5"), ('S', "Samsung Galaxy S3")];

/// Arlazarov et al. (2018): `01_alb_id/images/TS/TS01_01.tif` is a frame of document 01 on a table. The first letter is
/// the condition and becomes the species, the second the camera. The picture in `images` itself is the template of which
/// the mock document was printed.
pub(super) fn frame(row: &Row<'_>, conditions: &Letters, devices: &Letters) -> Option<Fate> {
    let folder = row.nth_from_end(1)?;
    if folder == "images" {
        return Some(Fate::LeftOut(TEMPLATE));
    }
    let named = |letter: char, table: &Letters| table.iter().find(|(key, _)| *key == letter).map(|(_, name)| *name);
    let letters: Vec<char> = folder.chars().collect();
    let [condition, device] = letters[..] else { return None };
    let (condition, device) = (named(condition, conditions)?, named(device, devices)?);
    let document = row.nth_from_end(3).filter(|_| row.nth_from_end(2) == Some("images"))?;
    // The name of a frame begins with its clip.
    let clip = stem(row.file()).split('_').next().unwrap_or(folder);
    Some(Fate::Labelled(Sample {
        species: condition.to_owned(),
        source: format!("midv-500/{document}/{clip}"),
        device: Some(device.to_owned()),
        document_id: Some(format!("midv-500/{document}")),
        content: Some(format!("{document}, {folder}")),
        ..row.sample(Label::Original)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{left_out, rows, taken};
    use super::super::{ALIEN, OTHER, VIDEO};
    use super::*;

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
        let imported = taken(&SET, &files);
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
}
