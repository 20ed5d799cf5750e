//! A path of DLC-2021 → the label in the name of its clip.

use super::{Fate, Row, Set, digits};
use crate::benchmark::labels::{Label, Sample};

/// Document Liveness Challenge Dataset: frames of 1424 clips of laminated mock documents (or), their colour (cc) and
/// grey (cg) copies, and screens that show them (re); the mock documents are prints too.
pub(super) static SET: Set = Set {
    name: "dlc-2021",
    home: "https://doi.org/10.3390/jimaging8070181; Zenodo records 7467028, 6792396 and 7467000",
    licence: "CC BY-SA 2.5",
    layout: "<document type>/<number>.<or|re|cc|cg><number>/<frame>, such as alb_id/00.or0001/000001.jpg",
    fate,
};

/// Polevoy et al., J. Imaging 8 (2022) 181: `alb_id/00.cc0001/000001.jpg` is a frame of the first colour copy of
/// document 00 of a type. Its documents are of MIDV-2020. A clip is a source.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let (clip, document_type) = (row.nth_from_end(1)?, row.nth_from_end(2)?);
    let (number, code) = clip.split_once('.').filter(|(number, _)| digits(number))?;
    let (code, serial) = code.split_at_checked(2)?;
    let (label, species) = match code {
        "or" => (Label::Original, "laminated-mock"),
        "re" => (Label::Screen, "screen"),
        "cc" => (Label::Print, "colour-copy"),
        "cg" => (Label::Print, "grey-copy"),
        _ => return None,
    };
    digits(serial).then(|| {
        Fate::Labelled(Sample {
            species: species.to_owned(),
            source: format!("dlc-2021/{document_type}/{clip}"),
            document_id: Some(format!("midv-2020/{document_type}/{number}")),
            content: Some(document_type.to_owned()),
            ..row.sample(label)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DLC, left_out, rows, taken, tree};
    use super::super::{ALIEN, OTHER, Options, import};
    use super::*;

    #[test]
    fn dlc_2021_clips_are_sources_of_one_document_by_the_code_in_their_name() {
        let imported = taken(&SET, &DLC);
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
        let whole = import(&SET, dir.path(), Options::default()).unwrap();
        let within = import(&SET, &dir.path().join("clips/images/alb_id"), Options::default()).unwrap();
        assert_eq!(within.labels.samples.len(), 4);
        for sample in &within.labels.samples {
            let path = format!("clips/images/alb_id/{}", sample.path);
            let same = whole.labels.samples.iter().find(|other| other.path == path).unwrap();
            assert_eq!((&sample.source, &sample.document_id), (&same.source, &same.document_id));
        }
    }
}
