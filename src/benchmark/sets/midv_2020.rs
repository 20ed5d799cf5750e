//! A path of MIDV-2020 → an original; scans and templates are left out.

use super::{Fate, Row, Set, TEMPLATE, stem};
use crate::benchmark::labels::{Label, Sample};

/// 1000 printed mock documents of 10 types: photographs and frames of clips are original captures; scans and templates
/// are left out.
pub(super) static SET: Set = Set {
    name: "midv-2020",
    home: "ftp://smartengines.com/midv-2020/, on the web at https://l3i-share.univ-lr.fr/MIDV2020/midv2020.html",
    licence: "see its page",
    layout: "photo/images/<document type>/<number>.jpg and clips/images/<document type>/<number>/<frame>",
    fate,
};

/// Bulatov et al., Computer Optics 46 (2022): `photo/images/alb_id/00.jpg` and `clips/images/alb_id/00/000001.jpg` are
/// captures of document 00 of a type; `scan_upright`, `scan_rotated` and `templates` are not. A photograph and a clip
/// are a source each.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let parts = &row.parts;
    let images = parts.iter().rposition(|part| *part == "images")?;
    let part = if images == 0 { row.above } else { parts[images - 1] };
    let (document_type, number) = match parts[images + 1..] {
        [document_type, file] => (document_type, stem(file)),
        [document_type, number, _] => (document_type, number),
        _ => return None,
    };
    let (part, species) = match part {
        "photo" => ("photo", "photograph"),
        "clips" => ("clips", "clip"),
        "scan_upright" | "scan_rotated" => return Some(Fate::LeftOut("scan, which no camera took")),
        "templates" => return Some(Fate::LeftOut(TEMPLATE)),
        _ => return None,
    };
    Some(Fate::Labelled(Sample {
        species: species.to_owned(),
        source: format!("midv-2020/{part}/{document_type}/{number}"),
        document_id: Some(format!("midv-2020/{document_type}/{number}")),
        content: Some(document_type.to_owned()),
        ..row.sample(Label::Original)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{left_out, refused, rows, taken};
    use super::super::{ImportError, OTHER};
    use super::*;

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
        let imported = taken(&SET, &files);
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
        let error = refused(&SET, &files[3..]);
        assert!(matches!(error, ImportError::Nothing { .. }));
        assert!(error.to_string().contains("3 × scan"), "{error}");
    }
}
